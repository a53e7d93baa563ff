import { expect, test } from 'vitest';
import { Keys, type Press } from './keys';

function typed(keys: Keys, key: string, at = 0, change: Partial<Press> = {}) {
  return keys.press({ key, command: false, alt: false, typing: false, at, ...change });
}

test('single keys look for something and tell the keys', () => {
  const keys = new Keys();
  expect(typed(keys, '/')).toEqual({ what: 'search' });
  expect(typed(keys, '?')).toEqual({ what: 'help' });
  expect(typed(keys, 'x')).toBeNull();
});

test('g and a letter go to a page, if the letter comes soon', () => {
  const keys = new Keys();
  expect(typed(keys, 'g', 0)).toBeNull();
  expect(typed(keys, 'Shift', 50)).toBeNull();
  expect(typed(keys, 'h', 100)).toEqual({ what: 'go', key: 'h' });
  expect(typed(keys, 'h', 200)).toBeNull();
  typed(keys, 'g', 1000);
  expect(typed(keys, 'h', 3000)).toBeNull();
  typed(keys, 'g', 4000);
  expect(typed(keys, '/', 4100)).toEqual({ what: 'go', key: '/' });
});

test('in a field a letter is a letter, and a slash a slash', () => {
  const keys = new Keys();
  for (const key of ['/', '?', 'g', 'h']) expect(typed(keys, key, 0, { typing: true })).toBeNull();
  typed(keys, 'g');
  expect(typed(keys, 'h', 1, { typing: true })).toBeNull();
  expect(typed(keys, 'h', 2)).toBeNull();
});

test('with other keys held, presses belong to the browser; only Ctrl or Cmd with k is ours', () => {
  const keys = new Keys();
  expect(typed(keys, '/', 0, { command: true })).toBeNull();
  expect(typed(keys, '?', 0, { alt: true })).toBeNull();
  expect(typed(keys, 'K', 0, { command: true })).toEqual({ what: 'palette' });
  expect(typed(keys, 'k', 0, { command: true, typing: true })).toEqual({ what: 'palette' });
  expect(typed(keys, 'k', 0, { command: true, alt: true })).toBeNull();
  expect(typed(keys, 'k')).toBeNull();
});
