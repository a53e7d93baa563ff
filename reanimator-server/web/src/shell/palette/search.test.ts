import { expect, test } from 'vitest';
import { find, plain, prepare, prepareByName, type Findable } from './search';

const thing = (name: string, ...also: string[]): Findable => ({ name, also });
const names = (things: readonly Findable[]) => things.map(({ name }) => name);

const PAGES = prepare([thing('Hosts'), thing('Übersicht')]);
const FLEET = prepareByName([
  thing('web10', '10.0.0.10', 'prod'),
  thing('web1', '10.0.0.1', 'prod', '101'),
  thing('old web1', '10.0.0.99'),
  thing('db1', '10.0.0.2', 'prod', 'web'),
  thing('mail', '10.0.0.3', '1010'),
]);

test('the exact name comes first, then names that begin so, then names that have it, then the rest', () => {
  expect(names(find([FLEET], 'web1', 9))).toEqual(['web1', 'web10', 'old web1']);
  expect(names(find([FLEET], 'web', 9))).toEqual(['db1', 'web1', 'web10', 'old web1']);
});

test('words stand in any order, in name, address, tag or number', () => {
  expect(names(find([FLEET], 'prod 10.0.0.2', 9))).toEqual(['db1']);
  expect(names(find([FLEET], 'web1 old', 9))).toEqual(['old web1']);
  expect(names(find([FLEET], '101', 9))).toEqual(['web1', 'mail']);
  expect(names(find([FLEET], '10.0.0.1', 9))[0]).toBe('web1');
  expect(find([FLEET], 'nobody', 9)).toEqual([]);
});

test('things of one rank stand by name, numbers as numbers', () => {
  const ready = prepareByName([thing('web10'), thing('web9'), thing('app')]);
  expect(names(find([ready], '', 9))).toEqual(['app', 'web9', 'web10']);
});

test('marks and large letters make no difference', () => {
  expect(plain('Übersicht')).toBe('ubersicht');
  expect(names(find([PAGES], 'UBER', 9))).toEqual(['Übersicht']);
});

test('without a word everything fits, in the order of the lists, and never more than asked for', () => {
  expect(names(find([PAGES, FLEET], '', 3))).toEqual(['Hosts', 'Übersicht', 'db1']);
  expect(names(find([PAGES, FLEET], '  ', 50))).toHaveLength(7);
});

test('one of 22,048 is found, and no more than are wanted come back', () => {
  const many = Array.from({ length: 22_048 }, (_, index) =>
    thing(`guest-${index}`, String(index), `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 'prod'),
  );
  const ready = prepareByName(many);
  expect(names(find([ready], 'guest-1999', 50))[0]).toBe('guest-1999');
  expect(find([ready], 'prod', 50)).toHaveLength(50);
  expect(find([ready], 'nothing at all', 50)).toEqual([]);
});
