/**
 * Which span of time is looked at, without a document: how it is zoomed and panned, how fine its points are,
 * and how it stands in the address. Times are seconds since 1970.
 */

const HOUR = 3600;
const DAY = 86_400;

/** From when to when is looked at. */
export interface Span {
  from: number;
  to: number;
}

/** The spans that are chosen with one press. */
export const RANGES = ['1h', '24h', '7d', '30d', '365d'] as const;
export type Range = (typeof RANGES)[number];

const SECONDS: Record<Range, number> = {
  '1h': HOUR,
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '365d': 365 * DAY,
};

/** Nothing shorter is worth a look, and nothing is kept for longer. */
const SHORTEST = 300;
const LONGEST = 2 * 365 * DAY;
/** How far back one may go. */
const OLDEST = 3 * 365 * DAY;

/** How far apart points may be. Coarser ones hold the least and the most of the finer ones, so that no peak is lost. */
export const STEPS = [10, 30, 60, 300, 900, 1800, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY] as const;

/** As many points as a chart shows at most. */
const MOST_POINTS = 400;

/** The finest step that keeps a span within what a chart shows. */
export function stepFor({ from, to }: Span): number {
  return STEPS.find((step) => (to - from) / step <= MOST_POINTS) ?? 7 * DAY;
}

/** The next coarser step; null for the coarsest. */
export function coarser(step: number): number | null {
  return STEPS.find((each) => each > step) ?? null;
}

const between = (least: number, value: number, most: number) => Math.min(most, Math.max(least, value));

/** A span that does not reach into what is to come, nor to before there was anything. */
export function within({ from, to }: Span, now: number): Span {
  const length = between(SHORTEST, to - from, LONGEST);
  const end = between(now - OLDEST + length, to, now);
  return { from: end - length, to: end };
}

/** Later by a share of its own length; earlier where that is negative. */
export function panned(span: Span, share: number, now: number): Span {
  const by = (span.to - span.from) * share;
  return within({ from: span.from + by, to: span.to + by }, now);
}

/**
 * Longer or shorter by a factor, about a place in it from 0 (its beginning) to 1 (its end): what stands there
 * stays where it is.
 */
export function zoomed(span: Span, factor: number, about: number, now: number): Span {
  const old = span.to - span.from;
  const length = between(SHORTEST, old * factor, LONGEST);
  const from = span.from + (old - length) * about;
  return within({ from, to: from + length }, now);
}

/** The newest span of a length. */
export const newest = (length: number, now: number): Span => within({ from: now - length, to: now }, now);

/** The length that a word of the address names; an hour where it names none. */
export function parseLength(text: string): number {
  const range = RANGES.find((each) => each === text);
  if (range) return SECONDS[range];
  const seconds = /^(\d{1,9})s$/.exec(text)?.[1];
  return seconds ? between(SHORTEST, Number(seconds), LONGEST) : HOUR;
}

/** A length as it stands in the address: empty for an hour, which is where everybody begins. */
export function lengthText(length: number): string {
  const range = rangeOf(length);
  if (range) return range === '1h' ? '' : range;
  return `${Math.round(length)}s`;
}

/** The one of the chosen spans that is as long; null where it was zoomed. */
export function rangeOf(length: number): Range | null {
  return RANGES.find((each) => Math.abs(SECONDS[each] - length) < 1) ?? null;
}

/** The time that a word of the address names; null where it follows what is now. */
export function parseEnd(text: string, now: number): number | null {
  const at = /^\d{9,11}$/.test(text) ? Number(text) : NaN;
  return at < now ? at : null;
}
