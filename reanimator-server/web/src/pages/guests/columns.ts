/** The guests' table. */
import type { GuestStatus, VmRow } from '../../api/types';
import { NONE } from '../../format';
import { format, t } from '../../i18n';
import type { Column } from '../../table/table';

export const STATUS_ORDER: Record<GuestStatus, number> = {
  unknown: 0,
  paused: 1,
  stopped: 2,
  running: 3,
};

/** What is off uses nothing, which is another thing than using 0 %. */
export const cpuPercent = (row: VmRow): number | null => (row.status === 'stopped' ? null : row.cpu_percent);
export const ramPercent = (row: VmRow): number | null => (row.status === 'stopped' ? null : row.ram_percent);

/** How full a guest's disks are, where somebody knows. */
export function storagePercent({ storage_used_gb: used, storage_total_gb: total }: VmRow): number | null {
  return used !== null && total ? (used / total) * 100 : null;
}

/** What its disks hold, of how much: `12 GiB of 32 GiB`; their size alone where nobody knows. */
export function storageText({ storage_used_gb: used, storage_total_gb: total }: VmRow): string {
  if (total === null) return NONE;
  return used === null ? format.gib(total) : t.guests.of(format.gib(used), format.gib(total));
}

export const COLUMNS: readonly Column<VmRow>[] = [
  {
    id: 'name',
    get title() {
      return t.guests.columns.name;
    },
    key: ({ name, vmid }) => name ?? vmid,
    width: 10,
  },
  {
    id: 'vmid',
    get title() {
      return t.guests.columns.vmid;
    },
    key: ({ vmid }) => Number(vmid),
    text: ({ vmid }) => vmid,
    numeric: true,
    smallFirst: true,
    width: 4.5,
    rank: 2,
  },
  {
    id: 'status',
    get title() {
      return t.guests.columns.status;
    },
    key: ({ status }) => STATUS_ORDER[status],
    width: 6.5,
  },
  {
    id: 'node',
    get title() {
      return t.guests.columns.node;
    },
    key: ({ node }) => node,
    width: 6,
    rank: 3,
  },
  {
    id: 'cpu',
    get title() {
      return t.guests.columns.cpu;
    },
    key: cpuPercent,
    numeric: true,
    meter: true,
    width: 5,
  },
  {
    id: 'trend',
    get title() {
      return t.guests.columns.trend;
    },
    key: () => null,
    fixed: true,
    width: 6,
    rank: 3,
  },
  {
    id: 'memory',
    get title() {
      return t.guests.columns.memory;
    },
    key: ramPercent,
    numeric: true,
    meter: true,
    width: 5.5,
    rank: 1,
  },
  {
    id: 'storage',
    get title() {
      return t.guests.columns.storage;
    },
    key: storagePercent,
    text: storageText,
    numeric: true,
    meter: true,
    width: 9,
    rank: 5,
  },
  {
    id: 'uptime',
    get title() {
      return t.guests.columns.uptime;
    },
    key: (row) => row.uptime_seconds,
    text: (row) => format.duration(row.uptime_seconds),
    numeric: true,
    width: 6.5,
    rank: 7,
  },
  {
    id: 'addresses',
    get title() {
      return t.guests.columns.addresses;
    },
    key: (row) => row.ip_addresses[0] ?? null,
    text: (row) => row.ip_addresses.join(', ') || NONE,
    mono: true,
    width: 8.5,
    rank: 6,
  },
  {
    id: 'tags',
    get title() {
      return t.guests.columns.tags;
    },
    key: (row) => row.tags.join(', ') || null,
    text: (row) => row.tags.join(', ') || NONE,
    width: 7,
    rank: 8,
  },
  {
    id: 'kind',
    get title() {
      return t.guests.columns.kind;
    },
    key: ({ kind }) => kind,
    text: ({ kind }) => t.guests.kinds[kind],
    width: 5.5,
    rank: 9,
  },
  {
    id: 'cluster',
    get title() {
      return t.guests.columns.cluster;
    },
    key: ({ cluster }) => cluster,
    text: ({ cluster }) => cluster ?? NONE,
    width: 6,
    rank: 10,
    extra: true,
  },
  {
    id: 'age',
    get title() {
      return t.guests.columns.age;
    },
    key: (row) => (row.observed_at ? -Date.parse(row.observed_at) : null),
    numeric: true,
    smallFirst: true,
    width: 4.5,
    rank: 4,
  },
];

export const searchable = (row: VmRow) => [
  row.name,
  row.vmid,
  row.node,
  row.cluster,
  row.status,
  t.common.guestStates[row.status],
  row.kind,
  t.guests.kinds[row.kind],
  ...row.ip_addresses,
  ...row.tags,
];

export const guestName = ({ name, vmid }: Pick<VmRow, 'name' | 'vmid'>): string =>
  name ?? t.guests.nameless(vmid);
