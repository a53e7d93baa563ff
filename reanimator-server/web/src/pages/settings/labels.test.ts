import { expect, test } from 'vitest';
import { exampleHost } from '../../live/example';
import { changesTo, choices, hostsWith, isLabel, noChange } from './labels';

const hosts = [
  exampleHost({ id: 'a', name: 'web10', groups: ['web'], tags: [] }),
  exampleHost({ id: 'b', name: 'web9', groups: [], tags: ['pi'] }),
  exampleHost({ id: 'c', name: 'db', address: '10.9.0.1', groups: ['web', 'db'], tags: [] }),
];

test('a label has its hosts', () => {
  expect(hostsWith(hosts, 'groups', 'web')).toEqual(['a', 'c']);
  expect(hostsWith(hosts, 'tags', 'pi')).toEqual(['b']);
});

test('only what differs is changed', () => {
  expect(changesTo(['a', 'c'], new Set(['a', 'b']), 'groups', 'web')).toEqual([
    { ...noChange, hosts: ['b'], add_groups: ['web'] },
    { ...noChange, hosts: ['c'], remove_groups: ['web'] },
  ]);
  expect(changesTo(['a'], new Set(['a']), 'tags', 'pi')).toEqual([]);
});

test('hosts to choose from are found by name and address, those that have it first', () => {
  const names = (filter: string) => choices(hosts, ['c'], filter).map(({ name }) => name);
  expect(names('')).toEqual(['db', 'web9', 'web10']);
  expect(names(' WEB ')).toEqual(['web9', 'web10']);
  expect(names('10.9')).toEqual(['db']);
});

test.each([
  ['web', true],
  ['', false],
  ['two words', false],
  ['a,b', false],
  ['größe', true],
  ['fe80::1', true],
  ['!a', false],
  ['all', false],
  ['a*', false],
  ['x'.repeat(254), false],
])('%j is a label: %s', (text, is) => {
  expect(isLabel(text)).toBe(is);
});
