/** Recurring updates and redundant sets, as forms hold them. */
import { DAYS, daysOf, type DaysDraft } from '../pages/settings/windows/windows';
import { t } from '../i18n';
import type { RedundantSet, ScheduleChange, UpdateSchedule } from './types';
import {
  draftOf,
  newWish,
  wishOf,
  wrong as wrongWish,
  type Fault as WishFault,
  type WishDraft,
} from './wish';

export interface ScheduleDraft {
  name: string;
  wish: WishDraft;
  days: DaysDraft;
  at: string;
  zone: string;
  enabled: boolean;
  comment: string;
}

/** Every Sunday at night, by the clock of whoever makes it. */
export const newSchedule = (zone: string): ScheduleDraft => ({
  name: '',
  wish: newWish(),
  days: daysOf(['sun']),
  at: '03:00',
  zone,
  enabled: true,
  comment: '',
});

export const draftOfSchedule = (schedule: UpdateSchedule): ScheduleDraft => ({
  name: schedule.name,
  wish: draftOf(schedule.wish),
  days: daysOf(schedule.days),
  at: schedule.at.slice(0, 5),
  zone: schedule.zone,
  enabled: schedule.enabled,
  comment: schedule.comment,
});

const NAME = /^[\p{L}\p{N}._-]{1,64}$/u;

export type ScheduleFault = 'name' | 'days' | 'at' | WishFault;

/** What is wrong with a draft, before it is sent. */
export function wrongSchedule(draft: ScheduleDraft): ScheduleFault | null {
  if (!NAME.test(draft.name.trim())) return 'name';
  if (!DAYS.some((day) => draft.days[day])) return 'days';
  if (!/^\d\d:\d\d/.test(draft.at)) return 'at';
  return wrongWish(draft.wish);
}

/** What a form changes: all of it but the name. */
export const changeOfSchedule = (draft: ScheduleDraft): ScheduleChange => ({
  wish: wishOf(draft.wish),
  days: DAYS.filter((day) => draft.days[day]),
  at: draft.at,
  zone: draft.zone.trim(),
  enabled: draft.enabled,
  comment: draft.comment.trim(),
});

export const scheduleOf = (draft: ScheduleDraft): UpdateSchedule => ({
  name: draft.name.trim(),
  ...changeOfSchedule(draft),
});

/** Its times in words: `Sat, Sun 02:30, Europe/Berlin`. */
export function timesText({ days, at, zone }: Pick<UpdateSchedule, 'days' | 'at' | 'zone'>): string {
  const words = t.windows;
  const when =
    days.length === DAYS.length
      ? words.daily
      : DAYS.filter((day) => days.includes(day))
          .map((day) => words.dayNames[day])
          .join(', ');
  return `${when} ${at.slice(0, 5)}, ${zone}`;
}

export interface SetDraft {
  name: string;
  hosts: string;
  guests: string;
  comment: string;
}

export const newSet = (): SetDraft => ({ name: '', hosts: '', guests: '', comment: '' });
export const draftOfSet = (set: RedundantSet): SetDraft => ({
  name: set.name,
  hosts: set.hosts ?? '',
  guests: set.guests ?? '',
  comment: set.comment,
});

export function wrongSet(draft: SetDraft): 'name' | 'machines' | null {
  if (!NAME.test(draft.name.trim())) return 'name';
  return draft.hosts.trim() || draft.guests.trim() ? null : 'machines';
}

export const setOf = (draft: SetDraft): RedundantSet => ({
  name: draft.name.trim(),
  ...(draft.hosts.trim() ? { hosts: draft.hosts.trim() } : {}),
  ...(draft.guests.trim() ? { guests: draft.guests.trim() } : {}),
  comment: draft.comment.trim(),
});
