import { expect, test } from 'vitest';
import { messages as german } from './de';
import { messages as english } from './en';
import { messages as italian } from './it';
import { pickLanguage, pickLocale } from './language.svelte';

/** The paths of all messages, with what each takes: `hosts.left(1)`. */
function shape(value: unknown, path = ''): string[] {
  if (typeof value === 'function') return [`${path}(${value.length})`];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, each]) => shape(each, path ? `${path}.${name}` : name));
}

test.each([
  ['German', german],
  ['Italian', italian],
])('%s says all that English says', (_, messages) => {
  expect(shape(messages).sort()).toEqual(shape(english).sort());
});

test.each([
  [['it-CH', 'de'], 'it', 'it-CH'],
  [['fr', 'DE-at'], 'de', 'DE-at'],
  [['fr'], 'en', 'en'],
  [[], 'en', 'en'],
] as const)('%s is spoken to in %s', (wanted, language, locale) => {
  expect(pickLanguage(wanted)).toBe(language);
  expect(pickLocale(language, wanted)).toBe(locale);
});
