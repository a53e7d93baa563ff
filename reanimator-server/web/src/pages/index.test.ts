import { expect, test } from 'vitest';
import { PAGES, findPage } from './index';

const everyone = () => true;

test.each([
  ['/', 'Overview'],
  ['/hosts', 'Hosts'],
  ['/hosts/h1', 'Host'],
  ['/hosts/h1/storage', 'Host'],
  ['/hosts/%', 'Host'],
  ['/clusters', 'Clusters'],
  ['/clusters/c1/ha', 'Cluster'],
  ['/guests/c1%3A100/network', 'Guest'],
  ['/storage/c1%3Alocal', 'One storage'],
  ['/run', 'Run'],
])('%s leads to %s', (path, title) => {
  expect(findPage(PAGES, path, everyone)?.title).toBe(title);
});

test('a path of no page, or of one that is not for this person, leads nowhere', () => {
  expect(findPage(PAGES, '/nowhere', everyone)).toBeNull();
  expect(findPage(PAGES, '/run', (role) => role === 'viewer')).toBeNull();
});

test('every page is in the menu, or under one that is', () => {
  const titles = PAGES.filter(({ icon }) => icon).map(({ title }) => title);
  for (const page of PAGES) expect(titles).toContain(page.under ?? page.title);
});
