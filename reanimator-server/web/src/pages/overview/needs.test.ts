import { afterEach, expect, test } from 'vitest';
import type { Attention, AttentionKind, AttentionLevel } from '../../api/types';
import { t } from '../../i18n';
import { spoken } from '../../i18n/language.svelte';
import { exampleHost } from '../../live/example';
import { groupNeeds, needsOf } from './needs';
import { sinceText } from './sentences';

function said(
  level: AttentionLevel,
  name: string,
  kind: string,
  values: Record<string, string> = {},
  entity = `host:${name}`,
): Attention {
  const what = `${kind} in the server’s words`;
  return { level, name, kind: kind as AttentionKind, what, entity, since: null, values };
}

afterEach(() => spoken.choose('en'));

test('the worst comes first: by level, then by what it is, then by name', () => {
  const needs = needsOf(
    [
      said('notice', 'web2', 'updates', { count: '2' }),
      said('warning', 'web1', 'failed-units', { count: '3', units: 'a, b, c' }),
      said('critical', 'web10', 'offline'),
      said('critical', 'web9', 'offline'),
      said('critical', 'pve1', 'disk-health', { disk: 'sdb', trouble: 'failed' }),
      said('critical', 'prod', 'no-quorum', {}, 'cluster:c1'),
      said('critical', 'odd', 'something-new'),
    ],
    [],
  );
  expect(needs.map(({ name }) => name)).toEqual(['odd', 'prod', 'web9', 'web10', 'pve1', 'web1', 'web2']);
});

test('each says where to look and what to do, and one that is not known is said in the words of the server', () => {
  const [pool, other, odd] = needsOf(
    [
      said('critical', 'pve1', 'pool', { pool: 'tank', type: 'zfs', trouble: 'state', state: 'DEGRADED' }),
      said('warning', 'x', 'something-new'),
      said('notice', 'y', 'pool', { pool: 'tank', type: 'zfs', trouble: 'something-new' }),
    ],
    [],
  );
  expect(pool).toMatchObject({ what: 'pool tank is DEGRADED', href: '/hosts/pve1/storage', since: null });
  expect(pool?.todo).toContain('Replace the disk');
  expect(other).toMatchObject({
    what: 'something-new in the server’s words',
    href: '/hosts/x',
    todo: null,
  });
  expect(odd?.what).toBe('pool in the server’s words');
});

test('a host that went away says since when, and what its own trouble says to do', () => {
  const problem = { kind: 'unreachable' as const, message: 'm', next: 'Check that sshd runs' };
  const host = exampleHost({ id: 'web1', state: 'offline', problem });
  const since = '2026-11-21T03:00:00Z';
  const [need] = needsOf([{ ...said('critical', 'web1', 'offline'), since }], [host]);
  expect(need).toMatchObject({ since, todo: 'Check that sshd runs' });
});

test('a host that answers and is not trusted yet is not told as one that does not answer', () => {
  const problem = { kind: 'host-key-unknown' as const, message: 'm', next: 'run `reanimator host trust`' };
  const hosts = Array.from({ length: 6 }, (_, index) => exampleHost({ id: `h${index}`, problem }));
  const needs = needsOf(
    [...hosts.map(({ id }) => said('critical', id, 'offline')), said('critical', 'silent', 'offline')],
    hosts,
  );
  expect(needs[0]).toMatchObject({
    story: 'host-key-unknown',
    todo: t.overview.awayTodo['host-key-unknown'],
  });
  expect(needs[0]?.what).toContain('it answers');
  expect(groupNeeds(needs).map(({ needs }) => needs.length)).toEqual([6, 1]);
});

test('the age is said as it fits: how long it lasts, how long ago it was, or not again', () => {
  expect(sinceText('offline', '3 min')).toBe('for 3 min');
  expect(sinceText('backup-failed', '3 h')).toBe('3 h ago');
  expect(sinceText('replication', '3 h')).toBe('last done 3 h ago');
  expect(sinceText('backup-old', '9 d')).toBeNull();
  expect(sinceText('something-new', '3 h')).toBe('for 3 h');
});

test('many of one kind are told as one, a few and what nobody knows are not', () => {
  const many = Array.from({ length: 8 }, (_, index) =>
    said('notice', `h${index}`, 'updates', { count: '1' }),
  );
  const few = [said('critical', 'a', 'offline'), said('critical', 'b', 'offline')];
  const odd = Array.from({ length: 7 }, (_, index) => said('notice', `o${index}`, 'something-new'));
  const groups = groupNeeds(needsOf([...many, ...few], []));
  expect(groups.map(({ needs }) => needs.length)).toEqual([1, 1, 8]);
  expect(new Set(groups.map(({ key }) => key)).size).toBe(3);
  expect(groupNeeds(needsOf(odd, []))).toHaveLength(7);
});

/** One of every kind, and of every trouble of disks and pools. */
const EVERY: readonly [kind: string, values: Record<string, string>, en: string][] = [
  ['offline', {}, 'it does not answer'],
  ['old-data', {}, 'it has not been seen for a while'],
  ['old-data', { section: 'disks' }, 'what is known of its disks is old'],
  ['no-quorum', {}, 'it has lost quorum'],
  ['disk-health', { disk: 'sda', trouble: 'failed' }, 'SMART of sda failed'],
  ['disk-health', { disk: 'sda', trouble: 'attributes', detail: 'X' }, 'sda is below the limit in X'],
  ['disk-health', { disk: 'sda', trouble: 'warning', detail: 'read-only' }, 'sda warns: read-only'],
  ['disk-health', { disk: 'sda', trouble: 'spare' }, 'sda runs out of spare blocks'],
  ['disk-health', { disk: 'sda', trouble: 'self-test' }, 'the newest self-test of sda failed'],
  ['disk-health', { disk: 'sda', trouble: 'pending', count: '1' }, 'sda has 1 sector that cannot be read'],
  ['disk-health', { disk: 'sda', trouble: 'uncorrectable', count: '2' }, 'sda has 2 uncorrectable errors'],
  ['disk-health', { disk: 'sda', trouble: 'reallocated', count: '8' }, 'sda has 8 reallocated sectors'],
  ['disk-health', { disk: 'sda', trouble: 'media', count: '1' }, 'sda has 1 media error'],
  [
    'disk-health',
    { disk: 'sda', trouble: 'worn', percent: '97' },
    'sda is worn: 97% of its promised life is used',
  ],
  ['pool', { pool: 'tank', type: 'zfs', trouble: 'state', state: 'DEGRADED' }, 'pool tank is DEGRADED'],
  ['pool', { pool: 'tank', type: 'zfs', trouble: 'data' }, 'pool tank has damaged data'],
  [
    'pool',
    { pool: 'tank', type: 'zfs', trouble: 'device', device: 'sdb', state: 'FAULTED' },
    'sdb in pool tank is FAULTED',
  ],
  [
    'pool',
    { pool: 'tank', type: 'zfs', trouble: 'errors', device: 'sdb', count: '3' },
    'sdb in pool tank had 3 errors',
  ],
  [
    'pool',
    { pool: 'tank', type: 'zfs', trouble: 'scan', scan: 'scrub', count: '1' },
    'the last scrub of pool tank left 1 error',
  ],
  [
    'pool',
    { pool: 'md0', type: 'raid', trouble: 'degraded', missing: '1' },
    'RAID md0 is degraded: 1 member is missing',
  ],
  ['pool', { pool: 'md0', type: 'raid', trouble: 'inactive' }, 'RAID md0 is inactive'],
  ['pool', { pool: 'pve/x', type: 'volume', trouble: 'volume', detail: 'partial' }, 'volume pve/x: partial'],
  ['pool-full', { pool: 'tank', type: 'zfs', part: 'data', percent: '91' }, 'pool tank is 91% full'],
  [
    'pool-full',
    { pool: 'pve/data', type: 'thin', part: 'metadata', percent: '95' },
    'the metadata of thin pool pve/data is 95% full',
  ],
  ['disk-full', { percent: '96' }, '96% of it is full'],
  ['storage-unusable', {}, 'it cannot be used'],
  ['high-availability', { resource: 'vm:100' }, 'high availability of vm:100 is in error'],
  ['ceph', { health: 'HEALTH_WARN' }, 'Ceph says HEALTH_WARN'],
  ['ceph', { health: 'HEALTH_ERR', checks: 'OSD_DOWN' }, 'Ceph says HEALTH_ERR: OSD_DOWN'],
  ['replication', { job: '100-0', count: '2' }, 'replication 100-0 fails'],
  ['service', { service: 'pveproxy' }, 'the service pveproxy failed'],
  ['temperature', { celsius: '87' }, 'a sensor reads 87 °C'],
  [
    'temperature',
    { sensor: 'nvme Composite', celsius: '84', limit: '80' },
    'nvme Composite reads 84 °C, its limit is reached',
  ],
  ['failed-units', { count: '1', units: 'a.service' }, '1 unit failed: a.service'],
  ['failed-units', { count: '9', units: 'a.service, b.service' }, '9 units failed: a.service, b.service, …'],
  ['certificate', { certificate: 'x.pem', days: '1' }, 'the certificate x.pem expires in 1 day'],
  ['certificate', { certificate: 'x.pem', days: '0' }, 'the certificate x.pem expires within a day'],
  ['certificate', { certificate: 'x.pem', days: '-3' }, 'the certificate x.pem has expired'],
  ['backup-failed', { guest: '105', error: 'no space' }, 'the backup of 105 failed'],
  ['backup-old', { days: '9' }, 'its newest backup is 9 days old'],
  [
    'backup-old',
    { trouble: 'old', days: '9', backup_job: 'nightly', schedule: 'daily' },
    'its newest backup is 9 days old, and the job nightly runs by the schedule “daily”',
  ],
  [
    'backup-old',
    { trouble: 'old', days: '0', hours: '13', backup_job: 'often', schedule: '*/6:00' },
    'its newest backup is 13 hours old, and the job often runs by the schedule “*/6:00”',
  ],
  [
    'backup-old',
    { trouble: 'none', backup_job: 'odd', allowed_days: '7' },
    'it has no backup yet, and 7 days are allowed for the job odd, whose schedule is not understood',
  ],
  ['backup-missing', { count: '2', guests: 'db1, 101' }, '2 guests are in no backup job: db1, 101'],
  ['clock', { seconds: '300' }, 'its clock is 300 s ahead'],
  ['clock', { seconds: '-90' }, 'its clock is 90 s behind'],
  ['subscription', { status: 'expired' }, 'its subscription has expired'],
  ['notify', { target: 'phone', error: 'no route' }, 'notices do not reach phone: no route'],
  ['updates', { count: '1' }, '1 security update waits'],
  ['restart-wanted', {}, 'it wants to be restarted'],
];

test.each(EVERY)('%s with %o is a sentence in every language', async (kind, values, english) => {
  const one = () => needsOf([said('warning', 'x', kind, values)], [])[0]?.what;
  expect(one()).toBe(english);
  for (const language of ['de', 'it'] as const) {
    await spoken.choose(language);
    expect(one()).not.toMatch(/server’s words|undefined|NaN|\?/);
    if (values.trouble !== 'volume') expect(one()).not.toBe(english);
    expect(t.overview.many[kind as AttentionKind]).toBeTruthy();
  }
});
