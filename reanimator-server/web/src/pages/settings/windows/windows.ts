/** Maintenance windows as a form holds them. */
import type { Day, MaintenanceWindow, WindowChange } from '../../../api/types';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const satisfies readonly Day[];

/** What a form holds of a window: all of it as text. */
export interface Draft {
  name: string;
  hosts: string;
  guests: string;
  days: DaysDraft;
  from: string;
  to: string;
  zone: string;
  firstDay: string;
  lastDay: string;
  enabled: boolean;
  comment: string;
}

/** Which days of the week are ticked. */
export type DaysDraft = Record<Day, boolean>;

export const daysOf = (days: readonly Day[]): DaysDraft => {
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

/** A window that is yet to be made: every night, by the clock of whoever makes it. */
export const newDraft = (zone: string): Draft => ({
  name: '',
  hosts: '',
  guests: '',
  days: daysOf(DAYS),
  from: '22:00',
  to: '06:00',
  zone,
  firstDay: '',
  lastDay: '',
  enabled: true,
  comment: '',
});

export const draftOf = (window: MaintenanceWindow): Draft => ({
  name: window.name,
  hosts: window.hosts ?? '',
  guests: window.guests ?? '',
  days: daysOf(window.days),
  from: window.from.slice(0, 5),
  to: window.to.slice(0, 5),
  zone: window.zone,
  firstDay: window.first_day ?? '',
  lastDay: window.last_day ?? '',
  enabled: window.enabled,
  comment: window.comment,
});

const chosen = ({ days }: Draft): Day[] => DAYS.filter((day) => days[day]);

/** The window that a form describes, to be made. What is empty is absent. */
export function windowOf(draft: Draft): MaintenanceWindow {
  const optional = {
    ...(draft.hosts.trim() ? { hosts: draft.hosts.trim() } : {}),
    ...(draft.guests.trim() ? { guests: draft.guests.trim() } : {}),
    ...(draft.firstDay ? { first_day: draft.firstDay } : {}),
    ...(draft.lastDay ? { last_day: draft.lastDay } : {}),
  };
  return {
    name: draft.name.trim(),
    ...optional,
    days: chosen(draft),
    from: draft.from,
    to: draft.to,
    zone: draft.zone.trim(),
    enabled: draft.enabled,
    comment: draft.comment.trim(),
  };
}

/** The change that a form describes: an empty text takes away what was there. */
export const changeOf = (draft: Draft): WindowChange => ({
  hosts: draft.hosts.trim(),
  guests: draft.guests.trim(),
  days: chosen(draft),
  from: draft.from,
  to: draft.to,
  zone: draft.zone.trim(),
  first_day: draft.firstDay,
  last_day: draft.lastDay,
  enabled: draft.enabled,
  comment: draft.comment.trim(),
});

/** What is wrong with a draft, before it is sent. */
export function wrong(draft: Draft): 'name' | 'covers' | 'days' | null {
  if (!/^[\p{L}\p{N}._-]{1,64}$/u.test(draft.name.trim())) return 'name';
  if (!draft.hosts.trim() && !draft.guests.trim()) return 'covers';
  return chosen(draft).length === 0 ? 'days' : null;
}
