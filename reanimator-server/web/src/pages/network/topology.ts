/** What hangs on what: hosts by cluster, their bridges, the guests on those, and the networks that hosts share. */
import type { Topology, TopologyBridge, TopologyGuest, TopologyHost } from '../../api/types';
import { collationKey } from '../../table/collate';

/** A network that bridges of several hosts of a cluster are in, as far as the data says so. */
export interface SharedNetwork {
  id: string;
  bridge: string;
  /** The subnet or the VLAN. */
  subnet: string | null;
  vlan: number | null;
  /** Ids of its hosts. */
  hosts: readonly string[];
}

export interface ClusterPicture {
  /** Empty for the hosts that are in none. */
  name: string;
  hosts: readonly TopologyHost[];
  guests: number;
  shared: readonly SharedNetwork[];
}

const byName = <T extends { name: string }>(a: T, b: T): number =>
  collationKey(a.name) < collationKey(b.name) ? -1 : 1;

/** The hosts by cluster, those without one last. */
export function clustersOf({ hosts }: Topology): ClusterPicture[] {
  const clusters = new Map<string, TopologyHost[]>();
  for (const host of hosts) {
    const name = host.cluster ?? '';
    clusters.set(name, [...(clusters.get(name) ?? []), host]);
  }
  return [...clusters]
    .map(([name, members]) => ({
      name,
      hosts: [...members].sort(byName),
      guests: guestsOf(members).size,
      shared: name === '' ? [] : sharedNetworks(members),
    }))
    .sort((a, b) => (a.name === '' ? 1 : b.name === '' ? -1 : byName(a, b)));
}

/** Ids of all guests; one on several bridges is one. */
function guestsOf(hosts: readonly TopologyHost[]): Set<string> {
  const ids = new Set<string>();
  for (const { bridges, unplaced } of hosts) {
    for (const { guests } of bridges) for (const { id } of guests) ids.add(id);
    for (const { id } of unplaced) ids.add(id);
  }
  return ids;
}

/** VLANs of the guests on a bridge. */
export function vlansOf({ guests }: TopologyBridge): number[] {
  const vlans = new Set<number>();
  for (const { nics } of guests) for (const { vlan } of nics) if (vlan !== null) vlans.add(vlan);
  return [...vlans].sort((a, b) => a - b);
}

/**
 * Bridges of the same name are one network where their hosts have addresses in one subnet, or their guests are in
 * one VLAN. That the names are the same says nothing yet.
 */
export function sharedNetworks(hosts: readonly TopologyHost[]): SharedNetwork[] {
  const found = new Map<string, Omit<SharedNetwork, 'hosts'> & { hosts: Set<string> }>();
  for (const host of hosts) {
    for (const bridge of host.bridges) {
      for (const { id, ...network } of networksOf(bridge)) {
        const known = found.get(id) ?? { id, ...network, hosts: new Set<string>() };
        known.hosts.add(host.id);
        found.set(id, known);
      }
    }
  }
  return [...found.values()]
    .filter((network) => network.hosts.size > 1)
    .map((network) => ({ ...network, hosts: [...network.hosts] }))
    .sort((a, b) => (collationKey(a.id) < collationKey(b.id) ? -1 : 1));
}

/** The networks that a bridge is in, each with an id that is the same on every host. */
export function networksOf(bridge: TopologyBridge): Omit<SharedNetwork, 'hosts'>[] {
  const subnets = new Set(bridge.addresses.map(subnetOf).filter((subnet) => subnet !== null));
  return [
    ...[...subnets].map((subnet) => ({
      id: `${bridge.name} ${subnet}`,
      bridge: bridge.name,
      subnet,
      vlan: null,
    })),
    ...vlansOf(bridge).map((vlan) => ({
      id: `${bridge.name} vlan ${vlan}`,
      bridge: bridge.name,
      subnet: null,
      vlan,
    })),
  ];
}

/** The IPv4 subnet of an address with its prefix: `10.0.3.0/24` of `10.0.3.17/24`; null for anything else. */
export function subnetOf(address: string): string | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(address);
  if (!match) return null;
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = match.slice(1).map(Number);
  // One address alone is no network.
  if ([a, b, c, d].some((part) => part > 255) || prefix > 31) return null;
  const size = 2 ** (32 - prefix);
  const first = Math.floor((((a * 256 + b) * 256 + c) * 256 + d) / size) * size;
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${parts.join('.')}/${prefix}`;
}

/** How many guests run, do not, and are in another state. */
export function countStates(guests: readonly TopologyGuest[]): {
  running: number;
  stopped: number;
  other: number;
} {
  const counts = { running: 0, stopped: 0, other: 0 };
  for (const { status } of guests) {
    counts[status === 'running' ? 'running' : status === 'stopped' ? 'stopped' : 'other'] += 1;
  }
  return counts;
}

/** More guests than this on one bridge are told by their number. */
export const MOST_GUESTS = 12;

/** The guests that are drawn one by one: all of a few, and of many those that are looked for. */
export function drawnGuests(
  guests: readonly TopologyGuest[],
  { open, dense, hit }: { open: boolean; dense: boolean; hit: (guest: TopologyGuest) => boolean },
): readonly TopologyGuest[] {
  if (open || (!dense && guests.length <= MOST_GUESTS)) return guests;
  return guests.filter(hit);
}

/** What is looked for, as a question to each thing of the picture; null where nothing is. */
export interface Finder {
  host: (host: TopologyHost) => boolean;
  bridge: (bridge: TopologyBridge) => boolean;
  guest: (guest: TopologyGuest) => boolean;
}

export function finderOf(text: string): Finder | null {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const has = (parts: readonly (string | null)[]) => {
    const all = parts.join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  };
  return {
    host: ({ name }) => has([name]),
    bridge: ({ name, addresses, ports }) => has([name, ...addresses, ...ports]),
    guest: ({ name, vmid, nics }) =>
      has([
        name,
        vmid,
        ...nics.flatMap((nic) => [...nic.addresses, nic.vlan === null ? null : `vlan ${nic.vlan}`]),
      ]),
  };
}

/** How many things of some hosts are found. */
export function countFound(hosts: readonly TopologyHost[], finder: Finder): number {
  let count = 0;
  for (const host of hosts) {
    if (finder.host(host)) count += 1;
    for (const bridge of host.bridges) {
      if (finder.bridge(bridge)) count += 1;
      count += bridge.guests.filter(finder.guest).length;
    }
    count += host.unplaced.filter(finder.guest).length;
  }
  return count;
}
