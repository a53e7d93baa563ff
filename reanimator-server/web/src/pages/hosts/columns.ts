/** The hosts' table: live figures of the host, and slower facts of its row, side by side. */
import type { Host, HostState, NodeRow } from '../../api/types';
import { NONE, share } from '../../format';
import { format } from '../../i18n';
import type { Column } from '../../table/table';
import { kindText } from '../../words';

export interface HostLine {
  host: Host;
  /** Its row of the dashboard; absent until that was read. */
  row: NodeRow | undefined;
}

const STATE_ORDER: Record<HostState, number> = { offline: 0, unknown: 1, maintenance: 2, online: 3 };

/** Each live host with its row. Hosts are what the live line tells; a row without one has gone. */
export function linesOf(hosts: readonly Host[], rows: readonly NodeRow[]): HostLine[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return hosts.map((host) => ({ host, row: byId.get(host.id) }));
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
  const security = row.updates_security ? `, ${format.count(row.updates_security)} security` : '';
  return `${format.count(row.updates_pending)}${security}`;
}

export const COLUMNS: readonly Column<HostLine>[] = [
  { id: 'name', title: 'Name', key: ({ host }) => host.name, width: 11 },
  {
    id: 'state',
    title: 'State',
    key: ({ host }) => STATE_ORDER[host.state],
    width: 7.5,
    rank: 12,
  },
  {
    id: 'kind',
    title: 'Kind',
    key: ({ host }) => host.kind,
    text: ({ host }) => kindText(host.kind),
    width: 6,
    rank: 10,
  },
  { id: 'cpu', title: 'CPU', key: ({ host }) => host.cpu_percent, numeric: true, meter: true, width: 5 },
  {
    id: 'memory',
    title: 'Memory',
    key: ({ host }) => share(host.memory),
    numeric: true,
    meter: true,
    width: 5.5,
  },
  {
    id: 'disk',
    title: 'Storage',
    key: ({ host }) => share(host.disk),
    numeric: true,
    meter: true,
    width: 5.5,
    rank: 1,
  },
  {
    id: 'load',
    title: 'Load',
    key: ({ host }) => host.load?.[0] ?? null,
    text: ({ host }) => format.load(host.load?.[0]),
    numeric: true,
    width: 4.5,
    rank: 5,
  },
  {
    id: 'cores',
    title: 'Cores',
    key: ({ row }) => (row?.cpu_cores ? row.cpu_cores * (row.cpu_sockets ?? 1) : null),
    text: ({ row }) => coresText(row),
    numeric: true,
    width: 5,
    rank: 8,
  },
  {
    id: 'temperature',
    title: 'Warmest',
    key: ({ row }) => row?.temperature_highest_c ?? null,
    text: ({ row }) => format.celsius(row?.temperature_highest_c),
    numeric: true,
    width: 5.5,
    rank: 6,
  },
  {
    id: 'updates',
    title: 'Updates',
    key: ({ row }) => row?.updates_pending ?? null,
    text: ({ row }) => updatesText(row),
    numeric: true,
    width: 8.5,
    rank: 4,
  },
  {
    id: 'guests',
    title: 'Guests',
    key: ({ host }) => host.guests?.running ?? null,
    text: ({ host }) => (host.guests ? `${host.guests.running} / ${host.guests.total}` : NONE),
    numeric: true,
    width: 5,
    rank: 7,
  },
  {
    id: 'version',
    title: 'Version',
    key: ({ host }) => host.proxmox_version ?? host.os,
    text: ({ host }) => (host.proxmox_version ? `PVE ${host.proxmox_version}` : (host.os ?? NONE)),
    width: 9,
    rank: 9,
  },
  {
    id: 'uptime',
    title: 'Uptime',
    key: ({ host }) => host.uptime_seconds,
    text: ({ host }) => format.duration(host.uptime_seconds),
    numeric: true,
    width: 7.5,
    rank: 11,
  },
  {
    id: 'licence',
    title: 'Licence',
    key: ({ row }) => row?.license_status ?? null,
    text: ({ row }) => row?.license_status ?? NONE,
    width: 6,
    rank: 13,
    extra: true,
  },
  {
    id: 'kernel',
    title: 'Kernel',
    key: ({ host }) => host.kernel,
    text: ({ host }) => host.kernel ?? NONE,
    width: 9,
    rank: 14,
    extra: true,
  },
  {
    id: 'cluster',
    title: 'Cluster',
    key: ({ host }) => host.cluster,
    text: ({ host }) => host.cluster ?? NONE,
    width: 6,
    rank: 15,
    extra: true,
  },
  {
    id: 'groups',
    title: 'Groups and tags',
    key: ({ host }) => [...host.groups, ...host.tags].join(', ') || null,
    text: ({ host }) => [...host.groups, ...host.tags].join(', ') || NONE,
    width: 9,
    rank: 16,
    extra: true,
  },
  {
    id: 'units',
    title: 'Failed units',
    key: ({ row }) => row?.failed_units ?? null,
    text: ({ row }) => format.count(row?.failed_units),
    numeric: true,
    width: 6,
    rank: 17,
    extra: true,
  },
  {
    id: 'containers',
    title: 'Containers',
    key: ({ row }) => row?.containers_running ?? null,
    text: ({ row }) => format.count(row?.containers_running),
    numeric: true,
    width: 6,
    rank: 18,
    extra: true,
  },
  {
    id: 'reboot',
    title: 'Restart due',
    key: ({ row }) => (row?.reboot_needed ? 0 : 1),
    text: ({ row }) => format.yes(row?.reboot_needed),
    width: 6,
    rank: 19,
    extra: true,
  },
  {
    // Older first when ascending would be a surprise: the age grows as the time of observation shrinks.
    id: 'age',
    title: 'Seen',
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
  row?.hostname,
  ...host.groups,
  ...host.tags,
];
