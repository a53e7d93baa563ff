import { expect, test } from 'vitest';
import { arrange, arrangeNow, narrow } from './arrange';
import type { Column } from './table';

interface Row {
  name: string;
  cpu: number | null;
}

const NAME: Column<Row> = { id: 'name', title: 'Name', key: (row) => row.name, width: 10 };
const CPU: Column<Row> = { id: 'cpu', title: 'CPU', key: (row) => row.cpu, numeric: true, width: 5 };
const COLUMNS = [NAME, CPU];
const row = (name: string, cpu: number | null = 0): Row => ({ name, cpu });
const names = (rows: readonly Row[]) => rows.map(({ name }) => name);
const sorted = (rows: readonly Row[], column: string, descending = false) =>
  names(arrangeNow(rows, COLUMNS, { column, descending }).rows);

test('names sort as people count', () => {
  expect(sorted([row('web10'), row('web2'), row('Web1')], 'name')).toEqual(['Web1', 'web2', 'web10']);
});

test('unknown figures are last in both directions, and equal ones go by name', () => {
  const rows = [row('none', null), row('b', 1), row('high', 90), row('a', 1)];
  expect(sorted(rows, 'cpu')).toEqual(['a', 'b', 'high', 'none']);
  expect(sorted(rows, 'cpu', true)).toEqual(['high', 'a', 'b', 'none']);
});

test('a long table is put in the same order as a short one, a little at a time', () => {
  const rows = Array.from({ length: 5000 }, (_, index) => row(`web${(index * 7919) % 5000}`, index % 7));
  const steps = arrange(rows, COLUMNS, { column: 'cpu', descending: true }, () => [], new WeakMap());
  let pauses = 0;
  let step = steps.next();
  while (!step.done) {
    pauses += 1;
    step = steps.next();
  }
  expect(pauses).toBeGreaterThan(20);
  const number = ({ name }: Row) => Number(name.slice(3));
  const plain = [...rows].sort((a, b) => (b.cpu ?? 0) - (a.cpu ?? 0) || number(a) - number(b));
  expect(names(step.value.rows)).toEqual(names(plain));
});

test('every word of a filter has to occur, and what is found keeps its order', () => {
  const searchable = ({ name }: Row) => [name, null, 'Debian 12'];
  const all = arrangeNow(
    [row('web2'), row('db1'), row('web1')],
    COLUMNS,
    { column: 'name', descending: false },
    searchable,
  );
  expect(names(narrow(all, 'DEBIAN  web'))).toEqual(['web1', 'web2']);
  expect(narrow(all, ' ')).toBe(all.rows);
  expect(narrow(all, 'fedora')).toEqual([]);
});

test('what a filter looks at is read once of a row that stays', () => {
  let reads = 0;
  const searchable = ({ name }: Row) => {
    reads += 1;
    return [name];
  };
  const texts = new WeakMap<Row, string>();
  const rows = [row('a'), row('b')];
  const order = { column: 'name', descending: false };
  for (const list of [rows, [...rows, row('c')]]) {
    const steps = arrange(list, COLUMNS, order, searchable, texts);
    while (!steps.next().done);
  }
  expect(reads).toBe(3);
});
