import { describe, expect, it } from 'vitest';
import type { Alert } from '../api/types';
import { alertName, alertText, chartHref, conditionText, matching, spanText, withoutTwins } from './alert';

const alert = (part: Partial<Alert>): Alert => ({
  id: '1',
  rule: 'r',
  revision: 0,
  kind: 'offline',
  level: 'warning',
  entity: 'host:h1',
  name: 'web1',
  item: '',
  text: 'it does not answer',
  values: {},
  state: 'active',
  since: '2026-11-26T12:00:00Z',
  raised_at: '2026-11-26T12:00:00Z',
  at: '2026-11-26T12:00:00Z',
  value: null,
  times: 1,
  acknowledged_by: null,
  acknowledged_at: null,
  comment: '',
  resolved_at: null,
  resolution: null,
  ...part,
});

describe('what an alert says', () => {
  it('is a sentence made of its kind and values', () => {
    const values = { metric: 'memory_percent', value: '96', enter: '95', direction: 'above' };
    expect(alertText(alert({ kind: 'threshold', values }))).toBe('Memory is 96%, the limit is 95%');
    expect(alertText(alert({ kind: 'filling', values: { hours: '60', percent: '80' } }))).toBe(
      'full in 3 days by its trend; 80% now',
    );
    expect(alertText(alert({ kind: 'attention', values: { kind: 'service', service: 'pveproxy' } }))).toBe(
      'the service pveproxy failed',
    );
  });

  it('is said in the words of the server where a kind or value is new', () => {
    expect(alertText(alert({ kind: 'threshold', text: 'x is 1' }))).toBe('x is 1');
    expect(alertText(alert({ kind: 'attention', text: 'new', values: { kind: 'newer' } }))).toBe('new');
  });

  it('names a storage by where it is, and leads to its chart', () => {
    const disk = alert({ entity: 'storage:h1:/var', name: '/var on web1', kind: 'filling' });
    expect(alertName(disk)).toBe('/var on web1');
    expect(chartHref(disk)).toBe('/storage/h1%3A%2Fvar');
    expect(chartHref(alert({ kind: 'threshold' }))).toBe('/hosts/h1/history');
    expect(chartHref(alert({}))).toBeNull();
  });

  it('is found by its words and its level', () => {
    const all = [alert({}), alert({ name: 'db1', level: 'critical', comment: 'on it' })];
    expect(matching(all, 'DB on', '')).toHaveLength(1);
    expect(matching(all, '', 'critical').map(({ name }) => name)).toEqual(['db1']);
    expect(matching(all, 'web1', 'critical')).toEqual([]);
  });
});

describe('pages of alerts', () => {
  it('show each alert once', () => {
    const [one, two] = [alert({}), alert({ id: '2' })];
    expect(withoutTwins([one, two, { ...one, text: 'older' }])).toEqual([one, two]);
  });
});

describe('when a rule is met', () => {
  it('is said with its limits and its time', () => {
    expect(
      conditionText({
        kind: 'threshold',
        metric: 'disk_percent',
        enter: 90,
        leave: 85,
        for_seconds: 300,
        direction: 'above',
      }),
    ).toBe('Disk from 90% on, until 85%, for 5 minutes');
    expect(conditionText({ kind: 'offline' })).toBe('does not answer, for 2 minutes');
    expect(conditionText({ kind: 'attention', kinds: ['pool', 'service'] })).toBe(
      'pool or RAID, Proxmox service',
    );
    expect(conditionText({ kind: 'certificate', within_days: 1 })).toBe('a certificate ends within 1 day');
  });

  it('counts spans in their largest unit', () => {
    expect([60, 120, 3600, 7200, 259_200].map(spanText)).toEqual([
      '60 seconds',
      '2 minutes',
      '60 minutes',
      '2 hours',
      '3 days',
    ]);
  });
});
