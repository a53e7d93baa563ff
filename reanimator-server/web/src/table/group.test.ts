import { expect, test } from 'vitest';
import { Heading, linesOf, type Grouping } from './group';

interface Row {
  name: string;
  tags: string[];
}

const BY: Grouping<Row> = { id: 'tag', title: 'Tag', of: ({ tags }) => tags, none: 'No tag' };
const row = (name: string, ...tags: string[]): Row => ({ name, tags });
const ROWS = [row('a', 'web10', 'eu'), row('b'), row('c', 'web2'), row('d', 'web2', 'web2')];
const told = (by: Grouping<Row> | null, ...closed: string[]) =>
  linesOf(ROWS, by, new Set(closed), (rows) => String(rows.length)).at.map((line) =>
    line instanceof Heading ? `${line.title} ${line.sums}${line.open ? '' : ' …'}` : line.name,
  );

test('rows stand in each of their groups, groups by name, and those in none come last', () => {
  expect(told(BY)).toEqual(['eu 1', 'a', 'web2 2', 'c', 'd', 'web10 1', 'a', 'No tag 1', 'b']);
});

test('a folded group keeps its heading and its sums', () => {
  expect(told(BY, 'web2', '')).toEqual(['eu 1', 'a', 'web2 2 …', 'web10 1', 'a', 'No tag 1 …']);
});

test('each line knows its group, so that a row that stands twice is two lines', () => {
  const { at, group } = linesOf(ROWS, BY, new Set(), () => '');
  expect(group).toHaveLength(at.length);
  expect(at.flatMap((line, index) => (line === ROWS[0] ? [group?.[index]] : []))).toEqual(['eu', 'web10']);
});

test('groups may have an order and names of their own', () => {
  const by = {
    ...BY,
    order: (tag: string) => (tag === 'web10' ? 0 : 1),
    name: (tag: string) => tag.toUpperCase(),
  };
  expect(told(by).filter((line) => / /.test(line))).toEqual(['WEB10 1', 'EU 1', 'WEB2 2', 'No tag 1']);
});

test('without groups the lines are the rows', () => {
  expect(linesOf(ROWS, null, new Set(), () => '').at).toBe(ROWS);
});
