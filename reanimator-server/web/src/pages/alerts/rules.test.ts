import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../api/types';
import { changeOf, conditionOf, draftOf, newRule, ruleOf } from './rules';

const RULES: AlertRule[] = [
  {
    name: 'busy',
    hosts: 'all',
    condition: {
      kind: 'threshold',
      metric: 'cpu_percent',
      enter: 95.5,
      leave: 80,
      for_seconds: 60,
      direction: 'above',
    },
  },
  { name: 'away', clusters: 'all', condition: { kind: 'offline', for_seconds: 90 } },
  { name: 'full', storages: '/var', condition: { kind: 'filling', within_hours: 24, from_percent: 50 } },
  {
    name: 'ill',
    hosts: 'web*',
    guests: '101',
    condition: { kind: 'attention', kinds: ['pool'], least: 'critical', for_seconds: 0 },
  },
  { name: 'ends', hosts: 'all', condition: { kind: 'certificate', within_days: 7 } },
];

describe('the form of a rule', () => {
  it('gives back what it was given', () => {
    for (const rule of RULES) {
      const again = ruleOf(draftOf(rule));
      expect(again.condition).toEqual(rule.condition);
      expect({ hosts: again.hosts, guests: again.guests, storages: again.storages }).toEqual({
        hosts: rule.hosts,
        guests: rule.guests,
        storages: rule.storages,
      });
    }
  });

  it('takes away what was emptied', () => {
    const draft = { ...draftOf(RULES[0] as AlertRule), hosts: '', guests: 'all' };
    expect(changeOf(draft)).toMatchObject({ hosts: '', guests: 'all' });
    expect(ruleOf(draft)).not.toHaveProperty('hosts');
  });

  it('reads a decimal comma, and leaves what is no number to the server', () => {
    expect(conditionOf({ ...newRule(), enter: '0,5', leave: '' })).toMatchObject({ enter: 0.5, leave: NaN });
  });
});
