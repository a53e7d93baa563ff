/**
 * Puts the rows of a table in order, with what a filter looks at beside them. It goes in small steps, so that a
 * table of tens of thousands never keeps the page from drawing: each `yield` is a place to pause.
 */
import { collationKey } from './collate';
import type { Column, Key, Order } from './table';

/** Rows in order, and the text of each that a filter looks at. */
export interface Arrangement<T> {
  rows: readonly T[];
  texts: readonly string[];
}

export type Searchable<T> = (row: T) => readonly (string | null | undefined)[];

/** Rows looked at between two places to pause; about a millisecond. */
const STEP = 512;

export function* arrange<T extends object>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  order: Order,
  searchable: Searchable<T>,
  texts: WeakMap<T, string>,
): Generator<undefined, Arrangement<T>> {
  const first = columns[0];
  const column = columns.find(({ id }) => id === order.column) ?? first;
  const keys = yield* keysOf(rows, column?.key);
  const ties = column === first ? keys : yield* keysOf(rows, first?.key);
  const sign = order.descending ? -1 : 1;
  const places = yield* sorted(
    rows.length,
    (a, b) =>
      compare(keys[a] ?? null, keys[b] ?? null, sign) ||
      compare(ties[a] ?? null, ties[b] ?? null, 1) ||
      a - b,
  );
  const result: { rows: T[]; texts: string[] } = { rows: [], texts: [] };
  for (const place of places) {
    const row = rows[place];
    if (row === undefined) continue;
    result.rows.push(row);
    result.texts.push(textOf(row, searchable, texts));
    if (result.rows.length % STEP === 0) yield;
  }
  return result;
}

/** The arrangement at once. */
export function arrangeNow<T extends object>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  order: Order,
  searchable: Searchable<T> = () => [],
): Arrangement<T> {
  const steps = arrange(rows, columns, order, searchable, new WeakMap());
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The rows in which every word occurs. */
export function narrow<T>({ rows, texts }: Arrangement<T>, filter: string): readonly T[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((_, index) => {
    const text = texts[index] ?? '';
    return words.every((word) => text.includes(word));
  });
}

function textOf<T extends object>(row: T, searchable: Searchable<T>, texts: WeakMap<T, string>): string {
  const known = texts.get(row);
  if (known !== undefined) return known;
  const text = searchable(row).filter(Boolean).join('\n').toLowerCase();
  texts.set(row, text);
  return text;
}

/** What to compare: numbers as they are, or, where any is a text, all as texts. */
function* keysOf<T>(rows: readonly T[], key: ((row: T) => Key) | undefined): Generator<undefined, Key[]> {
  const keys: Key[] = [];
  let some = false;
  for (const row of rows) {
    const value = key?.(row) ?? null;
    if (typeof value === 'string') some = true;
    keys.push(value);
    if (keys.length % STEP === 0) yield;
  }
  if (!some) return keys;
  for (let index = 0; index < keys.length; index += 1) {
    const value = keys[index] ?? null;
    keys[index] = value === null ? null : collationKey(String(value));
    if (index % STEP === STEP - 1) yield;
  }
  return keys;
}

/** What is unknown stands last in either direction. */
function compare(a: Key, b: Key, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -sign : sign;
}

/** The numbers below `count` in order: short stretches by the browser's own sort, merged step by step. */
function* sorted(
  count: number,
  before: (a: number, b: number) => number,
): Generator<undefined, readonly number[]> {
  let runs: number[][] = [];
  for (let from = 0; from < count; from += STEP) {
    const run = Array.from({ length: Math.min(STEP, count - from) }, (_, index) => from + index);
    runs.push(run.sort(before));
    yield;
  }
  while (runs.length > 1) {
    const next: number[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      next.push(yield* merged(runs[index] ?? [], runs[index + 1] ?? [], before));
    }
    runs = next;
  }
  return runs[0] ?? [];
}

function* merged(
  left: readonly number[],
  right: readonly number[],
  before: (a: number, b: number) => number,
): Generator<undefined, number[]> {
  const all: number[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const a = left[i];
    const b = right[j];
    if (b === undefined || (a !== undefined && before(a, b) <= 0)) {
      if (a !== undefined) all.push(a);
      i += 1;
    } else {
      all.push(b);
      j += 1;
    }
    if (all.length % (4 * STEP) === 0) yield;
  }
  return all;
}
