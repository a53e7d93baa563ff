/** Believable values for tests; nothing the page ships. */
import type { Host, Totals } from '../api/types';

const GIB = 2 ** 30;

export function exampleHost(change: Partial<Host> = {}): Host {
  return {
    id: 'h1',
    name: 'web1',
    kind: 'linux',
    state: 'online',
    address: '10.0.0.11',
    groups: ['web'],
    tags: ['prod'],
    cluster: null,
    cpu_percent: 12.5,
    cpus: 8,
    load: [0.5, 0.4, 0.3],
    memory: {
      total_bytes: 16 * GIB,
      used_bytes: 4 * GIB,
      available_bytes: 12 * GIB,
      source: 'MemAvailable',
      arc_bytes: null,
    },
    swap: { total_bytes: 0, used_bytes: 0 },
    disk: { total_bytes: 100 * GIB, used_bytes: 60 * GIB },
    network: { received_bytes_per_second: 1000, sent_bytes_per_second: 2000 },
    uptime_seconds: 86_400,
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0',
    proxmox_version: null,
    guests: null,
    guest_of: null,
    observed_at: '2026-11-21T04:00:00Z',
    age_seconds: 1,
    via: ['ssh'],
    clock_skew_seconds: null,
    problem: null,
    unseen: [],
    ...change,
  };
}

export function exampleTotals(): Totals {
  return {
    hosts: { total: 2, online: 2, offline: 0, unknown: 0, maintenance: 0 },
    guests: { running: 0, total: 0 },
    cpus: 16,
    cpu_percent: 12.5,
    memory: { total_bytes: 32 * GIB, used_bytes: 8 * GIB },
    swap: { total_bytes: 0, used_bytes: 0 },
    disk: { total_bytes: 200 * GIB, used_bytes: 120 * GIB },
    network: { received_bytes_per_second: 2000, sent_bytes_per_second: 4000 },
    observed_at: '2026-11-21T04:00:00Z',
  };
}
