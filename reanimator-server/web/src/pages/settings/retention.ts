/** How long things are kept: the tiers, what each may be, and what is wrong with a wish before it is sent. */
import type { Retention } from '../../api/types';

export type TierId = keyof Retention;

export interface Tier {
  id: TierId;
  /** The unit that its number counts. */
  unit: 'hours' | 'days';
  most: number;
}

/** From the finest figures to the coarsest, each kept at least as long as the one before; then what is no figure. */
export const FIGURES: readonly Tier[] = [
  { id: 'samples_hours', unit: 'hours', most: 720 },
  { id: 'minutes_days', unit: 'days', most: 365 },
  { id: 'quarters_days', unit: 'days', most: 1825 },
  { id: 'six_hours_days', unit: 'days', most: 7300 },
];
export const RECORDS: readonly Tier[] = [
  { id: 'events_days', unit: 'days', most: 3650 },
  { id: 'changes_days', unit: 'days', most: 7300 },
];
const TIERS = [...FIGURES, ...RECORDS];

/** The numbers as they stand in the fields. */
export type Wish = Record<TierId, string>;

export function wishOf(retention: Retention): Wish {
  return Object.fromEntries(TIERS.map(({ id }) => [id, String(retention[id])])) as Wish;
}

export type Wrong =
  { id: TierId; kind: 'range'; most: number } | { id: TierId; kind: 'order'; finer: TierId };

const numberOf = (text: string): number => (/^\s*\d{1,6}\s*$/.test(text) ? Number(text) : NaN);
const hoursOf = (tier: Tier, wish: Wish): number => numberOf(wish[tier.id]) * (tier.unit === 'days' ? 24 : 1);

/** The first number that cannot be; null when all can. */
export function wrongIn(wish: Wish): Wrong | null {
  for (const { id, most } of TIERS) {
    const value = numberOf(wish[id]);
    if (!(value >= 1 && value <= most)) return { id, kind: 'range', most };
  }
  for (const [index, tier] of FIGURES.entries()) {
    const finer = FIGURES[index - 1];
    if (finer && hoursOf(finer, wish) > hoursOf(tier, wish)) {
      return { id: tier.id, kind: 'order', finer: finer.id };
    }
  }
  return null;
}

/** What differs from what is kept now, as the server wants it. */
export function changeOf(now: Retention, wish: Wish): Partial<Retention> {
  const changed = TIERS.filter(({ id }) => numberOf(wish[id]) !== now[id]);
  return Object.fromEntries(changed.map(({ id }) => [id, numberOf(wish[id])]));
}

/** Whether something that is there would be deleted. */
export function shortens(now: Retention, change: Partial<Retention>): boolean {
  return TIERS.some(({ id }) => (change[id] ?? now[id]) < now[id]);
}
