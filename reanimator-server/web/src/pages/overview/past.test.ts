import { expect, test } from 'vitest';
import type { Series } from '../../api/types';
import { chartsOf, knownMetrics, smallLines } from './past';

const column = (...mean: (number | null)[]) => ({ min: mean, mean, max: mean });
const SERIES: Series = {
  entity: 'fleet',
  step_seconds: 60,
  times: ['2026-11-21T04:00:00Z', '2026-11-21T04:01:00Z', '2026-11-21T04:02:00Z'],
  metrics: {
    cpu_percent: column(10, null, 30),
    memory_used: column(1, 2, null),
    memory_total: column(4, 0, 4),
    guests_running: column(null, null, null),
  },
};

test('a share is known where both its parts are', () => {
  expect(smallLines(SERIES)).toEqual({
    cpu: [10, null, 30],
    memory: [25, null, null],
    disk: null,
    hosts: null,
    guests: null,
  });
  expect(smallLines(null).cpu).toBeNull();
});

test('only what there are figures for is drawn', () => {
  expect(chartsOf(knownMetrics(SERIES)).map(({ title, lines }) => [title, lines.length])).toEqual([
    ['CPU', 1],
    ['Memory', 2],
  ]);
  expect(chartsOf(knownMetrics(undefined))).toEqual([]);
});
