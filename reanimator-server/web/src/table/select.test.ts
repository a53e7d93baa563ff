import { expect, test } from 'vitest';
import { selectionOf, toggleLines, toggleShown } from './select';

test('the heading chooses what is shown and leaves the rest alone', () => {
  const shown = ['a', 'b'];
  expect(selectionOf(shown, new Set(['x']))).toBe('none');
  expect(selectionOf(shown, new Set(['a']))).toBe('some');
  expect(selectionOf(shown, new Set(['a', 'b', 'x']))).toBe('all');
  expect([...toggleShown(shown, new Set(['x', 'a']))].sort()).toEqual(['a', 'b', 'x']);
  expect([...toggleShown(shown, new Set(['x', 'a', 'b']))]).toEqual(['x']);
});

test('a range becomes as the row that was clicked last, in either direction, past headings', () => {
  const lines = [null, 'a', 'b', null, 'c', 'd'];
  const at = (line: number) => lines[line] ?? null;
  const ticked = (to: number, from: number | null, ...chosen: string[]) =>
    [...toggleLines(at, to, from, new Set(chosen))].sort();
  expect(ticked(2, null)).toEqual(['b']);
  expect(ticked(4, 1, 'a')).toEqual(['a', 'b', 'c']);
  expect(ticked(1, 4, 'c')).toEqual(['a', 'b', 'c']);
  expect(ticked(5, 2, 'b', 'c', 'd')).toEqual([]);
  expect(ticked(0, 5, 'd')).toEqual(['d']);
});
