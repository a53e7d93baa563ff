import { expect, test } from 'vitest';
import type { ClusterDetails, Host, NodeRow } from '../../api/types';
import { spoken } from '../../i18n/language.svelte';
import { whyUnseen } from './tabs/unseen';
import {
  backedUpText,
  guestHref,
  haText,
  isOf,
  managerText,
  nodeHref,
  nodeLines,
  replicationLevel,
  replicationText,
  resourceLevel,
  zoneLevel,
  zoneStates,
} from './words';

const CLUSTER = { cluster: 'prod', name: 'prod at home' };

test('a guest is found by any of the names Proxmox has for it, and nothing else is taken for one', () => {
  expect(['vm:100', 'ct:101', '102'].map((subject) => guestHref('c1', subject))).toEqual([
    '/guests/c1%3A100',
    '/guests/c1%3A101',
    '/guests/c1%3A102',
  ]);
  expect(['', 'pve1', 'vm:0', '100/../x', null].map((subject) => guestHref('c1', subject))).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('what belongs to a cluster is told by the connection in its id', () => {
  expect([{ id: 'c1:100' }, { id: 'c10:100' }].filter(isOf('c1'))).toEqual([{ id: 'c1:100' }]);
});

test('a node is a host of this cluster, not of another in which a node has the same name', () => {
  const hosts = [
    { id: 'a', name: 'pve1', cluster: 'other' },
    { id: 'b', name: 'pve1', cluster: 'prod' },
  ] as Host[];
  expect(nodeHref('pve1', hosts, CLUSTER)).toBe('/hosts/b');
  expect([nodeHref('pve2', hosts, CLUSTER), nodeHref(null, hosts, CLUSTER)]).toEqual([null, null]);
  const nodes = [{ name: 'pve1' }, { name: 'pve2' }] as ClusterDetails['nodes'];
  const rows = [
    { id: 'a', name: 'pve1', hostname: 'pve1', cluster: 'other' },
    { id: 'b', name: 'renamed', hostname: 'pve1', cluster: 'prod' },
  ] as NodeRow[];
  expect(nodeLines(nodes, rows, CLUSTER).map(({ row }) => row?.id)).toEqual(['b', undefined]);
});

test('a guest that is not what it should be stands out', () => {
  const resource = { state: 'started', wanted: 'started' } as NonNullable<
    ClusterDetails['ha']
  >['resources'][number];
  const level = (state: string | null, wanted: string | null) =>
    resourceLevel({ ...resource, state, wanted });
  expect([level('started', 'started'), level('stopped', 'ignored'), level(null, 'started')]).toEqual([
    null,
    null,
    null,
  ]);
  expect([level('stopped', 'started'), level('error', 'started')]).toEqual(['warn', 'bad']);
});

test('a replication says how often it failed, and one that is off is no bad news', () => {
  const job = { disabled: false, fail_count: 0, error: null } as NonNullable<
    ClusterDetails['replication']
  >[number];
  const both = (of: Partial<typeof job>) => [
    replicationText({ ...job, ...of }),
    replicationLevel({ ...job, ...of }),
  ];
  expect(both({})).toEqual(['in order', null]);
  expect(both({ fail_count: 1 })).toEqual(['failed last time', 'bad']);
  expect(both({ fail_count: 2 })).toEqual(['failed 2 times in a row', 'bad']);
  expect(both({ error: 'no room' })).toEqual(['failed', 'bad']);
  expect(both({ disabled: true, fail_count: 2 })).toEqual(['switched off', null]);
});

test('a zone is in trouble where one node says so', () => {
  expect(zoneStates({ pve1: 'ok', pve2: 'error' })).toBe('pve1: ok, pve2: error');
  expect([zoneLevel({ pve1: 'ok' }), zoneLevel({ pve1: 'ok', pve2: 'error' })]).toEqual([null, 'bad']);
});

test('what the server says in a few words of its own is said in the language of the person', async () => {
  await spoken.choose('de');
  expect(['active, led by pve3', 'no quorum', 'something new', null].map(haText)).toEqual([
    'aktiv, geführt von pve3',
    'kein Quorum',
    'something new',
    null,
  ]);
  expect(['all', 'pool web', '100,101', null].map(backedUpText)).toEqual([
    'alle',
    'Pool web',
    '100,101',
    null,
  ]);
  expect(managerText('pve1 (active, Thu Nov 26 03:00:00 2026)')).toBe(
    'pve1 (aktiv, Thu Nov 26 03:00:00 2026)',
  );
  await spoken.choose('en');
});

test('why something was not seen is said once, in the words of the server', () => {
  const unseen = [
    { what: 'backup jobs', why: 'permission denied' },
    { what: 'backup coverage', why: 'permission denied' },
    { what: 'ceph', why: 'it does not answer' },
  ];
  expect(whyUnseen(unseen, /backup/)).toBe('permission denied');
  expect(whyUnseen(unseen, /sdn/)).toBeNull();
});
