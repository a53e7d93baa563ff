import { expect, test } from 'vitest';
import type { Host } from '../../api/types';
import { exampleHost } from '../../live/example';
import { groupRows } from '../../table/group';
import { linesOf } from './columns';
import { GROUPINGS, sumsText } from './groups';

const host = (name: string, change: Partial<Host> = {}) => exampleHost({ id: name, name, ...change });
const LINES = linesOf(
  [
    host('pve1', { kind: 'proxmox', cluster: 'berlin', groups: [], tags: [], cpus: 24, cpu_percent: 50 }),
    host('web1', { groups: ['web', 'edge'], state: 'offline', cpu_percent: null, memory: null }),
  ],
  [],
);
const groups = (id: string) => {
  const by = GROUPINGS.find((each) => each.id === id);
  return by
    ? groupRows(LINES, by).map(({ group, rows }) => [group, ...rows.map((line) => line.host.name)])
    : [];
};

test('hosts are grouped by cluster, group, tag or kind', () => {
  expect(groups('cluster')).toEqual([
    ['berlin', 'pve1'],
    ['', 'web1'],
  ]);
  expect(groups('group')).toEqual([
    ['edge', 'web1'],
    ['web', 'web1'],
    ['', 'pve1'],
  ]);
  expect(groups('tag')).toEqual([
    ['prod', 'web1'],
    ['', 'pve1'],
  ]);
  expect(groups('kind').map(([kind]) => kind)).toEqual(['linux', 'proxmox']);
});

test('a group’s sums leave out what is not known', () => {
  expect(sumsText(LINES)).toBe('1 of 2 online · CPU 50% · Memory 25%');
  expect(sumsText([])).toBe('0 of 0 online · CPU – · Memory –');
});
