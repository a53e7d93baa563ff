/** What is wanted of an update, as a form holds it. */
import type { Rule } from '../api/types';
import { namesOf } from '../operations/guests';
import type { Safety, UpdateWish } from './types';

/** What a form holds: numbers as text. */
export interface WishDraft {
  hosts: string;
  guests: string;
  securityOnly: boolean;
  exclude: string;
  safety: Safety['by'];
  storage: string;
  order: UpdateWish['order'];
  canary: string;
  canaries: string;
  waveSize: string;
  onFailure: UpdateWish['on_failure'];
  reboot: UpdateWish['reboot'];
  restartWithin: string;
  evacuate: boolean;
  localDisks: boolean;
  backupDays: string;
  healthWithin: string;
  units: boolean;
  listeners: boolean;
  command: string;
  overrides: readonly Rule[];
}

/** As the server does it where nothing is said. */
export const newWish = (hosts = '', guests = ''): WishDraft => ({
  hosts,
  guests,
  securityOnly: false,
  exclude: '',
  safety: 'none',
  storage: '',
  order: 'guests-first',
  canary: '1',
  canaries: '',
  waveSize: '3',
  onFailure: 'stop',
  reboot: 'if-needed',
  restartWithin: '1800',
  evacuate: true,
  localDisks: false,
  backupDays: '',
  healthWithin: '300',
  units: true,
  listeners: true,
  command: '',
  overrides: [],
});

export const draftOf = (wish: UpdateWish): WishDraft => ({
  hosts: wish.hosts ?? '',
  guests: wish.guests ?? '',
  securityOnly: wish.security_only,
  exclude: wish.exclude.join(', '),
  safety: wish.safety.by,
  storage: wish.safety.by === 'backup' ? wish.safety.storage : '',
  order: wish.order,
  canary: String(wish.canary),
  canaries: wish.canaries.join(', '),
  waveSize: String(wish.wave_size),
  onFailure: wish.on_failure,
  reboot: wish.reboot,
  restartWithin: String(wish.restart_within_seconds),
  evacuate: wish.evacuate,
  localDisks: wish.local_disks,
  backupDays: wish.newest_backup_days ? String(wish.newest_backup_days) : '',
  healthWithin: String(wish.health.within_seconds),
  units: wish.health.units,
  listeners: wish.health.listeners,
  command: wish.health.command ?? '',
  overrides: wish.overrides ?? [],
});

/** A whole number between two bounds; null where none is typed. */
function between(text: string, least: number, most: number): number | null {
  const typed = text.trim();
  const value = /^\d{1,9}$/.test(typed) ? Number(typed) : NaN;
  return value >= least && value <= most ? value : null;
}

/** The most machines at once, and the longest wait in seconds, as the server takes them. */
const WIDEST = 50;
const LONGEST = 86_400;
/** Characters of a selector, as the server takes it. */
export const LONGEST_SELECTOR = 4_000;
const MOST_PATTERNS = 100;
/** As packages of all families are called, with the letters that fit any. */
const PATTERN = /^(?!-)[A-Za-z0-9+\-._:@*?]{1,128}$/;

const fields = {
  canary: (draft: WishDraft) => between(draft.canary, 0, WIDEST),
  waveSize: (draft: WishDraft) => between(draft.waveSize, 1, WIDEST),
  restartWithin: (draft: WishDraft) => between(draft.restartWithin, 1, LONGEST),
  healthWithin: (draft: WishDraft) => between(draft.healthWithin, 1, LONGEST),
};

export type Fault = 'machines' | 'selector' | 'exclude' | 'storage' | 'backupDays' | keyof typeof fields;

/** What is wrong with a draft, before it is sent. */
export function wrong(draft: WishDraft): Fault | null {
  if (!draft.hosts.trim() && !draft.guests.trim()) return 'machines';
  if ([draft.hosts, draft.guests].some((text) => text.trim().length > LONGEST_SELECTOR)) return 'selector';
  const patterns = namesOf(draft.exclude);
  if (patterns.length > MOST_PATTERNS || !patterns.every((each) => PATTERN.test(each))) return 'exclude';
  if (draft.safety === 'backup' && !draft.storage) return 'storage';
  if (draft.backupDays.trim() && between(draft.backupDays, 1, 3650) === null) return 'backupDays';
  const names = Object.keys(fields) as (keyof typeof fields)[];
  return names.find((name) => fields[name](draft) === null) ?? null;
}

function safetyOf({ safety, storage }: WishDraft): Safety {
  return safety === 'backup' ? { by: safety, storage } : { by: safety };
}

/** The wish that a form describes. */
export function wishOf(draft: WishDraft): UpdateWish {
  const days = between(draft.backupDays, 1, 3650);
  return {
    ...(draft.hosts.trim() ? { hosts: draft.hosts.trim() } : {}),
    ...(draft.guests.trim() ? { guests: draft.guests.trim() } : {}),
    security_only: draft.securityOnly,
    exclude: namesOf(draft.exclude),
    safety: safetyOf(draft),
    order: draft.order,
    canary: fields.canary(draft) ?? 1,
    canaries: namesOf(draft.canaries),
    wave_size: fields.waveSize(draft) ?? 3,
    on_failure: draft.onFailure,
    reboot: draft.reboot,
    restart_within_seconds: fields.restartWithin(draft) ?? 1800,
    evacuate: draft.evacuate,
    local_disks: draft.evacuate && draft.localDisks,
    ...(days ? { newest_backup_days: days } : {}),
    health: {
      within_seconds: fields.healthWithin(draft) ?? 300,
      units: draft.units,
      listeners: draft.listeners,
      ...(draft.command.trim() ? { command: draft.command.trim() } : {}),
    },
    ...(draft.overrides.length > 0 ? { overrides: [...draft.overrides] } : {}),
  };
}
