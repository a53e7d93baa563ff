import { expect, test } from 'vitest';
import { machinesOf } from './machines';

test('each machine has a label of its own, and what does not run has none', () => {
  const hosts = [
    { id: 'h1', name: 'web1' },
    { id: 'h2', name: 'web1' },
  ];
  const guests = [
    { id: 'c1:101', name: 'mail', vmid: '101', status: 'running' as const },
    { id: 'c1:102', name: 'old', vmid: '102', status: 'stopped' as const },
    { id: 'c2:103', name: null, vmid: '103', status: 'running' as const },
  ];
  expect(machinesOf(hosts, guests).map(({ machine, label }) => [machine, label])).toEqual([
    ['host:h1', 'web1'],
    ['host:h2', 'host:h2'],
    ['guest:c1:101', 'mail (101)'],
    ['guest:c2:103', '103'],
  ]);
});
