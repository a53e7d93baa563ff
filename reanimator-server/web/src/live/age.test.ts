import { expect, test } from 'vitest';
import { ageSeconds, isOld } from './age';

const at = '2026-11-21T04:00:00Z';
const then = Date.parse(at);

test('ages are seconds, never negative, and unknown without a time', () => {
  expect(ageSeconds(at, then + 4000)).toBe(4);
  expect(ageSeconds(at, then - 9000)).toBe(0);
  expect(ageSeconds(null, then)).toBeNull();
  expect(ageSeconds('soon', then)).toBeNull();
});

test('three misses make a figure old, and so does a lost line', () => {
  expect(isOld(30, true)).toBe(false);
  expect(isOld(31, true)).toBe(true);
  expect(isOld(null, true)).toBe(true);
  expect(isOld(1, false)).toBe(true);
});
