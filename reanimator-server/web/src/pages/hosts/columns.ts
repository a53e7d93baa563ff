/** The hosts' table: live figures of the host, and slower facts of its row, side by side. */
import type { Host, HostState, NodeRow } from '../../api/types';
import { NONE, share } from '../../format';
import { format, t } from '../../i18n';
import type { Column } from '../../table/table';
import { kindText } from '../../words';

export interface HostLine {
  host: Host;
  /** Its row of the dashboard; absent until that was read. */
  row: NodeRow | undefined;
}

const STATE_ORDER: Record<HostState, number> = { offline: 0, unknown: 1, maintenance: 2, online: 3 };

/** The lines that were made of a host: one that is as it was is the very same. */
const known = new WeakMap<Host, HostLine>();

/** Each live host with its row. Hosts are what the live line tells; a row without one has gone. */
export function linesOf(hosts: readonly Host[], rows: readonly NodeRow[]): HostLine[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return hosts.map((host) => {
    const row = byId.get(host.id);
    const before = known.get(host);
    if (before && before.row === row) return before;
    const line = { host, row };
    known.set(host, line);
    return line;
  });
}

/** Cores by sockets: `2 × 8`. */
export function coresText(row: NodeRow | undefined): string {
  if (!row?.cpu_cores) return NONE;
  return row.cpu_sockets && row.cpu_sockets > 1
    ? `${row.cpu_sockets} × ${row.cpu_cores}`
    : format.count(row.cpu_cores);
}

/** Waiting updates, those for security apart: `12, 3 security`. */
export function updatesText(row: NodeRow | undefined): string {
  if (row?.updates_pending === null || row?.updates_pending === undefined) return NONE;
  const pending = format.count(row.updates_pending);
  return row.updates_security ? t.hosts.updates(pending, format.count(row.updates_security)) : pending;
}

export const COLUMNS: readonly Column<HostLine>[] = [
  {
    id: 'name',
    get title() {
      return t.hosts.columns.name;
    },
    key: ({ host }) => host.name,
    width: 11,
  },
  {
    id: 'state',
    get title() {
      return t.hosts.columns.state;
    },
    key: ({ host }) => STATE_ORDER[host.state],
    width: 6.5,
    rank: 12,
  },
  {
    id: 'kind',
    get title() {
      return t.hosts.columns.kind;
    },
    key: ({ host }) => host.kind,
    text: ({ host }) => kindText(host.kind),
    width: 6,
    rank: 10,
  },
  {
    id: 'cpu',
    get title() {
      return t.hosts.columns.cpu;
    },
    key: ({ host }) => host.cpu_percent,
    numeric: true,
    meter: true,
    width: 5,
  },
  {
    id: 'trend',
    get title() {
      return t.hosts.columns.trend;
    },
    key: () => null,
    fixed: true,
    width: 6,
    rank: 2,
  },
  {
    id: 'memory',
    get title() {
      return t.hosts.columns.memory;
    },
    key: ({ host }) => share(host.memory),
    numeric: true,
    meter: true,
    width: 5.5,
  },
  {
    id: 'disk',
    get title() {
      return t.hosts.columns.disk;
    },
    key: ({ host }) => share(host.disk),
    numeric: true,
    meter: true,
    width: 5.5,
    rank: 1,
  },
  {
    id: 'load',
    get title() {
      return t.hosts.columns.load;
    },
    key: ({ host }) => host.load?.[0] ?? null,
    text: ({ host }) => format.load(host.load?.[0]),
    numeric: true,
    width: 4.5,
    rank: 5,
  },
  {
    id: 'cores',
    get title() {
      return t.hosts.columns.cores;
    },
    key: ({ row }) => (row?.cpu_cores ? row.cpu_cores * (row.cpu_sockets ?? 1) : null),
    text: ({ row }) => coresText(row),
    numeric: true,
    width: 4.5,
    rank: 8,
  },
  {
    id: 'temperature',
    get title() {
      return t.hosts.columns.temperature;
    },
    key: ({ row }) => row?.temperature_highest_c ?? null,
    text: ({ row }) => format.celsius(row?.temperature_highest_c),
    numeric: true,
    width: 5.5,
    rank: 6,
  },
  {
    id: 'updates',
    get title() {
      return t.hosts.columns.updates;
    },
    key: ({ row }) => row?.updates_pending ?? null,
    text: ({ row }) => updatesText(row),
    numeric: true,
    width: 8.5,
    rank: 4,
  },
  {
    id: 'guests',
    get title() {
      return t.hosts.columns.guests;
    },
    key: ({ host }) => host.guests?.running ?? null,
    text: ({ host }) => (host.guests ? `${host.guests.running} / ${host.guests.total}` : NONE),
    numeric: true,
    width: 5,
    rank: 7,
  },
  {
    id: 'version',
    get title() {
      return t.hosts.columns.version;
    },
    key: ({ host }) => host.proxmox_version ?? host.os,
    text: ({ host }) => (host.proxmox_version ? `PVE ${host.proxmox_version}` : (host.os ?? NONE)),
    width: 8,
    rank: 9,
  },
  {
    id: 'uptime',
    get title() {
      return t.hosts.columns.uptime;
    },
    key: ({ host }) => host.uptime_seconds,
    text: ({ host }) => format.duration(host.uptime_seconds),
    numeric: true,
    width: 6,
    rank: 11,
  },
  {
    id: 'hostname',
    get title() {
      return t.hosts.columns.hostname;
    },
    key: ({ row }) => row?.hostname ?? null,
    text: ({ row }) => row?.hostname ?? NONE,
    width: 8,
    rank: 20,
    extra: true,
  },
  {
    id: 'licence',
    get title() {
      return t.hosts.columns.licence;
    },
    key: ({ row }) => row?.license_status ?? null,
    text: ({ row }) => row?.license_status ?? NONE,
    width: 6,
    rank: 13,
    extra: true,
  },
  {
    id: 'kernel',
    get title() {
      return t.hosts.columns.kernel;
    },
    key: ({ host }) => host.kernel,
    text: ({ host }) => host.kernel ?? NONE,
    width: 9,
    rank: 14,
    extra: true,
  },
  {
    id: 'cluster',
    get title() {
      return t.hosts.columns.cluster;
    },
    key: ({ host }) => host.cluster,
    text: ({ host }) => host.cluster ?? NONE,
    width: 6,
    rank: 15,
    extra: true,
  },
  {
    id: 'groups',
    get title() {
      return t.hosts.columns.groups;
    },
    key: ({ host }) => [...host.groups, ...host.tags].join(', ') || null,
    text: ({ host }) => [...host.groups, ...host.tags].join(', ') || NONE,
    width: 9,
    rank: 16,
    extra: true,
  },
  {
    id: 'units',
    get title() {
      return t.hosts.columns.units;
    },
    key: ({ row }) => row?.failed_units ?? null,
    text: ({ row }) => format.count(row?.failed_units),
    numeric: true,
    width: 6,
    rank: 17,
    extra: true,
  },
  {
    id: 'containers',
    get title() {
      return t.hosts.columns.containers;
    },
    key: ({ row }) => row?.containers_running ?? null,
    text: ({ row }) => format.count(row?.containers_running),
    numeric: true,
    width: 6,
    rank: 18,
    extra: true,
  },
  {
    id: 'reboot',
    get title() {
      return t.hosts.columns.reboot;
    },
    key: ({ row }) => (row?.reboot_needed ? 0 : 1),
    text: ({ row }) => format.yes(row?.reboot_needed),
    width: 6,
    rank: 19,
    extra: true,
  },
  {
    // Older first when ascending would be a surprise: the age grows as the time of observation shrinks.
    id: 'age',
    get title() {
      return t.hosts.columns.age;
    },
    key: ({ host }) => (host.observed_at ? -Date.parse(host.observed_at) : null),
    numeric: true,
    smallFirst: true,
    width: 4.5,
    rank: 3,
  },
];

/** What a filter looks at. */
export const searchable = ({ host, row }: HostLine) => [
  host.name,
  host.address,
  host.os,
  host.cluster,
  host.kind,
  host.state,
  t.common.states[host.state],
  row?.hostname,
  ...host.groups,
  ...host.tags,
];
