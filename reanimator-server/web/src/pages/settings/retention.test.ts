import { expect, test } from 'vitest';
import type { Retention } from '../../api/types';
import { changeOf, shortens, wishOf, wrongIn } from './retention';

const now: Retention = {
  samples_hours: 24,
  minutes_days: 7,
  quarters_days: 90,
  six_hours_days: 730,
  events_days: 90,
  changes_days: 730,
};
const wish = (change: Partial<Record<keyof Retention, string>> = {}) => ({ ...wishOf(now), ...change });

test('what is kept now can be kept', () => {
  expect(wrongIn(wish())).toBeNull();
  expect(changeOf(now, wish())).toEqual({});
});

test.each([
  ['samples_hours', '0'],
  ['samples_hours', '721'],
  ['minutes_days', ''],
  ['minutes_days', '1.5'],
  ['quarters_days', '-3'],
  ['six_hours_days', '7301'],
  ['events_days', 'x'],
] as const)('%s cannot be %j', (id, text) => {
  expect(wrongIn(wish({ [id]: text }))).toMatchObject({ id, kind: 'range' });
});

test('coarser figures are kept at least as long as finer ones', () => {
  expect(wrongIn(wish({ samples_hours: '169' }))).toEqual({
    id: 'minutes_days',
    kind: 'order',
    finer: 'samples_hours',
  });
  expect(wrongIn(wish({ samples_hours: '168' }))).toBeNull();
  expect(wrongIn(wish({ six_hours_days: '89' }))).toMatchObject({ id: 'six_hours_days', kind: 'order' });
});

test('only what differs is sent, and what would delete something is known', () => {
  const longer = changeOf(now, wish({ events_days: ' 120 ' }));
  expect(longer).toEqual({ events_days: 120 });
  expect(shortens(now, longer)).toBe(false);
  expect(shortens(now, changeOf(now, wish({ events_days: '30', minutes_days: '14' })))).toBe(true);
});
