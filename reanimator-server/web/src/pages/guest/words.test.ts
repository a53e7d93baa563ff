import { expect, test } from 'vitest';
import type { GuestDetails } from '../../api/types';
import { cardOptions, diskOptions, pressureText, settingRows, snapshotTree } from './words';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');
const snapshot = (name: string, parent: string | null = null) => ({ name, parent });
const shown = (list: { name: string; parent: string | null }[]) =>
  snapshotTree(list).map(({ depth, snapshot: each }) => `${'-'.repeat(depth)}${each.name}`);

test('snapshots stand as a tree, under the one they came from', () => {
  expect(shown([snapshot('c', 'b'), snapshot('a'), snapshot('b', 'a'), snapshot('x')])).toEqual([
    'a',
    '-b',
    '--c',
    'x',
  ]);
});

test('a snapshot whose parent is gone, or that is its own, is shown all the same, once', () => {
  expect(shown([snapshot('a', 'gone'), snapshot('b', 'b'), snapshot('c', 'd'), snapshot('d', 'c')])).toEqual([
    'a',
    'b',
    'c',
    'd',
  ]);
});

test('options are told in few words, and what is not set is not told', () => {
  const disk = {
    format: 'raw',
    cache: 'none',
    ssd: true,
    discard: null,
    backup: false,
  } as unknown as GuestDetails['disks'][number];
  expect(diskOptions(disk)).toBe('raw, cache none, SSD, not backed up');
  const card = {
    firewall: true,
    link_down: false,
    rate_mb_per_second: 10,
    trunks: null,
  } as unknown as GuestDetails['networks'][number];
  expect(plain(cardOptions(card))).toBe('firewall, at most 10 MB/s');
  expect(pressureText({ cpu: { some_percent: 2, full_percent: null } })).toBe('CPU 2%');
  expect(pressureText(undefined)).toBe('');
});

test('settings that nobody set are left out', () => {
  expect(settingRows({ a: 1, b: null, c: '', d: { x: 1 }, e: false })).toEqual([
    { name: 'a', value: '1' },
    { name: 'd', value: '{"x":1}' },
    { name: 'e', value: 'false' },
  ]);
});
