import { expect, test } from 'vitest';
import type { Attention, AttentionLevel } from '../../api/types';
import { exampleHost } from '../../live/example';
import { groupNeeds, needsOf, type ClusterNews, type Told } from './needs';
import { understand } from './sentences';

const NOW = Date.parse('2026-11-21T04:00:10Z');

function said(level: AttentionLevel, name: string, what: string, entity = `host:${name}`): Attention {
  return { level, name, what, entity };
}
function told(change: Partial<Told>): Told {
  return { attention: [], hosts: [], clusters: [], now: NOW, ...change };
}
const NEWS: ClusterNews = {
  id: 'c1',
  name: 'prod',
  facts: { replication: [], not_backed_up: [], failed_tasks: [] },
};

test('the worst comes first: by level, then by what it is, then by name', () => {
  const needs = needsOf(
    told({
      attention: [
        said('notice', 'web2', '2 security updates wait'),
        said('warning', 'web1', '3 units failed'),
        said('critical', 'web10', 'it does not answer'),
        said('critical', 'web9', 'it does not answer'),
        said('critical', 'pve1', 'SMART of sdb failed'),
        said('critical', 'prod', 'it has lost quorum', 'cluster:c1'),
        said('critical', 'odd', 'something that nobody here has heard of'),
      ],
    }),
  );
  expect(needs.map(({ name }) => name)).toEqual(['odd', 'prod', 'web9', 'web10', 'pve1', 'web1', 'web2']);
});

test('each says where to look and what to do, and one that is not known is shown as it came', () => {
  const [pool, other] = needsOf(
    told({
      attention: [said('critical', 'pve1', 'pool tank is DEGRADED'), said('warning', 'x', 'oh <b>no</b>')],
    }),
  );
  expect(pool).toMatchObject({ what: 'pool tank is DEGRADED', href: '/hosts/pve1/storage', since: null });
  expect(pool?.todo).toContain('Replace the disk');
  expect(other).toMatchObject({ what: 'oh <b>no</b>', href: '/hosts/x', kind: null, todo: null });
});

test('a host that went away says since when, and what its own trouble says to do', () => {
  const problem = { kind: 'host-key-unknown' as const, message: 'm', next: 'Compare the fingerprint' };
  const host = exampleHost({ id: 'web1', state: 'offline', problem });
  const [need] = needsOf(
    told({ attention: [said('critical', 'web1', 'it does not answer')], hosts: [host] }),
  );
  expect(need).toMatchObject({ since: host.observed_at, todo: 'Compare the fingerprint' });
});

test('figures of a host that is online are old after two minutes', () => {
  const fresh = exampleHost({ id: 'a', observed_at: '2026-11-21T04:00:00Z' });
  const old = exampleHost({ id: 'b', observed_at: '2026-11-21T03:57:00Z' });
  const away = exampleHost({ id: 'c', state: 'offline', observed_at: '2026-11-21T03:00:00Z' });
  const never = exampleHost({ id: 'd', observed_at: null });
  const needs = needsOf(told({ hosts: [fresh, old, away, never] }));
  expect(needs.map(({ entity, kind }) => [entity, kind])).toEqual([['host:b', 'old']]);
});

test('backups that failed today and guests without one are told', () => {
  const task = (kind: string, ended_at: string) => ({
    upid: 'u',
    kind,
    node: 'pve1',
    subject: '105',
    user: null,
    error: 'no space',
    started_at: null,
    ended_at,
  });
  const guest = { vmid: '100', name: 'db1', kind: 'qemu' };
  const facts = {
    ...NEWS.facts,
    not_backed_up: [guest, guest],
    failed_tasks: [
      task('vzdump', '2026-11-21T01:00:00Z'),
      task('vzdump', '2026-11-11T01:00:00Z'),
      task('qmstart', '2026-11-21T01:00:00Z'),
    ],
  };
  const needs = needsOf(told({ clusters: [{ ...NEWS, facts }] }));
  expect(needs.map(({ what, href }) => [what, href])).toEqual([
    ['the backup of 105 failed', '/clusters/c1/tasks'],
    ['2 guests are in no backup job', '/clusters/c1/backups'],
  ]);
});

test('many of one kind are told as one, a few are not', () => {
  const many = Array.from({ length: 8 }, (_, index) => said('notice', `h${index}`, '1 security update wait'));
  const few = [said('critical', 'a', 'it does not answer'), said('critical', 'b', 'it does not answer')];
  const groups = groupNeeds(needsOf(told({ attention: [...many, ...few] })));
  expect(groups.map(({ needs }) => needs.length)).toEqual([1, 1, 8]);
  expect(new Set(groups.map(({ key }) => key)).size).toBe(3);
});

test.each([
  ['SMART of /dev/sda failed: the disk expects to die', 'smart', ['/dev/sda']],
  ['pool tank is 91 % full', 'full', ['pool tank', '91']],
  ['the metadata of thin pool pve/data is 95 % full', 'full', ['thin pool pve/data', '95']],
  ['nvme Composite reads 84 °C, its limit is reached', 'hot', ['nvme Composite', '84']],
  ['1 unit failed', 'units', ['1']],
  ['Ceph says HEALTH_WARN', 'ceph', ['HEALTH_WARN']],
  ['1 security update wait', 'security', ['1']],
  ['it does not answer <script>', null, []],
])('%s is understood', (sentence, kind, values) => {
  expect(understand(sentence)).toMatchObject({ kind, values });
});
