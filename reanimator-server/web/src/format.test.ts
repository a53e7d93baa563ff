import { expect, test } from 'vitest';
import { Format, NONE, share } from './format';

const english = new Format('en');
const german = new Format('de');
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test.each([
  [null, NONE],
  [undefined, NONE],
  [Number.NaN, NONE],
  [0, '0 B'],
  [1023, '1,023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [2 ** 20 - 1, '1.0 MiB'],
  [16 * 2 ** 30, '16.0 GiB'],
  [1500 * 2 ** 30, '1.5 TiB'],
  [2 ** 62, '4,096 PiB'],
])('bytes %s read %s', (value, text) => {
  expect(plain(english.bytes(value))).toBe(text);
});

test.each([
  [null, NONE],
  [0, '0%'],
  [0.2, '<1%'],
  [12.4, '12%'],
  [100, '100%'],
])('percent %s reads %s', (value, text) => {
  expect(plain(english.percent(value))).toBe(text);
});

test.each([
  [null, NONE],
  [0, '0 s'],
  [59, '59 s'],
  [3600, '1 h'],
  [3661, '1 h 1 min'],
  [86_400 * 12 + 4 * 3600 + 59, '12 d 4 h'],
  [86_400 + 60, '1 d'],
])('a duration of %s reads %s', (value, text) => {
  expect(plain(english.duration(value))).toBe(text);
});

test.each([
  [null, NONE],
  [-3, '0 s'],
  [119.9, '119 s'],
  [120, '2 min'],
  [7200, '2 h'],
  [86_400 * 3, '3 d'],
])('an age of %s reads %s', (value, text) => {
  expect(plain(english.age(value))).toBe(text);
});

test('the language decides how numbers look', () => {
  expect(plain(german.bytes(1536))).toBe('1,5 KiB');
  expect(plain(german.load(0.5))).toBe('0,50');
});

test('a time that is none is not made up', () => {
  expect(english.time(null)).toBe(NONE);
  expect(english.time('yesterday')).toBe(NONE);
});

test('shares are known only where both sizes are', () => {
  expect(share({ total_bytes: 200, used_bytes: 50 })).toBe(25);
  expect(share({ total_bytes: 0, used_bytes: 0 })).toBeNull();
  expect(share({ total_bytes: null, used_bytes: 5 })).toBeNull();
  expect(share(null)).toBeNull();
});
