import { expect, test } from 'vitest';
import type { Series } from '../api/types';
import { dataOf, extent, inWords, parseRange, sparkPath } from './chart';

const SERIES: Series = {
  entity: 'host:h1',
  step_seconds: 10,
  times: ['2026-11-21T04:00:00Z', '2026-11-21T04:00:10Z', '2026-11-21T04:00:20Z'],
  metrics: {
    cpu_percent: { min: [1, null, 5], mean: [2, null, 10], max: [4, null, 20] },
    load1: { min: [null, null, null], mean: [null, null, null], max: [null, null, null] },
  },
};
const CPU = { metric: 'cpu_percent', label: 'CPU' };
const text = (value: number | null | undefined) => `${value}%`;

test('a gap stays a gap, and each line has its band', () => {
  expect(dataOf(SERIES, [CPU])).toEqual([
    [1_795_233_600, 1_795_233_610, 1_795_233_620],
    [2, null, 10],
    [1, null, 5],
    [4, null, 20],
  ]);
});

test('a chart without any figure is none, and one line without figures leaves the other', () => {
  const load = { metric: 'load1', label: 'Load' };
  expect(dataOf(SERIES, [load])).toBeNull();
  expect(dataOf(SERIES, [{ metric: 'never_heard_of', label: 'x' }])).toBeNull();
  expect(dataOf(SERIES, [CPU, { metric: 'gone', label: 'x' }])?.[4]).toEqual([null, null, null]);
});

test('a chart can be told in words', () => {
  expect(extent(SERIES.metrics['cpu_percent'])).toEqual({ min: 1, mean: 6, max: 20 });
  expect(inWords(SERIES, { title: 'CPU', lines: [CPU], text })).toBe('CPU. from 1% to 20%, on average 6%.');
  expect(inWords(SERIES, { title: 'CPU', lines: [CPU, { metric: 'x', label: 'X' }], text })).toContain(
    'X: no figures',
  );
});

test('a small line breaks where nothing is known', () => {
  expect(sparkPath([0, 50, null, 100], 100)).toBe('M0.0 29.0L33.3 15.0M100.0 1.0');
  expect(sparkPath([0, 0])).toBe('M0.0 29.0L100.0 29.0');
  expect(sparkPath([])).toBe('');
});

test('a span of time that there is not is an hour', () => {
  expect([parseRange('7d'), parseRange('1 year')]).toEqual(['7d', '1h']);
});
