/** Facts of a cluster in few words. */
import { codeText } from '../../facts/codes';
import type { ClusterDetails, ClusterRow, Host, NodeRow } from '../../api/types';
import type { Level } from '../../facts/table';
import { format, t } from '../../i18n';

type Ha = NonNullable<ClusterDetails['ha']>;
type Job = NonNullable<ClusterDetails['replication']>[number];
type BackupPlace = NonNullable<ClusterDetails['backups']>['places'][number];

export const clusterHref = (id: string): string => `/clusters/${encodeURIComponent(id)}`;

/** Storages and guests of a cluster carry its connection in their ids. */
export const isOf =
  (cluster: string) =>
  ({ id }: { id: string }): boolean =>
    id.startsWith(`${cluster}:`);

/** What a person asks first of a cluster. */
export function clusterRows(cluster: ClusterRow): [string, string | null][] {
  const { votes, quorate } = cluster;
  return [
    [t.facts.cluster, cluster.cluster ?? t.cluster.standsAlone],
    [t.cluster.quorum, quorate === null ? null : quorumText(quorate)],
    [t.cluster.votes, votes ? t.facts.of(format.count(votes.present), format.count(votes.expected)) : null],
    [
      t.cluster.nodesOnline,
      t.facts.of(format.count(cluster.nodes_online), format.count(cluster.nodes_total)),
    ],
    [
      t.facts.guestsRunning,
      t.facts.of(format.count(cluster.guests_running), format.count(cluster.guests_total)),
    ],
    [t.cluster.highAvailability, haText(cluster.ha_status)],
    [t.cluster.ceph, cluster.ceph_health],
    [t.facts.proxmoxVe, cluster.version],
  ];
}

/** How high availability stands, told by the server in a few words; others are shown as they are. */
export function haText(status: string | null): string | null {
  const leader = status && /^active, led by (\S+)$/.exec(status)?.[1];
  if (leader) return t.cluster.haLedBy(leader);
  const known: Readonly<Record<string, string>> = {
    'no quorum': t.cluster.haNoQuorum,
    'no manager': t.cluster.haNoManager,
  };
  return status && (known[status] ?? status);
}

/** What a node's manager says of itself: `pve1 (active, Thu Nov 26 03:00:00 2026)`. */
export function managerText(status: string | null): string | null {
  return status && status.replace(/(?<=\()[a-z-]+/, (state) => codeText(state));
}

/** What lies on a storage for backups: of how many guests, how many, and when the newest was made. */
export function placeOf({ guests }: Pick<BackupPlace, 'guests'>): {
  guests: number;
  backups: number;
  newest: string | null;
} {
  const all = Object.values(guests);
  const made = all.flatMap(({ made_at }) => (made_at ? [made_at] : []));
  return {
    guests: all.length,
    backups: all.reduce((sum, { count }) => sum + count, 0),
    newest: made.toSorted().at(-1) ?? null,
  };
}

/** The guests that a backup job takes along: all, those of a pool, or some by their numbers. */
export function backedUpText(guests: string | null): string | null {
  if (guests === 'all') return t.cluster.allGuests;
  const pool = guests && /^pool (.+)$/.exec(guests)?.[1];
  return pool ? t.cluster.guestsOfPool(pool) : guests;
}

export const quorumText = (quorate: boolean): string => (quorate ? t.cluster.hasQuorum : t.cluster.noQuorum);

/** A node of the cluster beside what the fleet knows of it as a host. */
export interface NodeLine {
  node: ClusterDetails['nodes'][number];
  row: NodeRow | undefined;
}

/** Nodes by name, each with its host where it is one of this cluster. */
export function nodeLines(
  nodes: ClusterDetails['nodes'],
  rows: readonly NodeRow[],
  { cluster, name }: Pick<ClusterRow, 'cluster' | 'name'>,
): NodeLine[] {
  const mine = rows.filter(
    (row) => row.cluster !== null && (row.cluster === cluster || row.cluster === name),
  );
  return nodes.map((node) => ({
    node,
    row: mine.find((row) => row.hostname === node.name || row.name === node.name),
  }));
}

/** A node's state: what the fleet sees of it now; else what the cluster said when it was last asked for everything. */
export function stateOf({ node, row }: NodeLine): NodeRow['state'] | null {
  if (row) return row.state;
  return node.online === null ? null : node.online ? 'online' : 'offline';
}

/** The page of a node by its name, where it is a host of this fleet. */
export function nodeHref(
  node: string | null,
  hosts: readonly Host[],
  { cluster, name }: Pick<ClusterRow, 'cluster' | 'name'>,
): string | null {
  const found = hosts.find(
    (host) =>
      host.name === node && host.cluster !== null && (host.cluster === cluster || host.cluster === name),
  );
  return found ? `/hosts/${encodeURIComponent(found.id)}` : null;
}

/** The page of a guest by what Proxmox calls it: `vm:100`, `ct:101`, `100`. */
export function guestHref(cluster: string, subject: string | null): string | null {
  const vmid = /^(?:(?:vm|ct):)?([1-9]\d{0,9})$/.exec(subject ?? '')?.[1];
  return vmid ? `/guests/${encodeURIComponent(`${cluster}:${vmid}`)}` : null;
}

/** Corosync's addresses: `link 0: 10.0.0.1`. */
export function ringText(rings: Readonly<Record<string, string>>): string {
  return Object.entries(rings)
    .map(([link, address]) => `${link}: ${address}`)
    .join(', ');
}

/** A guest that is not what it should be, or that high availability gave up on. */
export function resourceLevel({ state, wanted }: Ha['resources'][number]): Level | null {
  if (state === 'error' || state === 'fence') return 'bad';
  return state !== null && wanted !== null && state !== wanted && wanted !== 'ignored' ? 'warn' : null;
}

/** How a replication stands: `switched off`, `failed 2 times in a row`, `in order`. */
export function replicationText({ disabled, fail_count, error }: Job): string {
  if (disabled) return t.cluster.switchedOff;
  if (fail_count)
    return fail_count === 1 ? t.cluster.failedOnce : t.cluster.failedOften(format.count(fail_count));
  return error ? t.cluster.failed : t.cluster.inOrder;
}

export function replicationLevel({ disabled, fail_count, error }: Job): Level | null {
  return !disabled && (Boolean(fail_count) || Boolean(error)) ? 'bad' : null;
}

/** What nodes say of a zone: `pve1: available`. */
export function zoneStates(status: Readonly<Record<string, string>>): string {
  return Object.entries(status)
    .map(([node, state]) => `${node}: ${codeText(state)}`)
    .join(', ');
}

/** A zone that some node cannot use. */
export function zoneLevel(status: Readonly<Record<string, string>>): Level | null {
  return Object.values(status).some((state) => state === 'error') ? 'bad' : null;
}
