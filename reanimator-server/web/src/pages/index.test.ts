import { expect, test } from 'vitest';
import { PAGES, findPage } from './index';

const everyone = () => true;

test.each([
  ['/', 'Fleet'],
  ['/hosts/h1', 'Fleet'],
  ['/hosts/%', 'Fleet'],
  ['/run', 'Run'],
])('%s leads to %s', (path, title) => {
  expect(findPage(PAGES, path, everyone)?.title).toBe(title);
});

test('a path of no page, or of one that is not for this person, leads nowhere', () => {
  expect(findPage(PAGES, '/nowhere', everyone)).toBeNull();
  expect(findPage(PAGES, '/run', (role) => role === 'viewer')).toBeNull();
});
