import { expect, test } from 'vitest';
import type { VmRow } from '../../api/types';
import { groupRows } from '../../table/group';
import { GROUPINGS, sumsText } from './groups';

const row = (name: string, change: Partial<VmRow> = {}) =>
  ({
    id: name,
    vmid: '100',
    name,
    node: 'pve1',
    cluster: 'berlin',
    kind: 'qemu',
    status: 'running',
    tags: [],
    ...change,
  }) as unknown as VmRow;

const ROWS = [
  row('web', { tags: ['prod', 'eu'] }),
  row('db', { status: 'stopped', kind: 'lxc', cluster: null }),
];
const groups = (id: string) => {
  const by = GROUPINGS.find((each) => each.id === id);
  return by
    ? groupRows(ROWS, by).map(({ group, rows }) => [
        by.name?.(group) ?? group,
        ...rows.map(({ name }) => name),
      ])
    : [];
};

test('guests are grouped by node, cluster, tag, status or kind', () => {
  expect(groups('node')).toEqual([['pve1', 'web', 'db']]);
  expect(groups('cluster')).toEqual([
    ['berlin', 'web'],
    ['', 'db'],
  ]);
  expect(groups('tag')).toEqual([
    ['eu', 'web'],
    ['prod', 'web'],
    ['', 'db'],
  ]);
  expect(groups('status')).toEqual([
    ['stopped', 'db'],
    ['running', 'web'],
  ]);
  expect(groups('kind').map(([kind]) => kind)).toEqual(['container', 'VM']);
});

test('a group says how many of its guests run', () => {
  expect(sumsText(ROWS)).toBe('1 of 2 running');
});
