/** The interfaces' table. */
import type { InterfaceRow } from '../../api/types';
import { NONE } from '../../format';
import { format, t } from '../../i18n';
import type { Column } from '../../table/table';

/** The bridge or bond it is part of, and its VLAN: `vmbr0, VLAN 20`. */
export function memberText({ master, vlan }: InterfaceRow): string {
  const parts = [master, vlan === null ? null : t.network.vlan(vlan)].filter(Boolean);
  return parts.join(', ') || NONE;
}

const TYPES = (): Readonly<Record<string, string>> => t.network.types;
const STATES = (): Readonly<Record<string, string>> => t.network.states;

/** Codes of the server in words; those that are not known here stay as they are. */
export const typeText = ({ type }: InterfaceRow): string => TYPES()[type] ?? type;
export const stateText = ({ state }: InterfaceRow): string =>
  state === null ? NONE : (STATES()[state] ?? state);

export const COLUMNS: readonly Column<InterfaceRow>[] = [
  {
    id: 'interface',
    get title() {
      return t.network.columns.interface;
    },
    key: (row) => row.interface,
    text: (row) => row.interface,
    width: 8,
  },
  {
    id: 'node',
    get title() {
      return t.network.columns.node;
    },
    key: ({ node }) => node,
    width: 9,
  },
  {
    id: 'type',
    get title() {
      return t.network.columns.type;
    },
    key: ({ type }) => type,
    text: typeText,
    width: 6,
    rank: 2,
  },
  {
    id: 'state',
    get title() {
      return t.network.columns.state;
    },
    key: ({ state }) => state,
    width: 5.5,
  },
  {
    id: 'addresses',
    get title() {
      return t.network.columns.addresses;
    },
    key: (row) => row.addresses[0] ?? null,
    text: (row) => row.addresses.join(', ') || NONE,
    mono: true,
    width: 14,
    rank: 1,
  },
  {
    id: 'member',
    get title() {
      return t.network.columns.member;
    },
    key: (row) => row.master ?? (row.vlan === null ? null : String(row.vlan)),
    text: memberText,
    width: 8,
    rank: 4,
  },
  {
    id: 'speed',
    get title() {
      return t.network.columns.speed;
    },
    key: (row) => row.speed_mbps,
    text: (row) => format.mbps(row.speed_mbps),
    numeric: true,
    width: 6,
    rank: 5,
  },
  {
    id: 'mtu',
    get title() {
      return t.network.columns.mtu;
    },
    key: ({ mtu }) => mtu,
    text: ({ mtu }) => (mtu === null ? NONE : String(mtu)),
    numeric: true,
    width: 4.5,
    rank: 6,
  },
  {
    id: 'mac',
    get title() {
      return t.network.columns.mac;
    },
    key: ({ mac }) => mac,
    text: ({ mac }) => mac ?? NONE,
    mono: true,
    width: 9.5,
    rank: 3,
  },
  {
    id: 'age',
    get title() {
      return t.network.columns.age;
    },
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
  typeText(row),
  row.state,
  stateText(row),
  row.mac,
  row.master,
  row.vlan === null ? null : `vlan ${row.vlan}`,
  ...row.addresses,
];
