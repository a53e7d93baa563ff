import { expect, test } from 'vitest';
import { contentsOf, fileName } from './files';

test('files go where storages hold such', () => {
  expect(contentsOf({ content: 'backup,iso, vztmpl' })).toEqual(['iso', 'vztmpl']);
  expect(contentsOf({ content: null })).toEqual([]);
});

test('a file is called as the end of its path, with signs that a storage takes', () => {
  expect(fileName('https://example.net/a/debian 12.iso?mirror=1')).toBe('debian_12.iso');
  expect(fileName('C:\\images\\x.img')).toBe('x.img');
  expect(fileName('..hidden')).toBe('hidden');
});
