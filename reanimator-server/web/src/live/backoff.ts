/** Longest wait between two attempts, so that a page left open heals soon after the server is back. */
const LONGEST_MS = 15_000;
const FIRST_MS = 500;

/**
 * How long to wait before attempt number `attempt` (from 0): doubling, bounded, and spread over
 * the upper half so that many open pages do not come back at the same moment.
 *
 * `random` is a number from 0 up to 1.
 */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}
