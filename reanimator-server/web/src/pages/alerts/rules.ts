/** A rule as a form holds it, and back. */
import type {
  AlertCondition,
  AlertRule,
  AlertRuleChange,
  AttentionKind,
  AttentionLevel,
} from '../../api/types';

export const KINDS = ['threshold', 'offline', 'filling', 'attention', 'certificate'] as const;
export type ConditionKind = (typeof KINDS)[number];

/** Figures that are offered; the history has more, and each may be named by the command line. */
export const METRICS = [
  'cpu_percent',
  'memory_percent',
  'swap_percent',
  'disk_percent',
  'load1',
  'load5',
  'load15',
  'temperature_highest',
  'cpu_iowait',
  'disk_busy',
  'network_errors',
  'pressure_cpu',
  'pressure_memory',
  'pressure_io',
] as const;

export interface RuleDraft {
  name: string;
  enabled: boolean;
  level: AttentionLevel;
  hosts: string;
  guests: string;
  storages: string;
  clusters: string;
  comment: string;
  kind: ConditionKind;
  metric: string;
  direction: 'above' | 'below';
  enter: string;
  leave: string;
  seconds: string;
  hours: string;
  from: string;
  days: string;
  least: AttentionLevel;
  troubles: AttentionKind[];
}

export const newRule = (): RuleDraft => ({
  name: '',
  enabled: true,
  level: 'warning',
  hosts: 'all',
  guests: '',
  storages: '',
  clusters: '',
  comment: '',
  kind: 'threshold',
  metric: 'cpu_percent',
  direction: 'above',
  enter: '95',
  leave: '80',
  seconds: '600',
  hours: '72',
  from: '30',
  days: '14',
  least: 'warning',
  troubles: [],
});

export function draftOf(rule: AlertRule): RuleDraft {
  const draft: RuleDraft = {
    ...newRule(),
    name: rule.name,
    enabled: rule.enabled ?? true,
    level: rule.level ?? 'warning',
    hosts: rule.hosts ?? '',
    guests: rule.guests ?? '',
    storages: rule.storages ?? '',
    clusters: rule.clusters ?? '',
    comment: rule.comment ?? '',
    kind: rule.condition.kind,
  };
  const { condition } = rule;
  switch (condition.kind) {
    case 'threshold':
      draft.metric = condition.metric;
      draft.direction = condition.direction ?? 'above';
      draft.enter = String(condition.enter);
      draft.leave = String(condition.leave);
      draft.seconds = String(condition.for_seconds ?? 0);
      break;
    case 'offline':
      draft.seconds = String(condition.for_seconds ?? 120);
      break;
    case 'filling':
      draft.hours = String(condition.within_hours ?? 72);
      draft.from = String(condition.from_percent ?? 30);
      break;
    case 'attention':
      draft.troubles = [...condition.kinds];
      draft.least = condition.least ?? 'warning';
      draft.seconds = String(condition.for_seconds ?? 0);
      break;
    case 'certificate':
      draft.days = String(condition.within_days ?? 14);
  }
  return draft;
}

/** A number as people write it; what is none is for the server to refuse, with its reason. */
const number = (text: string): number => Number(text.trim().replace(',', '.') || Number.NaN);

export function conditionOf(draft: RuleDraft): AlertCondition {
  const for_seconds = Math.round(number(draft.seconds));
  switch (draft.kind) {
    case 'threshold': {
      const { metric, direction } = draft;
      return {
        kind: 'threshold',
        metric,
        direction,
        enter: number(draft.enter),
        leave: number(draft.leave),
        for_seconds,
      };
    }
    case 'offline':
      return { kind: 'offline', for_seconds };
    case 'filling':
      return {
        kind: 'filling',
        within_hours: Math.round(number(draft.hours)),
        from_percent: number(draft.from),
      };
    case 'attention':
      return { kind: 'attention', kinds: draft.troubles, least: draft.least, for_seconds };
    case 'certificate':
      return { kind: 'certificate', within_days: Math.round(number(draft.days)) };
  }
}

const selectors = ['hosts', 'guests', 'storages', 'clusters'] as const;

export function ruleOf(draft: RuleDraft): AlertRule {
  const { name, enabled, level, comment } = draft;
  const chosen = selectors.filter((each) => draft[each].trim()).map((each) => [each, draft[each].trim()]);
  return {
    name: name.trim(),
    enabled,
    level,
    comment,
    condition: conditionOf(draft),
    ...Object.fromEntries(chosen),
  };
}

/** All of it: what was emptied is taken away. */
export function changeOf(draft: RuleDraft): AlertRuleChange {
  const { enabled, level, comment, hosts, guests, storages, clusters } = draft;
  return { enabled, level, comment, hosts, guests, storages, clusters, condition: conditionOf(draft) };
}
