import { expect, test } from 'vitest';
import { firstWrong } from './checks';

test.each([
  [' ', 'long enough', 'long enough', 'username'],
  ['admin', 'short', 'short', 'password'],
  ['admin', '🐌🐌🐌🐌🐌🐌', '🐌🐌🐌🐌🐌🐌', 'password'],
  ['admin', 'long enough', 'long enouhg', 'again'],
  ['admin', 'long enough', 'long enough', null],
])('the name %j with %j and %j is wrong at %s', (username, password, again, field) => {
  expect(firstWrong({ username, password, again })).toBe(field);
});
