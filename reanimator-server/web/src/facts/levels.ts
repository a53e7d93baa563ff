/** What the API's words about health mean for whoever reads them. */
import type { Health } from '../api/types';
import type { Level } from './table';

const HEALTH: Record<Health, Level | null> = {
  unknown: null,
  good: 'ok',
  warning: 'warn',
  degraded: 'bad',
  failed: 'bad',
};

export const healthLevel = ({ health }: { health: Health }): Level | null => HEALTH[health];

/** Words of Proxmox and ZFS for what is well. */
const WELL = new Set(['online', 'passed', 'ok', 'active', 'running', 'avail', 'health_ok']);

/** Bad where the word is there and is none of those that mean well. */
export function wordLevel(word: string | null | undefined): Level | null {
  if (!word || word.toLowerCase() === 'unknown') return null;
  return WELL.has(word.toLowerCase()) ? 'ok' : 'bad';
}

/** How near a share is to its end, as meters colour it. */
export function shareLevel(percent: number | null | undefined): Level | null {
  if (percent === null || percent === undefined) return null;
  return percent >= 92 ? 'bad' : percent >= 80 ? 'warn' : null;
}

const DAY_MS = 86_400_000;

/** How near a time is that something ends at. */
export function endLevel(at: string | null | undefined, now: number): Level | null {
  const end = at ? Date.parse(at) : NaN;
  if (!Number.isFinite(end)) return null;
  return end <= now ? 'bad' : end - now < 21 * DAY_MS ? 'warn' : null;
}

/** A temperature against the limits that the sensor itself names. */
export function heatLevel(celsius: number, high: number | null, critical: number | null): Level | null {
  if (critical !== null && celsius >= critical) return 'bad';
  return high !== null && celsius >= high ? 'warn' : null;
}
