import { expect, test } from 'vitest';
import { backupForm, isTyped, wrongPassphrase } from './backup';

test.each([
  ['elevenchars', 'elevenchars', 'passphrase'],
  ['zwölf Zeichn', 'zwölf Zeichn', null],
  ['twelve chars', 'twelve char', 'again'],
  ['', '', 'passphrase'],
])('the passphrase %j with %j is wrong at %s', (passphrase, again, field) => {
  expect(wrongPassphrase(passphrase, again)).toBe(field);
});

test('a word is typed in whatever case, and nothing else will do', () => {
  expect(isTyped(' Restore ', 'restore')).toBe(true);
  expect(isTyped('restor', 'restore')).toBe(false);
  expect(isTyped('', 'restore')).toBe(false);
});

test('a form has the passphrase before the file', () => {
  const form = backupForm(new File(['x'], 'a.age'), 'twelve chars');
  expect([...form.keys()]).toEqual(['passphrase', 'file']);
});
