/** Targets of notices as a form holds them. */
import type {
  Day,
  NoticeKind,
  NoticeLevel,
  NotifyKind,
  NotifySecrets,
  NotifyTarget,
  NotifyTargetChange,
  NotifyWay,
} from '../../../api/types';
import { DAYS } from '../windows/windows';

export const KINDS = [
  'email',
  'webhook',
  'ntfy',
  'gotify',
  'apprise',
] as const satisfies readonly NotifyKind[];
export const LEVELS = ['critical', 'warning', 'notice'] as const satisfies readonly NoticeLevel[];
const HIGHEST_GATHERING = 3600;

/** What a form holds of a target: all of it as text. Secrets are empty at first, and then stay as they are. */
export interface Draft {
  name: string;
  kind: NotifyKind;
  server: string;
  port: string;
  tls: 'starttls' | 'tls' | 'none';
  user: string;
  from: string;
  to: string;
  url: string;
  topic: string;
  password: string;
  token: string;
  signingKey: string;
  headers: string;
  urls: string;
  levels: Record<(typeof LEVELS)[number], boolean>;
  kinds: readonly NoticeKind[] | null;
  resolved: boolean;
  done: boolean;
  hosts: string;
  guests: string;
  quiet: boolean;
  quietFrom: string;
  quietTo: string;
  zone: string;
  days: Record<Day, boolean>;
  criticalWaits: boolean;
  gather: string;
  inside: boolean;
  enabled: boolean;
}

const daysOf = (days: readonly Day[] = DAYS): Record<Day, boolean> => {
  const each = (day: Day) => days.includes(day);
  return {
    mon: each('mon'),
    tue: each('tue'),
    wed: each('wed'),
    thu: each('thu'),
    fri: each('fri'),
    sat: each('sat'),
    sun: each('sun'),
  };
};

/** One that is yet to be made. */
export const newDraft = (zone: string): Draft => ({
  name: '',
  kind: 'email',
  server: '',
  port: '',
  tls: 'starttls',
  user: '',
  from: '',
  to: '',
  url: '',
  topic: '',
  password: '',
  token: '',
  signingKey: '',
  headers: '',
  urls: '',
  levels: { critical: true, warning: true, notice: true },
  kinds: null,
  resolved: true,
  done: false,
  hosts: '',
  guests: '',
  quiet: false,
  quietFrom: '22:00',
  quietTo: '07:00',
  zone,
  days: daysOf(),
  criticalWaits: false,
  gather: '30',
  inside: false,
  enabled: true,
});

function fieldsOf(way: NotifyWay): Partial<Draft> {
  switch (way.kind) {
    case 'email':
      return {
        server: way.server,
        port: way.port ? String(way.port) : '',
        tls: way.tls ?? 'starttls',
        user: way.user ?? '',
        from: way.from,
        to: way.to.join('\n'),
      };
    case 'webhook':
      return { url: way.url };
    case 'ntfy':
      return { server: way.server ?? '', topic: way.topic, user: way.user ?? '' };
    case 'gotify':
      return { server: way.server };
    case 'apprise':
      return {};
  }
}

export function draftOf(target: NotifyTarget, zone: string): Draft {
  const { which, quiet } = target;
  const level = (wanted: NoticeLevel) => which?.levels?.includes(wanted) ?? true;
  return {
    ...newDraft(quiet?.zone ?? zone),
    ...fieldsOf(target.way),
    name: target.name,
    kind: target.way.kind,
    levels: { critical: level('critical'), warning: level('warning'), notice: level('notice') },
    kinds: which?.kinds ?? null,
    resolved: which?.resolved ?? true,
    done: which?.done ?? false,
    hosts: which?.hosts ?? '',
    guests: which?.guests ?? '',
    quiet: Boolean(quiet),
    quietFrom: quiet?.from.slice(0, 5) ?? '22:00',
    quietTo: quiet?.to.slice(0, 5) ?? '07:00',
    days: daysOf(quiet?.days ?? DAYS),
    criticalWaits: quiet?.critical_waits ?? false,
    gather: String(target.group_seconds ?? 30),
    inside: target.allow_inside ?? false,
    enabled: target.enabled ?? true,
  };
}

const lines = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter(Boolean);

/** How the target is reached, as a form says it. */
export function wayOf(draft: Draft): NotifyWay {
  const user = draft.user.trim() ? { user: draft.user.trim() } : {};
  switch (draft.kind) {
    case 'email':
      return {
        kind: 'email',
        server: draft.server.trim(),
        ...(draft.port.trim() ? { port: Number(draft.port) } : {}),
        tls: draft.tls,
        ...user,
        from: draft.from.trim(),
        to: lines(draft.to),
      };
    case 'webhook':
      return { kind: 'webhook', url: draft.url.trim() };
    case 'ntfy':
      return {
        kind: 'ntfy',
        ...(draft.server.trim() ? { server: draft.server.trim() } : {}),
        topic: draft.topic.trim(),
        ...user,
      };
    case 'gotify':
      return { kind: 'gotify', server: draft.server.trim() };
    case 'apprise':
      return { kind: 'apprise' };
  }
}

/** The secrets that were typed; those of another way are left out. */
export function secretsOf(draft: Draft): NotifySecrets {
  const given: Record<NotifyKind, NotifySecrets> = {
    email: { password: draft.password },
    webhook: { signing_key: draft.signingKey, headers: draft.headers },
    ntfy: { password: draft.password, token: draft.token },
    gotify: { token: draft.token },
    apprise: { urls: draft.urls },
  };
  return Object.fromEntries(Object.entries(given[draft.kind]).filter(([, secret]) => secret));
}

/** All but the name, as it is sent. */
export function changeOf(draft: Draft): NotifyTargetChange {
  const { hosts, guests, kinds } = draft;
  return {
    way: wayOf(draft),
    which: {
      // What is well again is among them: which of it is told is said beside.
      levels: [...LEVELS.filter((level) => draft.levels[level]), 'ok'],
      ...(kinds ? { kinds: [...kinds] } : {}),
      resolved: draft.resolved,
      done: draft.done,
      ...(hosts.trim() ? { hosts: hosts.trim() } : {}),
      ...(guests.trim() ? { guests: guests.trim() } : {}),
    },
    quiet: draft.quiet
      ? {
          from: draft.quietFrom,
          to: draft.quietTo,
          zone: draft.zone.trim(),
          days: DAYS.filter((day) => draft.days[day]),
          critical_waits: draft.criticalWaits,
        }
      : null,
    group_seconds: Number(draft.gather),
    allow_inside: draft.inside,
    enabled: draft.enabled,
  };
}

export const targetOf = (draft: Draft): NotifyTarget => ({
  name: draft.name.trim(),
  ...(changeOf(draft) as Omit<NotifyTarget, 'name'>),
});

export type Fault = 'name' | 'way' | 'levels' | 'days' | 'gather';

/** What is wrong with a draft, before it is sent. */
export function wrong(draft: Draft): Fault | null {
  if (!/^[\p{L}\p{N}._-]{1,64}$/u.test(draft.name.trim())) return 'name';
  const needed: Record<NotifyKind, string[]> = {
    email: [draft.server, draft.from, draft.to],
    webhook: [draft.url],
    ntfy: [draft.topic],
    gotify: [draft.server],
    apprise: [],
  };
  if (needed[draft.kind].some((field) => !field.trim())) return 'way';
  if (!LEVELS.some((level) => draft.levels[level])) return 'levels';
  if (draft.quiet && !DAYS.some((day) => draft.days[day])) return 'days';
  const seconds = Number(draft.gather);
  const fits = draft.gather.trim() !== '' && Number.isInteger(seconds) && seconds >= 0;
  return fits && seconds <= HIGHEST_GATHERING ? null : 'gather';
}
