import { expect, test } from 'vitest';
import { PAGES, findPage } from './index';

const everyone = () => true;

test.each([
  ['/', 'overview'],
  ['/hosts', 'hosts'],
  ['/hosts/h1', 'host'],
  ['/hosts/h1/storage', 'host'],
  ['/hosts/%', 'host'],
  ['/clusters', 'clusters'],
  ['/clusters/c1', 'cluster'],
  ['/guests/c1%3A100/network', 'guest'],
  ['/storage/c1%3Alocal', 'onestorage'],
  ['/operations', 'operations'],
  ['/operations/0b1c', 'operation'],
  ['/run', 'run'],
  ['/terminals', 'terminals'],
])('%s leads to %s', (path, id) => {
  expect(findPage(PAGES, path, everyone)?.id).toBe(id);
});

test('a path of no page, or of one that is not for this person, leads nowhere', () => {
  expect(findPage(PAGES, '/nowhere', everyone)).toBeNull();
  expect(findPage(PAGES, '/run', (role) => role === 'viewer')).toBeNull();
});

test('every page is in the menu, or under one that is', () => {
  const ids = PAGES.filter(({ icon }) => icon).map(({ id }) => id);
  for (const page of PAGES) expect(ids).toContain(page.under ?? page.id);
});

test('every page of the menu has a letter of its own', () => {
  const letters = PAGES.filter(({ icon }) => icon).map(({ key }) => key);
  expect(letters).not.toContain(undefined);
  expect(new Set(letters).size).toBe(letters.length);
});
