import { expect, test } from 'vitest';
import {
  STEPS,
  coarser,
  lengthText,
  newest,
  panned,
  parseEnd,
  parseLength,
  rangeOf,
  stepFor,
  within,
  zoomed,
} from './span';

const NOW = 1_800_000_000;
const HOUR = 3600;
const YEAR = 365 * 86_400;
const hour = { from: NOW - HOUR, to: NOW };

test('every span has a few hundred points, the chosen ones at least two hundred', () => {
  const points = (length: number) => length / stepFor({ from: 0, to: length });
  for (let length = 300; length <= 2 * YEAR; length *= 1.3) expect(points(length)).toBeLessThanOrEqual(400);
  for (const length of [HOUR, 86_400, 7 * 86_400, 30 * 86_400, YEAR]) {
    expect(points(length)).toBeGreaterThanOrEqual(200);
  }
});

test('steps go from fine to coarse, and the coarsest has none above it', () => {
  expect(coarser(10)).toBe(30);
  expect(coarser(STEPS.at(-1) ?? 0)).toBeNull();
});

test('what is to come cannot be looked at, nor what was before there was anything', () => {
  expect(panned(hour, 1, NOW)).toEqual(hour);
  expect(panned(hour, -1, NOW)).toEqual({ from: NOW - 2 * HOUR, to: NOW - HOUR });
  expect(panned(hour, -1e9, NOW).from).toBe(NOW - 3 * YEAR);
  expect(within({ from: NOW - 1, to: NOW }, NOW)).toEqual({ from: NOW - 300, to: NOW });
  expect(within({ from: 0, to: NOW }, NOW).from).toBe(NOW - 2 * YEAR);
});

test('zooming keeps in place what it is about', () => {
  const span = { from: NOW - 4 * HOUR, to: NOW - 2 * HOUR };
  expect(zoomed(span, 0.5, 0.5, NOW)).toEqual({ from: NOW - 3.5 * HOUR, to: NOW - 2.5 * HOUR });
  expect(zoomed(span, 0.5, 0, NOW)).toEqual({ from: NOW - 4 * HOUR, to: NOW - 3 * HOUR });
  expect(zoomed(hour, 2, 1, NOW)).toEqual({ from: NOW - 2 * HOUR, to: NOW });
  expect(zoomed(hour, 1e-9, 1, NOW)).toEqual({ from: NOW - 300, to: NOW });
});

test('a span stands in the address, and what is nonsense there is the last hour', () => {
  for (const length of [HOUR, 86_400, 7 * 86_400, YEAR, 5400]) {
    expect(parseLength(lengthText(length))).toBe(length);
  }
  expect([lengthText(HOUR), lengthText(YEAR), lengthText(5400)]).toEqual(['', '365d', '5400s']);
  expect(['', '1 year', '-5s', '<script>'].map(parseLength)).toEqual([HOUR, HOUR, HOUR, HOUR]);
  expect([parseLength('1s'), parseLength('999999999s')]).toEqual([300, 2 * YEAR]);
  expect([rangeOf(HOUR), rangeOf(5400)]).toEqual(['1h', null]);
  expect([parseEnd(String(NOW - 5), NOW), parseEnd(String(NOW + 5), NOW), parseEnd('x', NOW)]).toEqual([
    NOW - 5,
    null,
    null,
  ]);
  expect(newest(HOUR, NOW)).toEqual(hour);
});
