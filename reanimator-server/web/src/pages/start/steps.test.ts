import { expect, test } from 'vitest';
import type { Host } from '../../api/types';
import { exampleHost } from '../../live/example';
import { stepAfter, stepNow, statesOf, waysOf } from './steps';

const host = (name: string, via: string[], more: Partial<Host> = {}): Host =>
  exampleHost({ id: name, name, via, ...more });

test('a fleet of this machine alone has the first host to add', () => {
  const states = statesOf(waysOf([host('vm', ['local'])], []), []);
  expect(states).toEqual({
    account: 'done',
    machine: 'done',
    host: 'now',
    proxmox: 'later',
    import: 'later',
  });
});

test('before the first look, this machine is waited for and nothing waits for it', () => {
  const states = statesOf(waysOf([host('vm', ['local'], { observed_at: null })], []), []);
  expect(states.machine).toBe('later');
  expect(stepNow(states)).toBe('host');
});

test('what is skipped is passed over, and done all the same once it is there', () => {
  const skipped = ['host', 'proxmox'];
  expect(stepNow(statesOf(waysOf([], []), skipped))).toBe('import');
  const states = statesOf(waysOf([host('pve1', ['proxmox'])], []), skipped);
  expect(states).toMatchObject({ host: 'skipped', proxmox: 'done', import: 'now' });
});

test('an import is done once one of its hosts has answered', () => {
  const state = (observed_at: string | null) =>
    statesOf(waysOf([host('old1', ['ssh'], { observed_at })], ['old1']), []).import;
  expect([state(null), state('2026-11-21T04:00:00Z')]).toEqual(['later', 'done']);
});

test('hosts stand where they came in, in the order of their names', () => {
  const hosts = [
    host('web10', ['ssh']),
    host('web9', ['ssh']),
    host('old1', ['ssh']),
    host('pve1', ['proxmox', 'ssh']),
    host('vm', ['local']),
  ];
  const ways = waysOf(hosts, ['old1']);
  const names = (list: Host[]) => list.map(({ name }) => name);
  expect(names(ways.host)).toEqual(['web9', 'web10']);
  expect(names(ways.import)).toEqual(['old1']);
  expect(names(ways.proxmox)).toEqual(['pve1']);
  expect(names(ways.machine)).toEqual(['vm']);
  expect(stepNow(statesOf(ways, []))).toBeNull();
});

test('after a step comes the first that is still to be taken', () => {
  const states = statesOf(waysOf([], []), []);
  expect(stepAfter(states, 'host')).toBe('proxmox');
  expect(stepAfter(states, 'proxmox')).toBe('host');
  expect(stepAfter(statesOf(waysOf([], []), ['proxmox', 'import']), 'host')).toBeNull();
});
