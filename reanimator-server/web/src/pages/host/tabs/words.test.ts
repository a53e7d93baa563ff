import { expect, test } from 'vitest';
import type { HostDetail, HostDetails, StorageRow } from '../../../api/types';
import {
  addressText,
  cacheText,
  inodeShare,
  partText,
  portText,
  pressureRows,
  spareLevel,
  spansText,
  spareText,
  storagesOf,
  throttlingText,
} from './words';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test('parts that nobody named are none', () => {
  expect(partText({ vendor: null, product: null, version: null, serial: 'x' })).toBeNull();
  expect(partText({ vendor: 'Dell Inc.', product: 'R740', version: null, serial: null })).toBe(
    'Dell Inc. R740',
  );
});

test('caches and ports read in few words', () => {
  expect(plain(cacheText({ L1d: 98_304, L2: 2_097_152 }))).toBe('L1d 96.0 KiB, L2 2.0 MiB');
  const port = { container_port: 80, protocol: 'tcp', host_address: '0.0.0.0', host_port: 8080 };
  expect(portText(port)).toBe('0.0.0.0:8080 → 80/tcp');
  expect(portText({ ...port, host_address: null, host_port: null })).toBe('80/tcp');
});

test('a Raspberry Pi says what it suffers from, and that it suffers from nothing', () => {
  const well = {
    under_voltage: false,
    frequency_capped: false,
    throttled: false,
    soft_temperature_limit: false,
  };
  expect(throttlingText(well)).toBe('nothing');
  expect(throttlingText({ ...well, under_voltage: true, throttled: true })).toBe(
    'too little voltage, throttled',
  );
  expect(throttlingText(null)).toBeNull();
});

test('pressure is told by who waited, and a node that knows only its minute says only that', () => {
  const line = { avg10: 1, avg60: 2, avg300: 3 };
  const host = { cpu: { some: line, full: null } } as NonNullable<HostDetail['telemetry']>['pressure'];
  expect(pressureRows(host, null)).toEqual([{ what: 'cpu', some: [1, 2, 3], all: null }]);
  const node = { at: null, minute: { io: { some_percent: 4, full_percent: null } } } as NonNullable<
    NonNullable<HostDetails['proxmox']>['pressure']
  >;
  expect(pressureRows({}, node)).toEqual([{ what: 'io', some: [null, 4, null], all: null }]);
  expect(pressureRows({}, null)).toEqual([]);
  expect([spansText([1, 2, 3]), spansText([null, 4, null]), spansText(null)]).toEqual([
    '1%, 2%, 3%',
    '4%',
    null,
  ]);
});

test('an address says what is unusual about it', () => {
  const address = { address: '192.0.2.7', prefix: 24, dynamic: false, temporary: false, scope: 'global' };
  expect(addressText(address)).toBe('192.0.2.7/24');
  expect(addressText({ ...address, dynamic: true, scope: 'link' })).toBe('192.0.2.7/24 (leased, link)');
});

test('what is left is told with what there must be, and nothing is told of what is unknown', () => {
  const disk = { available_spare_percent: 9, available_spare_threshold_percent: 10 } as NonNullable<
    HostDetails['disks']
  >['smart'][number];
  expect([spareText(disk), spareLevel(disk)]).toEqual(['9%, at least 10%', 'bad']);
  expect(spareText({ ...disk, available_spare_percent: null })).toBeNull();
  expect(inodeShare({ inodes_used: 1, inodes_total: 4 })).toBe(25);
  expect([
    inodeShare({ inodes_used: 1, inodes_total: 0 }),
    inodeShare({ inodes_used: null, inodes_total: 4 }),
  ]).toEqual([null, null]);
});

test('the storages of a node are those of its cluster that name it', () => {
  const row = (id: string, node: string, cluster: string | null, content: string | null = 'images') =>
    ({ id, node, cluster, content }) as StorageRow;
  const rows = [
    row('a', 'pve1', 'prod'),
    row('b', 'pve1,pve2', 'prod'),
    row('c', 'pve10', 'prod'),
    row('d', 'pve1', 'other'),
    row('e', 'pve1', 'prod', null),
  ];
  const found = storagesOf(rows, { name: 'renamed', cluster: 'prod' }, { hostname: 'pve1' });
  expect(found.map(({ id }) => id)).toEqual(['a', 'b']);
});
