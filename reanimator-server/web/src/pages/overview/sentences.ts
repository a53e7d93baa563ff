/**
 * What is said of each kind of trouble that the server tells of: in the person's language, with a place to look. A kind or
 * value that is not here is said in the server's own words.
 */
import type { AttentionKind } from '../../api/types';
import { format, t } from '../../i18n';

export type Values = Readonly<Partial<Record<string, string>>>;

interface Sentence {
  say: (values: Values) => string | null;
  /** The part of its host's, cluster's or guest's page that tells more. */
  part?: string;
  /** Whether `since` says how long it lasts (unless said otherwise), when it was, or when it last went well. */
  age?: 'ago' | 'done' | 'said';
}

const number = (text: string | undefined): number => Number(text ?? Number.NaN);
const text = (value: string | undefined): string => value ?? '?';

/** The first of several names, with a mark where there are more. */
function some(names: string | undefined, count: number): string {
  const all = text(names);
  return all.split(', ').length < count ? `${all}, …` : all;
}

function disk({ disk: name, trouble, detail, count, percent }: Values): string | null {
  const say = t.overview.disks;
  const of = text(name);
  switch (trouble) {
    case 'failed':
      return say.failed(of);
    case 'attributes':
    case 'warning':
      return say[trouble](of, text(detail));
    case 'spare':
      return say.spare(of);
    case 'self-test':
      return say.selfTest(of);
    case 'pending':
    case 'uncorrectable':
    case 'reallocated':
    case 'media':
      return say[trouble](of, number(count));
    case 'worn':
      return say.worn(of, text(percent));
    default:
      return null;
  }
}

function poolName({ pool: name, type }: Values): string {
  const names: Readonly<Partial<Record<string, (name: string) => string>>> = t.overview.poolNames;
  return names[type ?? '']?.(text(name)) ?? text(name);
}

function pool(values: Values): string | null {
  const say = t.overview.pools;
  const of = poolName(values);
  switch (values.trouble) {
    case 'state':
      return say.state(of, text(values.state));
    case 'data':
      return say.data(of);
    case 'device':
      return say.device(of, text(values.device), text(values.state));
    case 'errors':
      return say.errors(of, text(values.device), number(values.count));
    case 'scan':
      return say.scan(of, text(values.scan), number(values.count));
    case 'degraded':
      return say.degraded(of, number(values.missing));
    case 'inactive':
      return say.inactive(of);
    case 'volume':
      return `${of}: ${text(values.detail)}`;
    default:
      return null;
  }
}

function oldData({ section }: Values): string {
  const names: Readonly<Partial<Record<string, string>>> = t.overview.sections;
  return section === undefined
    ? t.overview.needs.unseen()
    : t.overview.needs.oldFacts(names[section] ?? section);
}

function certificate({ certificate: name, days }: Values): string {
  const left = number(days);
  return left < 0 ? t.overview.needs.expired(text(name)) : t.overview.needs.expires(text(name), left);
}

/** How old a backup is, or that there is none, and by what that is judged. */
function backup(values: Values): string {
  const { trouble, days, hours, backup_job: job, schedule, allowed_days } = values;
  const say = t.overview.needs;
  const old = () => (hours ? say.backupOldHours(number(hours)) : say.backupOld(number(days)));
  const what = trouble === 'none' ? say.backupNone() : old();
  if (!job) return what;
  return schedule
    ? say.backupBySchedule(what, job, schedule)
    : say.backupAllowed(what, job, number(allowed_days));
}

function subscription({ status }: Values): string | null {
  const says: Readonly<Partial<Record<string, string>>> = t.overview.subscriptions;
  return says[status ?? ''] ?? null;
}

function clock({ seconds }: Values): string {
  const off = number(seconds);
  const say = off < 0 ? t.overview.needs.clockBehind : t.overview.needs.clockAhead;
  return say(format.count(Math.abs(off)));
}

/** The worst of each level first; what is not here comes before all that are. */
const SENTENCES: Readonly<Record<AttentionKind, Sentence>> = {
  'no-quorum': { say: () => t.overview.needs.noQuorum() },
  offline: { say: () => t.overview.needs.offline() },
  'disk-health': { say: disk, part: 'storage' },
  pool: { say: pool, part: 'storage' },
  'storage-unusable': { say: () => t.overview.needs.storageUnusable() },
  'high-availability': { say: (v) => t.overview.needs.highAvailability(text(v.resource)), part: 'ha' },
  ceph: {
    say: ({ health, checks }) =>
      checks ? t.overview.needs.cephChecks(text(health), checks) : t.overview.needs.ceph(text(health)),
    part: 'ceph',
  },
  replication: {
    say: (v) => t.overview.needs.replication(text(v.job)),
    part: 'replication',
    age: 'done',
  },
  service: { say: (v) => t.overview.needs.service(text(v.service)), part: 'services' },
  temperature: {
    say: ({ sensor, celsius }) =>
      sensor ? t.overview.needs.hot(sensor, text(celsius)) : t.overview.needs.warm(text(celsius)),
    part: 'hardware',
  },
  'pool-full': {
    say: (v) =>
      v.part === 'metadata'
        ? t.overview.needs.metadataFull(poolName(v), text(v.percent))
        : t.overview.needs.poolFull(poolName(v), text(v.percent)),
    part: 'storage',
  },
  'disk-full': { say: (v) => t.overview.needs.diskFull(text(v.percent)) },
  certificate: { say: certificate, part: 'licence', age: 'ago' },
  'old-data': { say: oldData },
  'failed-units': {
    say: ({ count, units }) => t.overview.needs.units(number(count), some(units, number(count))),
    part: 'units',
  },
  'backup-failed': { say: (v) => t.overview.needs.backupFailed(text(v.guest)), part: 'tasks', age: 'ago' },
  'backup-old': { say: backup, part: 'backups', age: 'said' },
  clock: { say: clock },
  'backup-missing': {
    say: ({ count, guests }) => t.overview.needs.backupMissing(number(count), some(guests, number(count))),
    part: 'backups',
  },
  subscription: { say: subscription, part: 'licence' },
  notify: { say: (v) => t.overview.needs.notify(text(v.target), text(v.error)) },
  updates: { say: (v) => t.overview.needs.updates(number(v.count)), part: 'updates' },
  'restart-wanted': { say: () => t.overview.needs.restartWanted(), part: 'updates' },
};

const ORDER: readonly string[] = Object.keys(SENTENCES);

/** The sentence of a kind; a server that is newer than this page may tell of others. */
export function sentenceOf(kind: string): Sentence | null {
  return Object.hasOwn(SENTENCES, kind) ? SENTENCES[kind as AttentionKind] : null;
}

/** How near to the top of its level a kind stands. */
export const weight = (kind: string): number => ORDER.indexOf(kind);

/** Since when, as it is said after the sentence. */
export function sinceText(kind: string, age: string): string | null {
  switch (sentenceOf(kind)?.age) {
    case 'ago':
      return t.common.ago(age);
    case 'done':
      return t.overview.lastDone(age);
    case 'said':
      return null;
    default:
      return t.overview.since(age);
  }
}
