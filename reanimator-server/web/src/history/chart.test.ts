import { expect, test } from 'vitest';
import { dataOf, extent, hasFigures, inWords, rowsOf, sparkPath } from './chart';
import type { Points } from './tiles';

const POINTS: Points = {
  times: [100, 110, 120],
  metrics: {
    cpu_percent: { min: [1, null, 5], mean: [2, null, 10], max: [4, null, 20] },
    load1: { min: [null, null, null], mean: [null, null, null], max: [null, null, null] },
  },
};
const ALL = { from: 100, to: 130 };
const CPU = { metric: 'cpu_percent', label: 'CPU' };
const LOAD = { metric: 'load1', label: 'Load' };
const text = (value: number | null | undefined) => `${value}%`;

test('a gap stays a gap, and each line has its band', () => {
  expect(dataOf(POINTS, [CPU])).toEqual([
    [100, 110, 120],
    [2, null, 10],
    [1, null, 5],
    [4, null, 20],
  ]);
  expect(dataOf(POINTS, [CPU, { metric: 'gone', label: 'x' }])[4]).toEqual([null, null, null]);
});

test('whether there is a figure is asked of the span that is seen', () => {
  expect(hasFigures(POINTS, [LOAD, CPU], ALL)).toBe(true);
  expect(hasFigures(POINTS, [CPU], { from: 105, to: 115 })).toBe(false);
  expect(hasFigures(POINTS, [LOAD, { metric: 'never_heard_of', label: 'x' }], ALL)).toBe(false);
  expect(hasFigures(POINTS, [CPU], { from: 200, to: 300 })).toBe(false);
});

test('a chart can be told in words', () => {
  expect(extent(POINTS.metrics['cpu_percent'])).toEqual({ min: 1, mean: 6, max: 20 });
  const chart = { title: 'CPU', lines: [CPU], text };
  expect(inWords(POINTS, chart, ALL)).toBe('CPU. from 1% to 20%, on average 6%.');
  expect(inWords(POINTS, chart, { from: 100, to: 110 })).toBe('CPU. from 1% to 4%, on average 2%.');
  expect(inWords(POINTS, { ...chart, lines: [CPU, { metric: 'x', label: 'X' }] }, ALL)).toContain(
    'X: no figures',
  );
});

test('a chart can be read as a table, the newest first, without the gaps', () => {
  expect(rowsOf(POINTS, { title: 'CPU', lines: [CPU, LOAD], text }, ALL)).toEqual([
    {
      at: 120,
      cells: [
        { mean: '10%', range: '5% – 20%' },
        { mean: 'null%', range: '' },
      ],
    },
    {
      at: 100,
      cells: [
        { mean: '2%', range: '1% – 4%' },
        { mean: 'null%', range: '' },
      ],
    },
  ]);
});

test('a small line breaks where nothing is known', () => {
  expect(sparkPath([0, 50, null, 100], 100)).toBe('M0.0 29.0L33.3 15.0M100.0 1.0');
  expect(sparkPath([0, 0])).toBe('M0.0 29.0L100.0 29.0');
  expect(sparkPath([])).toBe('');
});
