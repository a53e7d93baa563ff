import { expect, test } from 'vitest';
import { counts, ending, isApiOnly, isOdd, someOf, succeeded, troubleText, visible } from './words';

const group = { status: 0, signal: null, error: null, running: false };

test.each([
  [group, 'done'],
  [{ ...group, status: 3 }, 'exit status 3'],
  [{ ...group, status: null, signal: 'KILL' }, 'ended by signal KILL'],
  [{ ...group, status: null }, 'ended without a status'],
  [{ ...group, status: null, running: true }, 'still running'],
  [{ ...group, status: null, error: { kind: 'timeout' as const, message: 'm', next: null } }, 'no answer'],
  [
    { ...group, status: null, error: { kind: 'invalid' as const, message: 'm', next: null } },
    'runs no commands',
  ],
])('endings are told apart', (given, text) => {
  expect(ending(given)).toBe(text);
});

test('only what ended well has succeeded, and only what answered otherwise is odd', () => {
  expect(succeeded(group)).toBe(true);
  expect(succeeded({ ...group, running: true })).toBe(false);
  expect(succeeded({ ...group, status: 1 })).toBe(false);
  const error = { kind: 'timeout' as const, message: 'm', next: null };
  expect([isOdd({ majority: true, error: null }), isOdd({ majority: false, error: null })]).toEqual([
    false,
    true,
  ]);
  expect(isOdd({ majority: false, error })).toBe(false);
});

test('a host that only the API of its cluster tells of runs no commands', () => {
  expect([['proxmox'], ['proxmox', 'ssh'], ['local'], []].map((via) => isApiOnly({ via }))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test('trouble is told without the name that stands before it, and in whole sentences', () => {
  const trouble = { message: 'a: it took too long', next: 'try again' };
  expect(troubleText('a', trouble)).toBe('it took too long. Try again.');
  expect(troubleText('a', { message: 'it is off.', next: null })).toBe('it is off.');
});

test('what is counted and named is short', () => {
  expect(counts({ hosts: 100, ok: 97, failed: 2 })).toBe('99 of 100 finished, 2 failed');
  expect(counts({ hosts: 3, ok: 1, failed: 0 })).toBe('1 of 3 finished');
  expect(someOf(['a', 'b', 'c'], 2)).toBe('a, b, and 1 more');
});

test('no output hides anything or turns the text around', () => {
  expect(visible('a\tb\nc')).toBe('a\tb\nc');
  expect(visible('\u001b[31mred\u0007\u007f')).toBe('␛[31mred␇␡');
  expect(visible('safe\u202Eevil')).toBe('safe<U+202E>evil');
  expect(visible('größer 🔑')).toBe('größer 🔑');
});
