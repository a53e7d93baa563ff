import { expect, test } from 'vitest';
import type { Host } from '../../api/types';
import { exampleHost } from '../../live/example';
import {
  COLUMNS,
  filterHosts,
  nextOrder,
  parseOrder,
  selectionOf,
  sortHosts,
  toggleShown,
  writeOrder,
  type ColumnId,
} from './table';

const host = (name: string, change: Partial<Host> = {}) => exampleHost({ id: name, name, ...change });
const names = (hosts: readonly Host[]) => hosts.map(({ name }) => name);
const column = (id: ColumnId) => {
  const found = COLUMNS.find((one) => one.id === id);
  if (!found) throw new Error(`no column ${id}`);
  return found;
};

test('names sort as people count', () => {
  const hosts = [host('web10'), host('web2'), host('Web1')];
  expect(names(sortHosts(hosts, { column: 'name', descending: false }))).toEqual(['Web1', 'web2', 'web10']);
});

test('unknown figures are last in both directions', () => {
  const hosts = [
    host('none', { cpu_percent: null }),
    host('low', { cpu_percent: 1 }),
    host('high', { cpu_percent: 90 }),
  ];
  expect(names(sortHosts(hosts, { column: 'cpu', descending: false }))).toEqual(['low', 'high', 'none']);
  expect(names(sortHosts(hosts, { column: 'cpu', descending: true }))).toEqual(['high', 'low', 'none']);
});

test('by state, trouble comes first', () => {
  const hosts = [host('a'), host('b', { state: 'offline' }), host('c', { state: 'unknown' })];
  expect(names(sortHosts(hosts, { column: 'state', descending: false }))).toEqual(['b', 'c', 'a']);
});

test('by age, the freshest comes first', () => {
  const hosts = [
    host('older', { observed_at: '2026-01-01T00:00:00Z' }),
    host('newer', { observed_at: '2026-01-02T00:00:00Z' }),
    host('never', { observed_at: null }),
  ];
  expect(names(sortHosts(hosts, nextOrder(parseOrder(''), column('age'))))).toEqual([
    'newer',
    'older',
    'never',
  ]);
});

test('a heading clicked again turns the order round', () => {
  const first = nextOrder(parseOrder(''), column('cpu'));
  expect(first).toEqual({ column: 'cpu', descending: true });
  expect(nextOrder(first, column('cpu'))).toEqual({ column: 'cpu', descending: false });
});

test('an order survives the address, and nonsense does not', () => {
  expect(parseOrder(writeOrder({ column: 'disk', descending: true }))).toEqual({
    column: 'disk',
    descending: true,
  });
  expect(writeOrder(parseOrder('<script>'))).toBe('');
});

test('every word of the filter has to occur somewhere', () => {
  const hosts = [
    host('web1', { groups: ['front'], os: 'Debian GNU/Linux 12' }),
    host('db1', { tags: ['front'], os: 'Alpine', address: '10.9.9.9', state: 'offline' }),
  ];
  expect(names(filterHosts(hosts, ''))).toEqual(['web1', 'db1']);
  expect(names(filterHosts(hosts, 'FRONT debian'))).toEqual(['web1']);
  expect(names(filterHosts(hosts, '10.9.'))).toEqual(['db1']);
  expect(names(filterHosts(hosts, 'offline'))).toEqual(['db1']);
  expect(names(filterHosts(hosts, 'front nowhere'))).toEqual([]);
});

test('choosing all shown leaves hidden choices alone', () => {
  const shown = [host('a'), host('b')];
  const chosen = new Set(['hidden', 'a']);
  expect(selectionOf(shown, chosen)).toBe('some');
  const all = toggleShown(shown, chosen);
  expect([...all].sort()).toEqual(['a', 'b', 'hidden']);
  expect(selectionOf(shown, all)).toBe('all');
  expect([...toggleShown(shown, all)]).toEqual(['hidden']);
  expect(selectionOf([], all)).toBe('none');
});
