import { expect, test } from 'vitest';
import { changesOf, fits, keptFiles, waiting } from './packages';
import type { PackageChange, PackageReport, PendingPackage } from './types';

test.each([
  ['linux-image-*', 'linux-image-amd64', true],
  ['linux-image-*', 'linux-headers-amd64', false],
  ['vim', 'vim-common', false],
  ['lib?*6', 'libc6', true],
  ['lib?*6', 'lib6', false],
  ['*', '', true],
  ['a*b*c', 'axxbyyc', true],
  ['a*b*c', 'axxbyy', false],
  [`${'a*'.repeat(60)}b`, 'a'.repeat(200), false],
])('%s on %s: %s', (pattern, name, fitting) => {
  expect(fits(pattern, name)).toBe(fitting);
});

const pending = (name: string, security: boolean | null = null): PendingPackage => ({
  name,
  from: '1',
  to: '2',
  origin: null,
  security,
});

test('what closes a hole comes first, and what stays comes last with its reason', () => {
  const all = [
    pending('vim', false),
    pending('bash', true),
    pending('linux-image-amd64', true),
    pending('apt'),
  ];
  const shown = (security_only: boolean) =>
    waiting(all, { exclude: ['linux-image-*'], security_only }).map(({ name, stays }) => [name, stays]);
  expect(shown(false)).toEqual([
    ['bash', null],
    ['apt', null],
    ['vim', null],
    ['linux-image-amd64', 'excluded'],
  ]);
  expect(shown(true)).toEqual([
    ['bash', null],
    ['apt', 'not-security'],
    ['linux-image-amd64', 'excluded'],
    ['vim', 'not-security'],
  ]);
});

const report = (changes: PackageChange[], kept_files: string[] = []): PackageReport => ({
  manager: 'apt',
  changes,
  changed_count: changes.length,
  kept_files,
  left: [],
  reboot_wanted: false,
  reboot_reasons: [],
  services: [],
  failures: [],
});
const change = (name: string, from: string | null, to: string | null, security = false): PackageChange => ({
  name,
  from,
  to,
  security,
});

test('the same change on several machines is told once, with all of them on which it lasts', () => {
  const targets = [
    {
      name: 'a',
      report: report([change('vim', '1', '2'), change('bash', '5', '6', true)]),
      rolled_back: false,
    },
    {
      name: 'b',
      report: report([change('vim', '1', '2'), change('bash', '4', '6', true)]),
      rolled_back: false,
    },
    { name: 'c', report: null, rolled_back: false },
    { name: 'd', report: report([change('vim', '1', '2'), change('web', '1', '3')]), rolled_back: true },
  ];
  expect(changesOf({ targets }).map(({ name, from, machines }) => [name, from, machines.join()])).toEqual([
    ['bash', '5', 'a'],
    ['bash', '4', 'b'],
    ['vim', '1', 'a,b'],
  ]);
});

test('kept files are named with their machines', () => {
  const targets = [
    { name: 'a', report: report([], ['/etc/x.dpkg-dist']), rolled_back: false },
    { name: 'b', report: report([], ['/etc/x.dpkg-dist']), rolled_back: true },
  ];
  expect(keptFiles({ targets })).toEqual([{ machine: 'a', file: '/etc/x.dpkg-dist' }]);
});
