import { expect, test } from 'vitest';
import type { TopologyBridge, TopologyGuest, TopologyHost } from '../../api/types';
import {
  MOST_GUESTS,
  clustersOf,
  countFound,
  countStates,
  drawnGuests,
  finderOf,
  sharedNetworks,
  subnetOf,
} from './topology';

const guest = (id: string, change: Partial<TopologyGuest> = {}): TopologyGuest => ({
  id,
  vmid: id,
  name: `guest-${id}`,
  kind: 'qemu',
  status: 'running',
  nics: [],
  ...change,
});
const bridge = (name: string, change: Partial<TopologyBridge> = {}): TopologyBridge => ({
  name,
  kind: 'linux',
  active: true,
  vlan_aware: false,
  ports: [],
  addresses: [],
  guests: [],
  ...change,
});
const host = (name: string, change: Partial<TopologyHost> = {}): TopologyHost => ({
  id: name,
  name,
  kind: 'proxmox',
  state: 'online',
  cluster: 'berlin',
  bridges: [],
  unplaced: [],
  ...change,
});
const nic = (vlan: number | null) => ({ name: 'net0', vlan, addresses: ['10.1.2.3'] });

test('hosts are drawn by cluster, in order, those on their own last; a guest on two bridges counts once', () => {
  const twice = guest('100');
  const hosts = [
    host('alone', { cluster: null }),
    host('pve10', { bridges: [bridge('vmbr0', { guests: [twice] }), bridge('vmbr1', { guests: [twice] })] }),
    host('pve2', { unplaced: [guest('101')] }),
    host('x', { cluster: 'aachen' }),
  ];
  const told = clustersOf({ hosts }).map(({ name, hosts: members, guests }) => [
    name,
    members.map((each) => each.name).join(' '),
    guests,
  ]);
  expect(told).toEqual([
    ['aachen', 'x', 0],
    ['berlin', 'pve2 pve10', 2],
    ['', 'alone', 0],
  ]);
});

test('a subnet is worked out of an address and its prefix', () => {
  expect(subnetOf('10.0.3.17/24')).toBe('10.0.3.0/24');
  expect(subnetOf('192.168.255.9/20')).toBe('192.168.240.0/20');
  expect(subnetOf('255.255.255.254/1')).toBe('128.0.0.0/1');
  for (const other of ['10.0.0.1/32', '10.0.0.1', 'fe80::1/64', '300.1.1.1/8', '', 'x/24']) {
    expect(subnetOf(other)).toBeNull();
  }
});

test('bridges are one network only where their subnet or a VLAN of their guests says so', () => {
  const hosts = [
    host('a', {
      bridges: [
        bridge('vmbr0', { addresses: ['10.0.0.1/24'] }),
        bridge('vmbr1', { guests: [guest('1', { nics: [nic(20)] })] }),
        bridge('vmbr2'),
      ],
    }),
    host('b', {
      bridges: [
        bridge('vmbr0', { addresses: ['10.0.0.2/24'] }),
        bridge('vmbr1', { guests: [guest('2', { nics: [nic(20), nic(30)] })] }),
        bridge('vmbr2'),
      ],
    }),
    host('c', { bridges: [bridge('vmbr0', { addresses: ['10.9.0.2/24'] })] }),
  ];
  expect(sharedNetworks(hosts).map(({ id, hosts: members }) => [id, ...members])).toEqual([
    ['vmbr0 10.0.0.0/24', 'a', 'b'],
    ['vmbr1 vlan 20', 'a', 'b'],
  ]);
});

test('a few guests are drawn one by one, many by their number and those that are looked for', () => {
  const many = Array.from({ length: MOST_GUESTS + 1 }, (_, index) => guest(String(100 + index)));
  const how = { open: false, dense: false, hit: () => false };
  expect(drawnGuests(many.slice(1), how)).toHaveLength(MOST_GUESTS);
  expect(drawnGuests(many, how)).toEqual([]);
  expect(drawnGuests(many.slice(1), { ...how, dense: true })).toEqual([]);
  expect(drawnGuests(many, { ...how, open: true })).toBe(many);
  expect(drawnGuests(many, { ...how, hit: ({ id }) => id === '105' })).toHaveLength(1);
});

test('guests are counted by whether they run', () => {
  const guests = [guest('1'), guest('2', { status: 'stopped' }), guest('3', { status: 'paused' })];
  expect(countStates(guests)).toEqual({ running: 1, stopped: 1, other: 1 });
});

test('things are found by name, number, address or VLAN', () => {
  const hosts = [
    host('pve1', {
      bridges: [bridge('vmbr0', { addresses: ['10.0.0.1/24'], guests: [guest('100', { nics: [nic(20)] })] })],
      unplaced: [guest('200', { name: null })],
    }),
  ];
  const found = (text: string) => {
    const finder = finderOf(text);
    return finder && countFound(hosts, finder);
  };
  expect(['pve', '10.', 'VLAN 20', 'guest-100', '200', 'nothing'].map(found)).toEqual([1, 2, 1, 1, 1, 0]);
  expect(found('  ')).toBeNull();
});
