/** The logic of every table: columns, order, and which rows are drawn. No document. */
import { NONE } from '../format';
import type { Cell } from './cells';

export type Key = string | number | null;

export interface Column<T> {
  id: string;
  title: string;
  /** What to sort by; null sorts last in either direction. */
  key: (row: T) => Key;
  /** What is shown; the page may say of a cell of its own instead. */
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
  /** Cannot be sorted by. */
  fixed?: boolean;
}

export interface Order {
  column: string;
  descending: boolean;
}

/** A column's own text as a cell. */
export function textCell<T>(row: T, column: Column<T>): Cell {
  return { as: 'text', text: column.text?.(row) ?? NONE, mono: column.mono ?? false };
}

/** The first column, upwards. */
export function defaultOrder<T>(columns: readonly Column<T>[]): Order {
  return { column: columns[0]?.id ?? '', descending: false };
}

/** Reads an order as it stands in the address: `cpu` or `-cpu`. What makes no sense is the default. */
export function parseOrder<T>(columns: readonly Column<T>[], text: string): Order {
  const column = columns.find(({ id, fixed }) => !fixed && id === text.replace(/^-/, ''));
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

/** How a choice says of a column that it was ticked by hand: it is shown whether there is room for it or not. */
export const HELD = '+';

/**
 * The columns that are wanted: those of the choice, or all but the extra ones. The first is always there. One that
 * was asked for by hand stays, so that others make room for it; an extra one always was.
 */
export function chosenColumns<T>(
  columns: readonly Column<T>[],
  choice: readonly string[] | null,
): Column<T>[] {
  return columns
    .filter(
      ({ id, extra }, index) =>
        index === 0 || (choice ? choice.includes(id) || choice.includes(HELD + id) : !extra),
    )
    .map((column) => (column.extra || choice?.includes(HELD + column.id) ? { ...column, rank: 0 } : column));
}

/** The choice after a column's box is clicked: one that is shown goes, and one that is not is held from now on. */
export function toggleColumn(choice: readonly string[], id: string, shown: boolean): string[] {
  const others = choice.filter((each) => each !== id && each !== HELD + id);
  return shown ? others : [...others, HELD + id];
}

/** As wide as columns are together, in rem. */
export const wideAs = <T>(columns: readonly Column<T>[]): number =>
  columns.reduce((sum, { width }) => sum + width, 0);

/**
 * The columns that there is room for, in rem; those of the largest rank go first, later ones before earlier. Room
 * that is left in the end goes to those of them that fit into it, the last that went first.
 */
export function fittingColumns<T>(columns: readonly Column<T>[], room: number): Column<T>[] {
  const shown = [...columns];
  const gone: Column<T>[] = [];
  while (shown.length > 1 && wideAs(shown) > room) {
    let worst = -1;
    shown.forEach((column, index) => {
      const rank = column.rank ?? 0;
      if (index > 0 && rank > 0 && rank >= (shown[worst]?.rank ?? 0)) worst = index;
    });
    if (worst === -1) break;
    gone.push(...shown.splice(worst, 1));
  }
  let left = room - wideAs(shown);
  const back = gone.reverse().filter(({ width }) => {
    if (width > left) return false;
    left -= width;
    return true;
  });
  return back.length === 0
    ? shown
    : columns.filter((column) => shown.includes(column) || back.includes(column));
}

/** Which rows are drawn: those that are seen, and some on both sides so that scrolling shows no hole. */
export interface Span {
  from: number;
  to: number;
}

/** On either side, so that a scroll that runs ahead of the drawing shows no hole. */
const SPARE_ROWS = 5;

/** `above` is how much of the table lies above the window, in the same measure as `row` and `window`. */
export function drawnRows(count: number, above: number, row: number, window: number): Span {
  if (row <= 0) return { from: 0, to: Math.min(count, 2 * SPARE_ROWS) };
  // As many wherever one is, so that what is drawn is only filled anew.
  const many = Math.min(count, Math.ceil(window / row) + 2 * SPARE_ROWS);
  const from = Math.max(0, Math.min(count - many, Math.floor(above / row) - SPARE_ROWS));
  return { from, to: from + many };
}
