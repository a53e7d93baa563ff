import { expect, test } from 'vitest';
import {
  chosenColumns,
  drawnRows,
  fittingColumns,
  nextOrder,
  parseOrder,
  toggleColumn,
  writeOrder,
  type Column,
} from './table';

interface Row {
  name: string;
  cpu: number | null;
}

const NAME: Column<Row> = { id: 'name', title: 'Name', key: (row) => row.name, width: 10 };
const CPU: Column<Row> = { id: 'cpu', title: 'CPU', key: (row) => row.cpu, numeric: true, width: 5, rank: 1 };
const AGE: Column<Row> = {
  id: 'age',
  title: 'Seen',
  key: () => 0,
  numeric: true,
  smallFirst: true,
  width: 5,
  rank: 2,
};
const MORE: Column<Row> = { id: 'more', title: 'More', key: () => '', width: 5, rank: 3, extra: true };
const COLUMNS = [NAME, CPU, AGE, MORE];

const ids = (columns: readonly Column<Row>[]) => columns.map(({ id }) => id);

test('an order goes into the address and comes back; nonsense is the default', () => {
  for (const text of ['', '-name', 'cpu', '-cpu']) {
    expect(writeOrder(COLUMNS, parseOrder(COLUMNS, text))).toBe(text);
  }
  expect(parseOrder(COLUMNS, 'drop table')).toEqual({ column: 'name', descending: false });
});

test('figures start with the largest, words and ages with the first, and a second click turns them round', () => {
  const order = { column: 'name', descending: false };
  expect(nextOrder(order, CPU)).toEqual({ column: 'cpu', descending: true });
  expect(nextOrder(order, AGE)).toEqual({ column: 'age', descending: false });
  expect(nextOrder(order, NAME)).toEqual({ column: 'name', descending: true });
});

test('a choice of columns holds, and the first is always there', () => {
  expect(ids(chosenColumns(COLUMNS, null))).toEqual(['name', 'cpu', 'age']);
  expect(ids(chosenColumns(COLUMNS, ['more', 'gone']))).toEqual(['name', 'more']);
  expect(ids(chosenColumns(COLUMNS, []))).toEqual(['name']);
});

test('where there is no room, the least important columns go first', () => {
  expect(ids(fittingColumns(COLUMNS, 25))).toEqual(['name', 'cpu', 'age', 'more']);
  expect(ids(fittingColumns(COLUMNS, 24))).toEqual(['name', 'cpu', 'age']);
  expect(ids(fittingColumns(COLUMNS, 15))).toEqual(['name', 'cpu']);
  expect(ids(fittingColumns(COLUMNS, 1))).toEqual(['name']);
});

test('a column that was asked for by hand stays, and others make room for it', () => {
  const chosen = chosenColumns(COLUMNS, ['cpu', 'age', 'more']);
  expect(ids(fittingColumns(chosen, 20))).toEqual(['name', 'cpu', 'more']);
});

test('room that is left in the end goes to columns that fit into it', () => {
  const wider: Column<Row> = { ...MORE, id: 'wider', width: 9, rank: 4 };
  expect(ids(fittingColumns([NAME, CPU, wider, MORE], 21))).toEqual(['name', 'cpu', 'more']);
  expect(ids(fittingColumns([NAME, { ...CPU, width: 9, rank: 5 }, { ...AGE, rank: 3 }, wider], 21))).toEqual([
    'name',
    'age',
  ]);
});

test('a column that is ticked by hand is shown, with room for it or without', () => {
  const choice = toggleColumn(['cpu', 'age'], 'more', false);
  expect(ids(fittingColumns(chosenColumns(COLUMNS, choice), 1))).toEqual(['name', 'more']);
  const held = toggleColumn(choice, 'cpu', false);
  expect(ids(fittingColumns(chosenColumns(COLUMNS, held), 1))).toEqual(['name', 'cpu', 'more']);
  expect(ids(chosenColumns(COLUMNS, toggleColumn(held, 'cpu', true)))).toEqual(['name', 'age', 'more']);
});

test('however long a table and wherever one is in it, as many rows are drawn as are seen and some more', () => {
  const window = 900;
  const rows = (above: number, count = 20_000) => drawnRows(count, above, 45, window);
  expect(rows(-300)).toEqual({ from: 0, to: 30 });
  for (const above of [0, 4500, 450_000, 899_000]) {
    const { from, to } = rows(above);
    expect(to - from).toBe(30);
    expect(from).toBeLessThanOrEqual(above / 45);
    expect(to).toBeGreaterThanOrEqual(Math.min(20_000, (above + window) / 45));
  }
  expect(rows(0, 3)).toEqual({ from: 0, to: 3 });
  expect(rows(90_000, 3)).toEqual({ from: 0, to: 3 });
  expect(drawnRows(100, 0, 0, window).to).toBeGreaterThan(0);
});
