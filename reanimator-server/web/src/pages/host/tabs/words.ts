/** Facts of a host in few words. */
import { codeText } from '../../../facts/codes';
import type { Host, HostDetail, HostDetails, StorageRow } from '../../../api/types';
import { NONE } from '../../../format';
import { format, t } from '../../../i18n';

type Hardware = NonNullable<HostDetails['hardware']>;
type Pi = NonNullable<Hardware['raspberry_pi']>;

/** Vendor, product and version of a part: `Dell Inc. PowerEdge R740`. */
export function partText({ vendor, product, version }: Hardware['system']): string | null {
  return [vendor, product, version].filter(Boolean).join(' ') || null;
}

export function bankText({ slot, bank }: Hardware['memory']['modules'][number]): string {
  return [slot, bank].filter(Boolean).join(', ') || NONE;
}

/** Caches, the smallest first: `L1d 96 KiB, L2 2 MiB`. */
export function cacheText(caches: Readonly<Record<string, number>>): string {
  return Object.entries(caches)
    .map(([name, size]) => `${name} ${format.bytes(size)}`)
    .join(', ');
}

/** What a Raspberry Pi suffers from. */
export function throttlingText(flags: Pi['now']): string | null {
  if (!flags) return null;
  const found = [
    flags.under_voltage && t.host.lowVoltage,
    flags.frequency_capped && t.host.frequencyCapped,
    flags.throttled && t.host.throttled,
    flags.soft_temperature_limit && t.host.temperatureLimit,
  ].filter((word) => word !== false);
  return found.join(', ') || t.host.nothing;
}

/** A module or port as text, with the address it listens at: `0.0.0.0:8080 → 80/tcp`. */
export function portText(port: {
  container_port: number;
  protocol: string;
  host_address: string | null;
  host_port: number | null;
}): string {
  const inside = `${port.container_port}/${port.protocol}`;
  return port.host_port === null ? inside : `${port.host_address ?? ''}:${port.host_port} → ${inside}`;
}

/** Why a whole section may be missing, apart from not having been looked at yet. */
export function whyMissing({ kind, proxmox }: HostDetails): string | null {
  return kind === 'proxmox' && proxmox ? t.host.apiAlone : null;
}

/** How many of a file system's inodes are taken, from 0 to 100. */
export function inodeShare({ inodes_used: used, inodes_total: all }: Inodes): number | null {
  return used === null || !all ? null : (used / all) * 100;
}

interface Inodes {
  inodes_used: number | null;
  inodes_total: number | null;
}

type Smart = NonNullable<HostDetails['disks']>['smart'][number];

/** What SMART counts that should be nothing: `5 reallocated sectors, 2 CRC errors`. */
export function smartTroubles(disk: Smart): string | null {
  const counts: [number | null, (count: number) => string][] = [
    [disk.reallocated_sectors, t.host.reallocated],
    [disk.pending_sectors, t.host.pendingSectors],
    [disk.uncorrectable_sectors, t.host.uncorrectable],
    [disk.crc_errors, t.host.crcErrors],
    [disk.media_errors, t.host.mediaErrors],
  ];
  const found = counts.flatMap(([count, told]) => (count ? [told(count)] : []));
  const warning =
    disk.critical_warning === null ? [] : [t.host.warningBits(`0x${disk.critical_warning.toString(16)}`)];
  return [...found, ...disk.failing_attributes, ...warning].join(', ') || null;
}

/** What the disk itself says of its future. */
export function verdictText({ passed }: Smart): string | null {
  return passed === null ? null : passed ? t.host.passed : t.host.aboutToFail;
}

/** What is left of the spare blocks, and how many there must be: `97%, at least 10%`. */
export function spareText(disk: Smart): string | null {
  const { available_spare_percent: left, available_spare_threshold_percent: least } = disk;
  if (left === null) return null;
  return least === null ? format.percent(left) : t.host.atLeast(format.percent(left), format.percent(least));
}

export function spareLevel(disk: Smart): 'bad' | null {
  const { available_spare_percent: left, available_spare_threshold_percent: least } = disk;
  return left !== null && least !== null && left < least ? 'bad' : null;
}

/** The last test of itself: `short: completed without error, after 1,200 h`. */
export function selfTestText({ self_test: test }: Smart): string | null {
  if (!test) return null;
  const told = [test.kind, test.result].filter(Boolean).join(': ');
  return test.power_on_hours === null ? told : t.host.afterHours(told, format.count(test.power_on_hours));
}

type Interface = NonNullable<HostDetails['network_facts']>['interfaces'][number];

/** How an interface hangs together with others: `of vmbr0; ports eth0, tap1; VLAN 20 on eth0`. */
export function memberText({ master, bridge, vlan, bond }: Interface): string {
  return [
    master && t.host.ofMaster(master),
    bridge && bridge.ports.length > 0 && t.host.portsAre(bridge.ports.join(', ')),
    bridge?.vlan_aware && t.host.vlanAware,
    bridge?.stp && t.host.spanningTree,
    vlan && (vlan.parent ? t.host.vlanOn(String(vlan.id ?? '?'), vlan.parent) : `VLAN ${vlan.id ?? '?'}`),
    bond && `${t.host.bondOf(bond.members.join(', '))}${bond.mode ? ` (${bond.mode})` : ''}`,
    bond?.active && t.host.activeIs(bond.active),
  ]
    .filter(Boolean)
    .join('; ');
}

/** An address with what is unusual about it: `192.0.2.7/24 (leased)`. */
export function addressText({
  address,
  prefix,
  dynamic,
  scope,
  temporary,
}: Interface['addresses'][number]): string {
  const marks = [dynamic && t.host.leased, temporary && t.host.temporary, scope !== 'global' && scope].filter(
    Boolean,
  );
  return `${address}/${prefix}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
}

type Container = NonNullable<HostDetails['containers']>['containers'][number];

/** A container's state with its health and how it ended: `running, healthy`; `exited with 137, out of memory`. */
export function containerState({ state, health, exit_code, out_of_memory }: Container): string {
  const ended =
    state !== 'running' && exit_code !== null
      ? t.host.exitedWith(codeText(state), String(exit_code))
      : codeText(state);
  return [ended, codeText(health), out_of_memory ? t.host.outOfMemory : null].filter(Boolean).join(', ');
}

export function containerLevel({
  state,
  health,
  exit_code,
  out_of_memory,
}: Container): 'bad' | 'warn' | null {
  if (health === 'unhealthy' || out_of_memory || state === 'dead') return 'bad';
  return state === 'restarting' || (state === 'exited' && exit_code !== null && exit_code !== 0)
    ? 'warn'
    : null;
}

type Pressure = NonNullable<NonNullable<HostDetail['telemetry']>['pressure']>;
type NodePressure = NonNullable<NonNullable<HostDetails['proxmox']>['pressure']>;

/** Means over ten seconds, a minute and five, where they are known. */
type Spans = readonly [short: number | null, minute: number | null, long: number | null];

export interface PressureRow {
  what: string;
  some: Spans;
  all: Spans | null;
}

/** Pressure as rows: what was waited for, by some work and by all. A node's API tells of a minute alone. */
export function pressureRows(pressure: Pressure, node: NodePressure | null): PressureRow[] {
  const spans = ({ avg10, avg60, avg300 }: Pressure[string]['some']): Spans => [avg10, avg60, avg300];
  const rows = Object.entries(pressure).map(([what, { some, full }]) => ({
    what,
    some: spans(some),
    all: full && spans(full),
  }));
  if (rows.length > 0) return rows;
  return Object.entries(node?.minute ?? {}).map(([what, { some_percent, full_percent }]) => ({
    what,
    some: [null, some_percent, null] as const,
    all: full_percent === null ? null : ([null, full_percent, null] as const),
  }));
}

/** Means in a row: `90%, 86%, 71%`; of a minute alone where that is all there is. */
export function spansText(spans: Spans | null): string | null {
  if (!spans) return null;
  return (
    spans
      .filter((each) => each !== null)
      .map(format.percent)
      .join(', ') || null
  );
}

/** The storages of Proxmox that a node can use; file systems have no history of their own. */
export function storagesOf(
  rows: readonly StorageRow[],
  host: Pick<Host, 'name' | 'cluster'>,
  details: Pick<HostDetails, 'hostname'>,
): StorageRow[] {
  const isHere = ({ node }: StorageRow) =>
    node.split(',').some((name) => name === host.name || name === details.hostname);
  return rows.filter((row) => row.content !== null && row.cluster === host.cluster && isHere(row));
}

/** What tells of the memory: a word of the kernel as it is, the API of Proxmox in the person's language. */
export function memorySource(source: string | undefined): string | undefined {
  return source === 'Proxmox API' ? t.host.proxmoxApi : source;
}

/** A way to a host as people read it: `pve1 of sim1`. What is an address stays one. */
export function linkText({ kind, text }: Pick<HostDetail['links'][number], 'kind' | 'text'>): string {
  if (kind === 'local') return t.common.thisMachine;
  const [, what, of] = (kind !== 'ssh' && /^(\S+) of (.+)$/.exec(text)) || [];
  if (!what || !of) return text;
  return kind === 'guest' ? t.host.guestOf(what, of) : t.host.nodeOf(what, of);
}

/** So many in a second: no more digits than mean something. */
export function perSecond(value: number): string {
  return format.figure(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10, '/s');
}
