/** Groups and tags of several hosts at once. */
import { collationKey } from '../../table/collate';

export interface Label {
  name: string;
  /** How many of the chosen hosts have it. */
  count: number;
}

/** All labels there are, with how many of the chosen hosts have each: `labels` tells those of a host. */
export function labelsOf<T>(
  all: readonly T[],
  chosen: readonly T[],
  labels: (host: T) => readonly string[],
): Label[] {
  const counts = new Map<string, number>();
  for (const host of all) for (const name of labels(host)) counts.set(name, 0);
  for (const host of chosen) for (const name of labels(host)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => (collationKey(a.name) < collationKey(b.name) ? -1 : 1));
}

/** What to give and to take: `wanted` are the boxes that were touched, `more` is what was written by hand. */
export function changeOf(
  labels: readonly Label[],
  total: number,
  wanted: ReadonlyMap<string, boolean>,
  more: string,
): { add: string[]; remove: string[] } {
  const written = more
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const count = (name: string) => labels.find((label) => label.name === name)?.count ?? 0;
  const ticked = [...wanted].filter(([, on]) => on).map(([name]) => name);
  const add = [...new Set([...ticked, ...written])].filter((name) => count(name) < total);
  const remove = [...wanted].filter(([name, on]) => !on && count(name) > 0).map(([name]) => name);
  return { add, remove: remove.filter((name) => !add.includes(name)) };
}
