/** The logic of every table: columns, order, filter, selection, and which rows are drawn. No document. */

export type Key = string | number | null;

export interface Column<T> {
  id: string;
  title: string;
  /** What to sort by; null sorts last in either direction. */
  key: (row: T) => Key;
  /** What is shown; the page may draw a cell of its own instead. */
  text?: (row: T) => string;
  /** Figures stand at the end of their column, and the largest comes first. */
  numeric?: boolean;
  /** Figures of which the smallest comes first all the same, such as an age. */
  smallFirst?: boolean;
  mono?: boolean;
  /** A bar with its figure, which begins where its heading does. */
  meter?: boolean;
  /** As wide as this, in rem; the first column takes what is left. */
  width: number;
  /** Where there is not enough room, columns with the largest number go first. Defaults to 0, which stays. */
  rank?: number;
  /** Shown only when chosen. */
  extra?: boolean;
}

export interface Order {
  column: string;
  descending: boolean;
}

/** The first column, upwards. */
export function defaultOrder<T>(columns: readonly Column<T>[]): Order {
  return { column: columns[0]?.id ?? '', descending: false };
}

/** Reads an order as it stands in the address: `cpu` or `-cpu`. What makes no sense is the default. */
export function parseOrder<T>(columns: readonly Column<T>[], text: string): Order {
  const column = columns.find(({ id }) => id === text.replace(/^-/, ''));
  return column ? { column: column.id, descending: text.startsWith('-') } : defaultOrder(columns);
}

export function writeOrder<T>(columns: readonly Column<T>[], { column, descending }: Order): string {
  if (column === defaultOrder(columns).column && !descending) return '';
  return descending ? `-${column}` : column;
}

/** The order after a click on a heading: figures start with the largest, words with the first. */
export function nextOrder<T>(order: Order, column: Column<T>): Order {
  if (order.column === column.id) return { column: column.id, descending: !order.descending };
  return { column: column.id, descending: Boolean(column.numeric) && !column.smallFirst };
}

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The rows in order; equal ones by the first column, unknown figures last. */
export function sortRows<T>(rows: readonly T[], columns: readonly Column<T>[], order: Order): T[] {
  const first = columns[0];
  const column = columns.find(({ id }) => id === order.column) ?? first;
  const sign = order.descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: column?.key(row) ?? null, tie: first?.key(row) ?? null }));
  keyed.sort((a, b) => compare(a.key, b.key, sign) || compare(a.tie, b.tie, 1));
  return keyed.map(({ row }) => row);
}

function compare(a: Key, b: Key, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'string' || typeof b === 'string') return sign * byName.compare(String(a), String(b));
  return sign * (a - b);
}

/** The rows in which every word of the text occurs, wherever `searchable` looks. */
export function filterRows<T>(
  rows: readonly T[],
  text: string,
  searchable: (row: T) => readonly (string | null | undefined)[],
): readonly T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const all = searchable(row).filter(Boolean).join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/**
 * The columns that are wanted: those of the choice, or all but the extra ones. The first is always there. An
 * extra one was asked for by hand, so that others make room for it.
 */
export function chosenColumns<T>(
  columns: readonly Column<T>[],
  choice: readonly string[] | null,
): Column<T>[] {
  return columns
    .filter((column, index) => index === 0 || (choice ? choice.includes(column.id) : !column.extra))
    .map((column) => (column.extra ? { ...column, rank: 1 } : column));
}

/** The columns that there is room for, in rem; those of the largest rank go first, later ones before earlier. */
export function fittingColumns<T>(columns: readonly Column<T>[], room: number): Column<T>[] {
  const shown = [...columns];
  const wide = () => shown.reduce((sum, { width }) => sum + width, 0);
  while (shown.length > 1 && wide() > room) {
    let worst = -1;
    shown.forEach((column, index) => {
      const rank = column.rank ?? 0;
      if (index > 0 && rank > 0 && rank >= (shown[worst]?.rank ?? 0)) worst = index;
    });
    if (worst === -1) break;
    shown.splice(worst, 1);
  }
  return shown;
}

/** Which rows are drawn: those that are seen, and some on both sides so that scrolling shows no hole. */
export interface Span {
  from: number;
  to: number;
}

const SPARE_ROWS = 8;

/** `above` is how much of the table lies above the window, in the same measure as `row` and `window`. */
export function drawnRows(count: number, above: number, row: number, window: number): Span {
  if (row <= 0) return { from: 0, to: Math.min(count, 2 * SPARE_ROWS) };
  const first = Math.floor(above / row) - SPARE_ROWS;
  // In steps of four, so that a small move draws nothing anew.
  const from = Math.max(0, Math.min(count, first - (((first % 4) + 4) % 4)));
  return { from, to: Math.min(count, from + Math.ceil(window / row) + 2 * SPARE_ROWS + 4) };
}

/** How the shown rows stand to the selection. */
export function selectionOf(shown: readonly string[], chosen: ReadonlySet<string>): 'none' | 'some' | 'all' {
  const count = shown.filter((id) => chosen.has(id)).length;
  if (count === 0) return 'none';
  return count === shown.length ? 'all' : 'some';
}

/** The selection after the heading's box is clicked: all shown ones, or none of them; hidden ones stay as they are. */
export function toggleShown(shown: readonly string[], chosen: ReadonlySet<string>): Set<string> {
  const next = new Set(chosen);
  const all = selectionOf(shown, chosen) === 'all';
  for (const id of shown) {
    if (all) next.delete(id);
    else next.add(id);
  }
  return next;
}
