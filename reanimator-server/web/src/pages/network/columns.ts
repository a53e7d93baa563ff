/** The interfaces' table. */
import type { InterfaceRow } from '../../api/types';
import { NONE } from '../../format';
import { format } from '../../i18n';
import type { Column } from '../../table/table';

/** The bridge or bond it is part of, and its VLAN: `vmbr0, VLAN 20`. */
export function memberText({ master, vlan }: InterfaceRow): string {
  const parts = [master, vlan === null ? null : `VLAN ${vlan}`].filter(Boolean);
  return parts.join(', ') || NONE;
}

export const COLUMNS: readonly Column<InterfaceRow>[] = [
  {
    id: 'interface',
    title: 'Interface',
    key: (row) => row.interface,
    text: (row) => row.interface,
    width: 8,
  },
  { id: 'node', title: 'Host', key: ({ node }) => node, width: 9 },
  { id: 'type', title: 'Type', key: ({ type }) => type, text: ({ type }) => type, width: 6, rank: 2 },
  { id: 'state', title: 'State', key: ({ state }) => state, width: 5.5 },
  {
    id: 'addresses',
    title: 'Addresses',
    key: (row) => row.addresses[0] ?? null,
    text: (row) => row.addresses.join(', ') || NONE,
    mono: true,
    width: 14,
    rank: 1,
  },
  {
    id: 'member',
    title: 'Bridge, VLAN',
    key: (row) => row.master ?? (row.vlan === null ? null : String(row.vlan)),
    text: memberText,
    width: 8,
    rank: 4,
  },
  {
    id: 'speed',
    title: 'Speed',
    key: (row) => row.speed_mbps,
    text: (row) => format.mbps(row.speed_mbps),
    numeric: true,
    width: 6,
    rank: 5,
  },
  {
    id: 'mtu',
    title: 'MTU',
    key: ({ mtu }) => mtu,
    text: ({ mtu }) => format.count(mtu),
    numeric: true,
    width: 4.5,
    rank: 6,
  },
  {
    id: 'mac',
    title: 'MAC',
    key: ({ mac }) => mac,
    text: ({ mac }) => mac ?? NONE,
    mono: true,
    width: 9.5,
    rank: 3,
  },
  {
    id: 'age',
    title: 'Seen',
    key: (row) => (row.observed_at ? -Date.parse(row.observed_at) : null),
    numeric: true,
    smallFirst: true,
    width: 4.5,
    rank: 7,
  },
];

export const searchable = (row: InterfaceRow) => [
  row.interface,
  row.node,
  row.type,
  row.state,
  row.mac,
  row.master,
  row.vlan === null ? null : `vlan ${row.vlan}`,
  ...row.addresses,
];
