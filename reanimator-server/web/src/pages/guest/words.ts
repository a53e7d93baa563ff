/** Facts of a guest in few words. */
import { codeText } from '../../facts/codes';
import type { GuestDetails } from '../../api/types';
import { NONE } from '../../format';
import { format, t } from '../../i18n';

type Pressure = NonNullable<GuestDetails['runtime']>['pressure'];
type Disk = GuestDetails['disks'][number];
type Network = GuestDetails['networks'][number];

/** How much of the time something waited: `CPU 2%, disks 5%`. */
export function pressureText(pressure: Pressure | undefined): string {
  return Object.entries(pressure ?? {})
    .map(
      ([what, { some_percent, full_percent }]) =>
        `${codeText(what)} ${format.percent(some_percent)}${full_percent ? ` ${t.guest.allWaited(format.percent(full_percent))}` : ''}`,
    )
    .join(', ');
}

/** How full a VM is by its guest agent's word, in bytes; what is mounted twice counts once. */
export function agentRoom(
  agent: GuestDetails['agent'],
): { used: number; total: number; percent: number } | null {
  const systems = new Map(agent?.file_systems.map((each) => [each.name ?? each.mount_point, each]));
  let [used, total] = [0, 0];
  for (const { used_bytes, total_bytes } of systems.values()) {
    if (used_bytes === null || !total_bytes) continue;
    used += used_bytes;
    total += total_bytes;
  }
  return total > 0 ? { used, total, percent: (used / total) * 100 } : null;
}

export function diskKind({ kind }: Disk): string {
  return (t.guest.kinds as Readonly<Record<string, string>>)[kind] ?? kind;
}

/** How a disk is set: `cache none, SSD, discards`. */
export function diskOptions(disk: Disk): string {
  return [
    disk.format,
    disk.cache && t.guest.cacheIs(disk.cache),
    disk.ssd && 'SSD',
    disk.discard && t.guest.discards,
    disk.iothread && t.guest.ownThread,
    disk.read_only && t.guest.readOnly,
    disk.backup === false && t.guest.notBackedUp,
    disk.replicate === false && t.guest.notReplicated,
  ]
    .filter(Boolean)
    .join(', ');
}

/** How a network card is set: `firewall, link down, at most 10 MB/s`. */
export function cardOptions(card: Network): string {
  return [
    card.firewall && t.guest.firewall,
    card.link_down && t.guest.linkDown,
    card.rate_mb_per_second !== null && t.guest.atMost(format.figure(card.rate_mb_per_second, 'MB/s')),
    card.trunks && t.guest.trunks(card.trunks),
  ]
    .filter(Boolean)
    .join(', ');
}

/** Snapshots as a tree, each with how deep it hangs; what hangs on nothing known stands at the root. */
export function snapshotTree<T extends { name: string; parent: string | null }>(
  list: readonly T[],
): { depth: number; snapshot: T }[] {
  const names = new Set(list.map(({ name }) => name));
  const under = new Map<string | null, T[]>();
  for (const snapshot of list) {
    const parent = snapshot.parent !== null && names.has(snapshot.parent) ? snapshot.parent : null;
    under.set(parent, [...(under.get(parent) ?? []), snapshot]);
  }
  const found: { depth: number; snapshot: T }[] = [];
  const seen = new Set<T>();
  const climb = (parent: string | null, depth: number) => {
    for (const snapshot of under.get(parent) ?? []) {
      if (seen.has(snapshot)) continue;
      seen.add(snapshot);
      found.push({ depth, snapshot });
      climb(snapshot.name, depth + 1);
    }
  };
  climb(null, 0);
  // Parents that go in a circle lead to no root.
  for (const snapshot of list) if (!seen.has(snapshot)) found.push({ depth: 0, snapshot });
  return found;
}

/** Settings as rows, those that nobody set left out. */
export function settingRows(settings: Readonly<Record<string, unknown>>): { name: string; value: string }[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (value === null || value === undefined || value === '') return [];
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return [{ name, value: text || NONE }];
  });
}
