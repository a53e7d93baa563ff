import { expect, test } from 'vitest';
import { MOST_AT_ONCE, RecentLines, extentOf } from './recent';

const answer = (series: Record<string, (number | null)[]>) => ({
  metric: 'cpu_percent',
  from: '',
  to: '',
  step_seconds: 120,
  series,
  unknown: [],
});

test('a line is asked for once a minute, and is shown until the next comes', () => {
  const lines = new RecentLines();
  expect(lines.wanting(['host:a', 'host:b', 'host:a'], 0)).toEqual(['host:a', 'host:b']);
  lines.asked(['host:a', 'host:b'], 0);
  expect(lines.wanting(['host:a', 'host:c'], 1000)).toEqual(['host:c']);
  lines.take(answer({ 'host:a': [1, null] }));
  expect([lines.of('host:a'), lines.of('host:b')]).toEqual([[1, null], null]);
  expect(lines.wanting(['host:a'], 60_000)).toEqual(['host:a']);
  lines.asked(['host:a'], 60_000);
  expect(lines.of('host:a')).toEqual([1, null]);
});

test('no more are asked for at once than the server takes', () => {
  const many = Array.from({ length: 500 }, (_, index) => `guest:${index}`);
  expect(new RecentLines().wanting(many, 0)).toHaveLength(MOST_AT_ONCE);
});

test('what was asked for longest ago makes room', () => {
  const lines = new RecentLines();
  for (let from = 0; from < 3000; from += 200) {
    const some = Array.from({ length: 200 }, (_, index) => `guest:${from + index}`);
    lines.asked(some, from);
    lines.take(answer(Object.fromEntries(some.map((each) => [each, [1]]))));
  }
  expect(lines.of('guest:0')).toBeNull();
  expect(lines.of('guest:2999')).toEqual([1]);
});

test('a line in words leaves its gaps out', () => {
  expect(extentOf([10, null, 20])).toEqual({ least: 10, average: 15, most: 20 });
  expect(extentOf([null])).toBeNull();
});
