/** How long terminals stay: what each number may be, and what is wrong with a wish before it is sent. */
import type { TerminalSettings } from '../../api/types';

export type LimitId = 'unseen_minutes' | 'idle_hours';

export interface Limit {
  id: LimitId;
  /** The unit that its number counts. */
  unit: 'minutes' | 'hours';
  most: number;
}

export const LIMITS: readonly Limit[] = [
  { id: 'unseen_minutes', unit: 'minutes', most: 1440 },
  { id: 'idle_hours', unit: 'hours', most: 168 },
];

/** What stands in the form. */
export type Wish = Record<LimitId, string> & { record: boolean };

export function wishOf({ record, unseen_minutes, idle_hours }: TerminalSettings): Wish {
  return { record, unseen_minutes: String(unseen_minutes), idle_hours: String(idle_hours) };
}

const numberOf = (text: string): number => (/^\s*\d{1,6}\s*$/.test(text) ? Number(text) : NaN);

/** The first number that cannot be; null when all can. */
export function wrongIn(wish: Wish): Limit | null {
  return LIMITS.find(({ id, most }) => !(numberOf(wish[id]) >= 1 && numberOf(wish[id]) <= most)) ?? null;
}

/** What differs from what is kept now, as the server wants it. */
export function changeOf(now: TerminalSettings, wish: Wish): Partial<TerminalSettings> {
  const changed = LIMITS.filter(({ id }) => numberOf(wish[id]) !== now[id]);
  return {
    ...(wish.record === now.record ? {} : { record: wish.record }),
    ...Object.fromEntries(changed.map(({ id }) => [id, numberOf(wish[id])])),
  };
}
