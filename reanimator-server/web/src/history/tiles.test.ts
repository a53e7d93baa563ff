import { expect, test } from 'vitest';
import { stepFor } from './span';
import { TILE_POINTS, Tiles, covering, joined, pointsOf, tileSpan, type Points, type TileKey } from './tiles';

const STEP = 10;
const LENGTH = STEP * TILE_POINTS;
/** An hour, whose points are ten seconds apart, at the beginning of a tile. */
const span = { from: 1000 * LENGTH, to: 1000 * LENGTH + 3600 };
const LATER = span.to + 100 * LENGTH;

/** A point per step of a tile, of one figure. */
function full(key: TileKey, value: number, step = key.step): Points {
  const { from, to } = tileSpan(key);
  const times: number[] = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) times.push(at);
  const values = times.map(() => value);
  return { times, metrics: { cpu: { mean: values, min: values, max: values } } };
}
const keys = (tiles: Tiles, now = LATER) =>
  tiles.wanted(span, now).map(({ step, index }) => `${step}:${index}`);

test('tiles cover a span without a gap and without more than it needs', () => {
  expect(stepFor(span)).toBe(STEP);
  const found = covering(span, STEP);
  expect(found.map(({ index }) => index)).toEqual([1000, 1001]);
  expect(tileSpan({ step: STEP, index: 1000 })).toEqual({ from: span.from, to: span.from + LENGTH });
  expect(covering({ from: span.from, to: span.from + LENGTH }, STEP)).toHaveLength(1);
});

test('what is in sight is asked for first, then its neighbours, then the coarser look', () => {
  const tiles = new Tiles();
  expect(keys(tiles).slice(0, 4)).toEqual(['10:1000', '10:1001', '10:999', '10:1002']);
  expect(
    keys(tiles)
      .slice(4)
      .every((key) => key.startsWith('30:')),
  ).toBe(true);
  for (const key of covering(span, STEP)) tiles.put(key, full(key, 1), LATER);
  expect(keys(tiles).slice(0, 2)).toEqual(['10:999', '10:1002']);
});

test('nothing is asked for of what is to come, and the tile of now is asked for again when it is old', () => {
  const tiles = new Tiles();
  const now = span.from + LENGTH + 500;
  expect(keys(tiles, now)).not.toContain('10:1002');
  tiles.put({ step: STEP, index: 1001 }, full({ step: STEP, index: 1001 }, 1), now);
  expect(keys(tiles, now)).not.toContain('10:1001');
  expect(keys(tiles, now + 60)).toContain('10:1001');
});

test('where a tile is missing, a coarser one stands in for it, and points stay in order', () => {
  const tiles = new Tiles();
  const [first, second] = covering(span, STEP);
  if (!first || !second) throw new Error('two tiles');
  tiles.put(first, full(first, 1), LATER);
  for (const key of covering(tileSpan(second), 30)) tiles.put(key, full(key, 2), LATER);
  const { times, metrics } = tiles.shown(span);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
  expect(new Set(metrics['cpu']?.mean)).toEqual(new Set([1, 2]));
  expect(times.filter((at) => at >= tileSpan(second).from)[0]).toBe(
    Math.ceil(tileSpan(second).from / 30) * 30,
  );
});

test('a coarse point that begins before its tile is shown once, in the tile before', () => {
  const tiles = new Tiles();
  const [first, second] = covering(span, STEP);
  if (!first || !second) throw new Error('two tiles');
  const coarse = { times: [tileSpan(second).from - 20], metrics: { cpu: { mean: [1], min: [1], max: [1] } } };
  tiles.put(first, coarse, LATER);
  tiles.put(second, coarse, LATER);
  expect(tiles.shown(span).times).toEqual(coarse.times);
});

test('the newest tile goes on where it ended, its last point taken anew', () => {
  const tiles = new Tiles();
  const key = { step: STEP, index: 1000 };
  expect(tiles.tail(key)).toBeNull();
  const column = (values: number[]) => ({ mean: values, min: values, max: values });
  tiles.put(
    key,
    { times: [span.from, span.from + 10, span.from + 20], metrics: { cpu: column([1, 2, 3]) } },
    span.from + 25,
  );
  const from = tiles.tail(key) ?? 0;
  expect(from).toBe(span.from + 10);
  const newer = {
    times: [span.from + 10, span.from + 20, span.from + 30],
    metrics: { cpu: column([2, 4, 5]) },
  };
  tiles.append(key, from, newer, span.from + 35);
  expect(tiles.shown(span).times).toEqual([0, 10, 20, 30].map((more) => span.from + more));
  expect(tiles.shown(span).metrics['cpu']?.mean).toEqual([1, 2, 4, 5]);
});

test('a figure that one part does not have is a gap there', () => {
  const one = { times: [1], metrics: { a: { mean: [1], min: [1], max: [1] } } };
  const other = { times: [2], metrics: { b: { mean: [2], min: [2], max: [2] } } };
  expect(joined([one, other]).metrics['a']?.mean).toEqual([1, null]);
  expect(joined([one, other]).metrics['b']?.mean).toEqual([null, 2]);
  expect(joined([])).toEqual({ times: [], metrics: {} });
});

test('no more than a bounded number of tiles is kept, those of long ago go first', () => {
  const tiles = new Tiles();
  const nothing = { times: [], metrics: {} };
  tiles.put({ step: STEP, index: 1000 }, nothing, LATER);
  for (let index = 0; index < 500; index += 1) tiles.put({ step: 30, index }, nothing, LATER);
  expect(keys(tiles)).toContain('10:1000');
});

test('an answer becomes points in seconds', () => {
  const metrics = { cpu: { min: [1], mean: [1], max: [1] } };
  const series = { entity: 'host:h', step_seconds: 10, times: ['2026-11-21T04:00:00Z'], metrics };
  expect(pointsOf(series)).toEqual({ times: [1_795_233_600], metrics });
});
