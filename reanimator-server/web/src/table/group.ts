/** What a table's lines are: its rows, or its groups with a heading each. */
import { collationKey } from './collate';

export interface Grouping<T> {
  /** As it stands in the address. */
  id: string;
  title: string;
  /** The groups a row is in; it stands in each of them. */
  of: (row: T) => readonly string[];
  /** What a group is called, where that is not its id. */
  name?: (group: string) => string;
  /** What the rows in no group stand under, at the end. */
  none: string;
  /** Groups in an order of their own; by name otherwise. */
  order?: (group: string) => number;
}

/** Heads the rows of a group. */
export class Heading {
  constructor(
    /** The group's id; empty for those in none. */
    readonly group: string,
    readonly title: string,
    /** How many rows it has, in words, and their sums. */
    readonly sums: string,
    readonly open: boolean,
  ) {}
}

/** The lines of a table in order. */
export interface Lines<T> {
  readonly at: readonly (T | Heading)[];
  /** The group each line is in; absent where there are no groups. */
  readonly group: readonly string[] | null;
}

/** The groups of rows that are in order; each keeps that order. */
export function groupRows<T>(rows: readonly T[], by: Grouping<T>): { group: string; rows: T[] }[] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const names = by.of(row);
    for (const name of names.length > 0 ? new Set(names) : ['']) {
      const group = groups.get(name);
      if (group) group.push(row);
      else groups.set(name, [row]);
    }
  }
  const place = ({ group }: { group: string }) => by.order?.(group) ?? 0;
  const name = ({ group }: { group: string }) => collationKey(by.name?.(group) ?? group);
  return [...groups]
    .map(([group, members]) => ({ group, rows: members }))
    .sort((a, b) => {
      if ((a.group === '') !== (b.group === '')) return a.group === '' ? 1 : -1;
      return place(a) - place(b) || (name(a) < name(b) ? -1 : 1);
    });
}

/** The lines of rows that are in order: those rows, or their groups with the rows of the open ones. */
export function linesOf<T>(
  rows: readonly T[],
  by: Grouping<T> | null,
  closed: ReadonlySet<string>,
  sums: (rows: readonly T[]) => string,
): Lines<T> {
  if (!by) return { at: rows, group: null };
  const at: (T | Heading)[] = [];
  const within: string[] = [];
  for (const { group, rows: members } of groupRows(rows, by)) {
    const open = !closed.has(group);
    const title = group === '' ? by.none : (by.name?.(group) ?? group);
    at.push(new Heading(group, title, sums(members), open));
    within.push(group);
    if (!open) continue;
    for (const row of members) {
      at.push(row);
      within.push(group);
    }
  }
  return { at, group: within };
}
