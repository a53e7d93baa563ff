/** The fleet table's logic: columns, order, filter and selection, without a document. */
import type { Host, HostState } from '../../api/types';
import { share } from '../../format';

export type ColumnId =
  'name' | 'kind' | 'state' | 'cpu' | 'memory' | 'disk' | 'load' | 'uptime' | 'guests' | 'age';

export interface Column {
  id: ColumnId;
  title: string;
  /** Figures stand at the end of their column. */
  numeric: boolean;
  /** What to sort by; null sorts last in either direction. */
  key: (host: Host) => string | number | null;
}

const STATE_ORDER: Record<HostState, number> = { offline: 0, unknown: 1, maintenance: 2, online: 3 };

export const COLUMNS: readonly Column[] = [
  { id: 'name', title: 'Name', numeric: false, key: (host) => host.name },
  { id: 'kind', title: 'Kind', numeric: false, key: (host) => host.kind },
  { id: 'state', title: 'State', numeric: false, key: (host) => STATE_ORDER[host.state] },
  { id: 'cpu', title: 'CPU', numeric: true, key: (host) => host.cpu_percent },
  { id: 'memory', title: 'Memory', numeric: true, key: (host) => share(host.memory) },
  { id: 'disk', title: 'Disk', numeric: true, key: (host) => share(host.disk) },
  { id: 'load', title: 'Load', numeric: true, key: (host) => host.load?.[0] ?? null },
  { id: 'uptime', title: 'Uptime', numeric: true, key: (host) => host.uptime_seconds },
  { id: 'guests', title: 'Guests', numeric: true, key: (host) => host.guests?.running ?? null },
  // Older first when ascending would be a surprise: the age grows as the time of observation shrinks.
  {
    id: 'age',
    title: 'Seen',
    numeric: true,
    key: (host) => (host.observed_at ? -Date.parse(host.observed_at) : null),
  },
];

export interface Order {
  column: ColumnId;
  descending: boolean;
}

export const DEFAULT_ORDER: Order = { column: 'name', descending: false };

/** Reads an order as it stands in the address: `cpu` or `-cpu`. What makes no sense is the default. */
export function parseOrder(text: string): Order {
  const column = COLUMNS.find(({ id }) => id === text.replace(/^-/, ''));
  return column ? { column: column.id, descending: text.startsWith('-') } : DEFAULT_ORDER;
}

export function writeOrder({ column, descending }: Order): string {
  if (column === DEFAULT_ORDER.column && !descending) return '';
  return descending ? `-${column}` : column;
}

/** The order after a click on a heading: figures start with the largest, words with the first. */
export function nextOrder(order: Order, column: Column): Order {
  if (order.column === column.id) return { column: column.id, descending: !order.descending };
  return { column: column.id, descending: column.numeric && column.id !== 'age' };
}

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The hosts in order; equal ones by name, unknown figures last. */
export function sortHosts(hosts: readonly Host[], order: Order): Host[] {
  const column = COLUMNS.find(({ id }) => id === order.column);
  const sign = order.descending ? -1 : 1;
  const keyed = hosts.map((host) => ({ host, key: column?.key(host) ?? null }));
  keyed.sort((a, b) => compare(a.key, b.key, sign) || byName.compare(a.host.name, b.host.name));
  return keyed.map(({ host }) => host);
}

function compare(a: string | number | null, b: string | number | null, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'string' || typeof b === 'string') return sign * byName.compare(String(a), String(b));
  return sign * (a - b);
}

/** The hosts in which every word of the text occurs: in name, address, system, cluster, groups, tags or state. */
export function filterHosts(hosts: readonly Host[], text: string): Host[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...hosts];
  return hosts.filter((host) => {
    const all = searchable(host);
    return words.every((word) => all.includes(word));
  });
}

function searchable(host: Host): string {
  const parts = [host.name, host.address, host.os, host.cluster, host.kind, host.state];
  return [...parts, ...host.groups, ...host.tags].filter(Boolean).join('\n').toLowerCase();
}

/** How the shown hosts stand to the selection. */
export function selectionOf(shown: readonly Host[], chosen: ReadonlySet<string>): 'none' | 'some' | 'all' {
  const count = shown.filter(({ id }) => chosen.has(id)).length;
  if (count === 0) return 'none';
  return count === shown.length ? 'all' : 'some';
}

/** The selection after the heading's box is clicked: all shown ones, or none of them; hidden ones stay as they are. */
export function toggleShown(shown: readonly Host[], chosen: ReadonlySet<string>): Set<string> {
  const next = new Set(chosen);
  const all = selectionOf(shown, chosen) === 'all';
  for (const { id } of shown) {
    if (all) next.delete(id);
    else next.add(id);
  }
  return next;
}
