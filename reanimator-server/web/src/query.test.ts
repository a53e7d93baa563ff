import { expect, test } from 'vitest';
import { readQuery, withQuery } from './query';

test('values go into an address and come back as they were', () => {
  const address = withQuery('/', { filter: 'a&b=ü ', sort: '' });
  expect(address).not.toContain('sort');
  expect(readQuery(new URL(address, 'http://x').search)).toEqual({ filter: 'a&b=ü ' });
  expect(withQuery('/run', {})).toBe('/run');
});
