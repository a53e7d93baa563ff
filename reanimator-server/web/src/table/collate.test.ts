import { expect, test } from 'vitest';
import { collationKey } from './collate';

const sorted = (names: readonly string[]) =>
  [...names].sort((a, b) =>
    collationKey(a) < collationKey(b) ? -1 : collationKey(a) > collationKey(b) ? 1 : 0,
  );

test('names come in the order of the browser’s own collation, numbers as numbers', () => {
  const names = [
    ...['web10', 'Web2', 'web1', 'db', 'web', 'web-2', 'web_2', 'web.2', 'web2a', 'a10b2', 'a10b10', 'a9'],
    ...[
      '10',
      '9',
      '007',
      'Übersee',
      'uber',
      'über2',
      'zebra',
      'Äpfel',
      'apfel',
      '',
      '/',
      '/var',
      '/var/lib',
      'vmbr0',
    ],
  ];
  const { compare } = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  expect(sorted(names)).toEqual([...names].sort(compare));
});

test('large and small letters and accents are the same', () => {
  expect(collationKey('ÉCOLE')).toBe(collationKey('ecole'));
  expect(collationKey('web007')).toBe(collationKey('web7'));
});
