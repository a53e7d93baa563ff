/** How old figures are, and from when on they count as old. */

/** Hosts are observed every ten seconds; three misses in a row and a figure is old. */
export const OLD_AFTER_SECONDS = 30;

/** Slow facts are asked for every quarter of an hour; the same three misses. */
export const OLD_FACTS_AFTER_SECONDS = 2700;

/** Seconds between when something was observed and now, both by the server's clock; null when never. */
export function ageSeconds(observedAt: string | null | undefined, serverNow: number): number | null {
  if (!observedAt) return null;
  const at = Date.parse(observedAt);
  return Number.isFinite(at) ? Math.max(0, (serverNow - at) / 1000) : null;
}

/** Whether a figure must not be shown as fresh: never seen, seen long ago, or the line to the server is down. */
export function isOld(age: number | null, lineIsFresh: boolean, after = OLD_AFTER_SECONDS): boolean {
  return !lineIsFresh || age === null || age > after;
}
