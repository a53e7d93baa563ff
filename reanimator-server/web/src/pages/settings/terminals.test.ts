import { expect, test } from 'vitest';
import type { TerminalSettings } from '../../api/types';
import { changeOf, wishOf, wrongIn, type Wish } from './terminals';

const now: TerminalSettings = { record: false, unseen_minutes: 10, idle_hours: 8 };
const wish = (change: Partial<Wish> = {}): Wish => ({ ...wishOf(now), ...change });

test('what is so now can be so', () => {
  expect(wrongIn(wish())).toBeNull();
  expect(changeOf(now, wish())).toEqual({});
});

test.each([
  ['unseen_minutes', '0'],
  ['unseen_minutes', '1441'],
  ['unseen_minutes', '1.5'],
  ['idle_hours', '169'],
  ['idle_hours', ''],
] as const)('%s cannot be %j', (id, text) => {
  expect(wrongIn(wish({ [id]: text }))).toMatchObject({ id });
});

test('only what differs is sent', () => {
  expect(changeOf(now, wish({ unseen_minutes: ' 30 ' }))).toEqual({ unseen_minutes: 30 });
  expect(changeOf(now, wish({ record: true, idle_hours: '24' }))).toEqual({ record: true, idle_hours: 24 });
});
