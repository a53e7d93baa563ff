import { expect, test } from 'vitest';
import type { Host, NodeRow } from '../../api/types';
import { exampleHost } from '../../live/example';
import { arrangeNow, narrow } from '../../table/arrange';
import { COLUMNS, coresText, linesOf, searchable, updatesText } from './columns';

const host = (name: string, change: Partial<Host> = {}) => exampleHost({ id: name, name, ...change });
const row = (change: Partial<NodeRow>) => change as NodeRow;
const names = (lines: ReturnType<typeof linesOf>) => lines.map((line) => line.host.name);

test('every live host has a line, with its row where there is one', () => {
  const lines = linesOf([host('a'), host('b')], [row({ id: 'b' }), row({ id: 'gone' })]);
  expect(lines.map((line) => [line.host.id, line.row?.id])).toEqual([
    ['a', undefined],
    ['b', 'b'],
  ]);
});

test('a line of which nothing changed is the very same', () => {
  const hosts = [host('a'), host('b')];
  const rows = [row({ id: 'b' })];
  const before = linesOf(hosts, rows);
  const after = linesOf([hosts[0] ?? host('a'), host('b')], rows);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
});

test('by state, trouble comes first', () => {
  const lines = linesOf([host('a'), host('b', { state: 'offline' }), host('c', { state: 'unknown' })], []);
  expect(names([...arrangeNow(lines, COLUMNS, { column: 'state', descending: false }).rows])).toEqual([
    'b',
    'c',
    'a',
  ]);
});

test('the youngest figures come first when sorted by age', () => {
  const lines = linesOf(
    [
      host('old', { observed_at: '2026-01-01T00:00:00Z' }),
      host('new', { observed_at: '2026-01-02T00:00:00Z' }),
    ],
    [],
  );
  expect(names([...arrangeNow(lines, COLUMNS, { column: 'age', descending: false }).rows])).toEqual([
    'new',
    'old',
  ]);
});

test('a host is found by its name, group, tag, system or state', () => {
  const lines = linesOf([host('web1'), host('db', { groups: [], tags: [], os: null, state: 'offline' })], []);
  const all = arrangeNow(lines, COLUMNS, { column: 'name', descending: false }, searchable);
  for (const text of ['WEB prod', 'debian', 'online']) {
    expect(names([...narrow(all, text)])).toEqual(['web1']);
  }
});

test('cores and updates are told in a few words, and what is unknown is a dash', () => {
  expect([
    coresText(row({ cpu_cores: 8, cpu_sockets: 2 })),
    coresText(row({ cpu_cores: 4, cpu_sockets: 1 })),
  ]).toEqual(['2 × 8', '4']);
  expect(coresText(undefined)).toBe('–');
  expect(updatesText(row({ updates_pending: 12, updates_security: 3 }))).toBe('12, 3 security');
  expect(updatesText(row({ updates_pending: 0, updates_security: 0 }))).toBe('0');
  expect(updatesText(row({ updates_pending: null }))).toBe('–');
});
