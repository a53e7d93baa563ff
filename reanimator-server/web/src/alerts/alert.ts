/** What alerts and rules say, in the person's language; what is not known here is said in the server's own words. */
import type { Alert, AlertCondition } from '../api/types';
import { entityHref, splitEntity } from '../facts/entity';
import { format, t } from '../i18n';
import { sentenceOf } from '../pages/overview/sentences';

type Words = Readonly<Partial<Record<string, string>>>;

/** The alert in a sentence. */
export function alertText(alert: Pick<Alert, 'kind' | 'text' | 'values'>): string {
  const { kind, text } = alert;
  const values: Words = alert.values;
  const says = t.alerts.says;
  switch (kind) {
    case 'offline':
      return says.offline();
    case 'threshold': {
      const { metric, value, enter, direction } = values;
      if (!metric || !value || !enter) return text;
      const figure = (number: string) => figureText(metric, Number(number));
      const say = direction === 'below' ? says.below : says.above;
      return say(figureName(metric), figure(value), figure(enter));
    }
    case 'filling': {
      const hours = Number(values.hours);
      if (!Number.isFinite(hours)) return text;
      return says.filling(spanText(hours * 3600), format.percent(Number(values.percent)));
    }
    default:
      return sentenceOf(values.kind ?? '')?.say(values) ?? text;
  }
}

/** When a rule is met. */
export function conditionText(condition: AlertCondition): string {
  const when = t.alerts.when;
  const lasting = (what: string, seconds: number | undefined) =>
    seconds ? when.lasting(what, spanText(seconds)) : what;
  switch (condition.kind) {
    case 'threshold': {
      const { metric, direction, enter, leave, for_seconds } = condition;
      const say = direction === 'below' ? when.below : when.above;
      const figure = (value: number) => figureText(metric, value);
      return lasting(say(figureName(metric), figure(enter), figure(leave)), for_seconds);
    }
    case 'offline':
      return lasting(when.offline, condition.for_seconds ?? 120);
    case 'filling': {
      const { within_hours = 72, from_percent = 30 } = condition;
      return when.filling(spanText(within_hours * 3600), format.percent(from_percent));
    }
    case 'attention':
      return lasting(condition.kinds.map(kindName).join(', '), condition.for_seconds);
    case 'certificate':
      return when.certificate(condition.within_days ?? 14);
  }
}

/** What a figure of the history is called. */
export function figureName(metric: string): string {
  return (t.alerts.figures as Words)[metric] ?? metric;
}

/** What a kind of trouble is called. */
export function kindName(kind: string): string {
  return (t.alerts.kinds as Words)[kind] ?? kind;
}

const isShare = (metric: string) =>
  metric.endsWith('_percent') ||
  metric.startsWith('pressure_') ||
  ['cpu_iowait', 'cpu_steal', 'disk_busy'].includes(metric);

/** A figure with its unit, as far as its name tells. */
export function figureText(metric: string, value: number): string {
  if (isShare(metric)) return format.percent(value);
  if (metric.startsWith('temperature')) return format.celsius(value);
  if (/(_used|_total|^used|^total)$/.test(metric)) return format.bytes(value);
  return format.count(value);
}

/** A span in its largest unit that leaves no half. */
export function spanText(seconds: number): string {
  const span = t.alerts.span;
  if (seconds < 90) return span.seconds(Math.round(seconds));
  if (seconds < 90 * 60) return span.minutes(Math.round(seconds / 60));
  if (seconds < 48 * 3600) return span.hours(Math.round(seconds / 3600));
  return span.days(Math.round(seconds / 86_400));
}

/** A storage is called by where it is, too: `local on pve2`. */
export function alertName({ entity, name }: Pick<Alert, 'entity' | 'name'>): string {
  const [, storage, node] = (splitEntity(entity).kind === 'storage' && /^(\S+) on (.+)$/.exec(name)) || [];
  return storage && node ? t.overview.storageOn(storage, node) : name;
}

/** Where what it is about is looked at. */
export const alertHref = ({ entity }: Pick<Alert, 'entity'>): string | null => entityHref(entity);

/** Where its chart is, where there is one: a local file system's room is told with its host. */
export function chartHref({ entity, kind }: Pick<Alert, 'entity' | 'kind'>): string | null {
  const { kind: of } = splitEntity(entity);
  const href = entityHref(entity);
  if (!href || (kind !== 'threshold' && kind !== 'filling')) return null;
  return of === 'host' || of === 'guest' ? `${href}/history` : href;
}

/** Alerts in which every word is found: in the name, the rule, what is said, who knows. */
export function matching(alerts: readonly Alert[], words: string, level: string): Alert[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return alerts.filter((alert) => {
    if (level && alert.level !== level) return false;
    const said = [alertName(alert), alert.rule, alertText(alert), alert.acknowledged_by ?? '', alert.comment];
    const all = said.join(' ').toLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}

/** Each alert once: pages that were asked for at different times may overlap. */
export function withoutTwins(alerts: readonly Alert[]): Alert[] {
  const first = new Map(alerts.toReversed().map((alert) => [alert.id, alert]));
  return alerts.filter((alert) => first.get(alert.id) === alert);
}
