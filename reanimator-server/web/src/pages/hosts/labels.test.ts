import { expect, test } from 'vitest';
import { changeOf, labelsOf } from './labels';

const HOSTS = [['web', 'eu'], ['web'], ['db10'], ['db2']];
const LABELS = labelsOf(HOSTS, HOSTS.slice(0, 2), (labels) => labels);

test('all labels are told, with how many of the chosen hosts have each', () => {
  expect(LABELS).toEqual([
    { name: 'db2', count: 0 },
    { name: 'db10', count: 0 },
    { name: 'eu', count: 1 },
    { name: 'web', count: 2 },
  ]);
});

test('only what differs is given or taken', () => {
  const wanted = new Map([
    ['eu', true],
    ['web', false],
    ['db2', false],
  ]);
  expect(changeOf(LABELS, 2, wanted, ' new ,, db10, new')).toEqual({
    add: ['eu', 'new', 'db10'],
    remove: ['web'],
  });
  expect(changeOf(LABELS, 2, new Map([['web', true]]), '')).toEqual({ add: [], remove: [] });
  expect(changeOf(LABELS, 2, new Map([['eu', false]]), 'eu')).toEqual({ add: ['eu'], remove: [] });
});
