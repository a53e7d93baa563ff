import { expect, test } from 'vitest';
import { endLevel, healthLevel, heatLevel, shareLevel, wordLevel } from './levels';
import { entityHref, entityName } from './entity';
import { isLong, tellingColumns } from './table';

test('what is unknown is no bad news', () => {
  expect([healthLevel({ health: 'unknown' }), wordLevel(null), wordLevel('UNKNOWN')]).toEqual([
    null,
    null,
    null,
  ]);
  expect([healthLevel({ health: 'degraded' }), wordLevel('DEGRADED')]).toEqual(['bad', 'bad']);
  expect([healthLevel({ health: 'good' }), wordLevel('PASSED')]).toEqual(['ok', 'ok']);
  expect([shareLevel(null), shareLevel(79), shareLevel(80), shareLevel(95)]).toEqual([
    null,
    null,
    'warn',
    'bad',
  ]);
});

test('a certificate is bad when it has ended and a warning three weeks before', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const level = (at: string | null) => endLevel(at, now);
  expect(['2025-12-31T00:00:00Z', '2026-01-15T00:00:00Z', '2026-06-01T00:00:00Z'].map(level)).toEqual([
    'bad',
    'warn',
    null,
  ]);
  expect([level(null), level('soon')]).toEqual([null, null]);
});

test('a sensor is too warm by its own limits alone', () => {
  expect([heatLevel(99, null, null), heatLevel(80, 80, 100), heatLevel(100, 80, 100)]).toEqual([
    null,
    'warn',
    'bad',
  ]);
});

test('a column that says nothing is left out, the first never', () => {
  const columns = [
    { title: 'Name', text: () => '' },
    { title: 'Size', text: (row: number) => (row > 1 ? String(row) : null) },
    { title: 'None', text: () => null },
  ];
  expect(tellingColumns(columns, [1, 2]).map(({ title }) => title)).toEqual(['Name', 'Size']);
});

test('what something is about leads to its page, and is called by its name', () => {
  expect(entityHref('host:a/b')).toBe('/hosts/a%2Fb');
  expect(entityHref('guest:c1:100')).toBe('/guests/c1%3A100');
  expect(entityHref('storage:c1:local')).toBe('/storage/c1%3Alocal');
  expect(entityHref('cluster:c1')).toBe('/clusters/c1');
  expect(entityHref('nonsense')).toBeNull();
  const names = new Map([['host:h1', 'web1']]);
  expect(entityName('host:h1', names)).toBe('web1');
  expect(entityName('guest:c1:100', names)).toBe('guest 100');
  expect(entityName('host:gone', names)).toBe('host gone');
});

test('a word too long for a column may be broken, words that fit are not', () => {
  expect(isLong('DEGRADED, 3 of 4 members')).toBe(false);
  expect(isLong(`a ${'f'.repeat(40)}`)).toBe(true);
});
