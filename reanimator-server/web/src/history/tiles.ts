/**
 * Pieces of a history that are kept, so that panning and zooming never wait for what was there already.
 * A tile is a stretch of {@link TILE_POINTS} points of one step; times are seconds since 1970.
 */
import type { Series } from '../api/types';
import { coarser, stepFor, type Span } from './span';

export const TILE_POINTS = 256;

/** Tiles kept at once: a year seen at every step, and some of its details. */
const MOST_KEPT = 160;

export interface TileKey {
  step: number;
  /** Which one, counted from 1970. */
  index: number;
}

export interface Column {
  mean: readonly (number | null)[];
  min: readonly (number | null)[];
  max: readonly (number | null)[];
}

/** Points as charts take them: seconds, and for each figure its columns, all as long as `times`. */
export interface Points {
  times: readonly number[];
  metrics: Readonly<Record<string, Column>>;
}

interface Tile extends Points {
  /** Up to when it was asked for; the tile of now has room left. */
  until: number;
}

export const tileSpan = ({ step, index }: TileKey): Span => ({
  from: index * step * TILE_POINTS,
  to: (index + 1) * step * TILE_POINTS,
});

/** The tiles of a step that cover a span. */
export function covering({ from, to }: Span, step: number): TileKey[] {
  const length = step * TILE_POINTS;
  const first = Math.floor(from / length);
  const last = Math.max(first, Math.ceil(to / length) - 1);
  return Array.from({ length: last - first + 1 }, (_, place) => ({ step, index: first + place }));
}

const nameOf = ({ step, index }: TileKey) => `${step}:${index}`;

/** An answer of the server as points. */
export function pointsOf(series: Series): Points {
  return { times: series.times.map((time) => Date.parse(time) / 1000), metrics: series.metrics };
}

/** The part of some points that lies within a span. */
function cut({ times, metrics }: Points, { from, to }: Span): Points {
  const first = times.findIndex((time) => time >= from);
  if (first < 0) return { times: [], metrics: {} };
  const after = times.findIndex((time) => time >= to);
  const end = after < 0 ? times.length : after;
  if (first === 0 && end === times.length) return { times, metrics };
  const part = <T>(values: readonly T[]) => values.slice(first, end);
  return {
    times: part(times),
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, { mean, min, max }]) => [
        name,
        { mean: part(mean), min: part(min), max: part(max) },
      ]),
    ),
  };
}

/** Points one after the other; a figure that some of them do not have is a gap there. */
export function joined(parts: readonly Points[]): Points {
  const names = [...new Set(parts.flatMap(({ metrics }) => Object.keys(metrics)))];
  const column = (name: string, which: keyof Column) =>
    parts.flatMap(
      ({ times, metrics }) => metrics[name]?.[which] ?? Array.from(times, (): number | null => null),
    );
  return {
    times: parts.flatMap(({ times }) => times),
    metrics: Object.fromEntries(
      names.map((name) => [
        name,
        { mean: column(name, 'mean'), min: column(name, 'min'), max: column(name, 'max') },
      ]),
    ),
  };
}

export class Tiles {
  /** The most recently used last. */
  #tiles = new Map<string, Tile>();

  /** What is worth asking for to show a span, the most urgent first: what is in sight, its neighbours, a coarser look. */
  wanted(span: Span, now: number): TileKey[] {
    const step = stepFor(span);
    const seen = covering(span, step);
    const first = seen[0]?.index ?? 0;
    const around = [
      { step, index: first - 1 },
      { step, index: first + seen.length },
    ];
    const wide = coarser(step);
    const length = span.to - span.from;
    const far = wide === null ? [] : covering({ from: span.from - length, to: span.to + length }, wide);
    const missing = (key: TileKey) => {
      const { from, to } = tileSpan(key);
      const tile = this.#tiles.get(nameOf(key));
      return from < now && (!tile || (tile.until < to && now - tile.until > key.step * 2));
    };
    return [...seen, ...around, ...far].filter(missing);
  }

  /** Keeps a tile; a coarse point that begins before it belongs to the one before. */
  put(key: TileKey, points: Points, until: number): void {
    const name = nameOf(key);
    this.#tiles.delete(name);
    this.#tiles.set(name, { ...cut(points, tileSpan(key)), until });
    if (this.#tiles.size > MOST_KEPT) {
      const [oldest] = this.#tiles.keys();
      if (oldest !== undefined) this.#tiles.delete(oldest);
    }
  }

  /** From when on the tile of now is to be asked for again, to go on where it ended; null where it is not here. */
  tail(key: TileKey): number | null {
    const tile = this.#tiles.get(nameOf(key));
    const last = tile?.times.at(-1);
    if (!tile) return null;
    // The last point may have been taken while its step was not over.
    return last === undefined ? tileSpan(key).from : Math.max(tileSpan(key).from, last - key.step);
  }

  /** Puts newer points at the end of a tile, in place of the last ones. */
  append(key: TileKey, from: number, points: Points, until: number): void {
    const tile = this.#tiles.get(nameOf(key));
    if (!tile) return;
    const kept = cut(tile, { from: -Infinity, to: from });
    this.put(key, joined([kept, points]), until);
  }

  /**
   * Everything that is known around a span, a span's length to either side, so that it can be moved about
   * without being made anew. What did not come yet at this step is shown at a coarser one.
   */
  shown(span: Span): Points {
    const length = span.to - span.from;
    const step = stepFor(span);
    const wide = { from: span.from - length, to: span.to + length };
    return joined(covering(wide, step).map((key) => this.#best(key)));
  }

  #best(key: TileKey): Points {
    const name = nameOf(key);
    const tile = this.#tiles.get(name);
    if (tile) {
      this.#tiles.delete(name);
      this.#tiles.set(name, tile);
      return tile;
    }
    const span = tileSpan(key);
    for (let step = coarser(key.step); step !== null; step = coarser(step)) {
      const keys = covering(span, step);
      const tiles = keys.map((each) => this.#tiles.get(nameOf(each)));
      if (tiles.some((each) => each !== undefined)) {
        return joined(tiles.filter((each) => each !== undefined).map((each) => cut(each, span)));
      }
    }
    return { times: [], metrics: {} };
  }
}
