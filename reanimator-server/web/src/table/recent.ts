/** What has been asked of the last hour's lines, and what is worth asking: those in sight, each once a minute. */
import type { Recent } from '../api/types';

/** The server takes no more at once. */
export const MOST_AT_ONCE = 200;
const FRESH_MS = 60_000;
/** Lines kept; those that were asked for longest ago make room. */
const MOST_KEPT = 2000;

interface Kept {
  askedAt: number;
  values: readonly (number | null)[] | null;
}

export class RecentLines {
  #kept = new Map<string, Kept>();

  /** Of those in sight, the ones to be asked for now. */
  wanting(entities: readonly string[], now: number): string[] {
    const stale = (entity: string) => now - (this.#kept.get(entity)?.askedAt ?? -Infinity) >= FRESH_MS;
    return [...new Set(entities)].filter(stale).slice(0, MOST_AT_ONCE);
  }

  /** Notes that they are being asked for, so that nobody else does. */
  asked(entities: readonly string[], now: number): void {
    for (const entity of entities) {
      const values = this.#kept.get(entity)?.values ?? null;
      this.#kept.delete(entity);
      this.#kept.set(entity, { askedAt: now, values });
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
  }

  take({ series }: Pick<Recent, 'series'>): void {
    for (const [entity, values] of Object.entries(series)) {
      const kept = this.#kept.get(entity);
      if (kept) kept.values = values;
    }
  }

  /** The last line that came; null where none did. */
  of(entity: string): readonly (number | null)[] | null {
    return this.#kept.get(entity)?.values ?? null;
  }
}

/** The least, the average and the most of a line; null where it has no value. */
export function extentOf(
  values: readonly (number | null)[],
): { least: number; average: number; most: number } | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return {
    least: Math.min(...known),
    average: known.reduce((sum, value) => sum + value, 0) / known.length,
    most: Math.max(...known),
  };
}
