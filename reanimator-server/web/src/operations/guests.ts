/** What a person may want of guests, and the forms that it takes. */
import type { GuestDetails, PowerVerb, Role, VmRow } from '../api/types';
import type { IconName } from '../ui/Icon.svelte';

export type GuestDeed =
  | PowerVerb
  | 'migrate'
  | 'remote-migrate'
  | 'scale'
  | 'grow-disk'
  | 'clone'
  | 'back-up'
  | 'snapshot'
  | 'tag'
  | 'delete'
  | 'roll-back'
  | 'delete-snapshot';

/** Those that can be done to several guests at once. */
export type ManyDeed = 'start' | 'shutdown' | 'reboot' | 'stop' | 'migrate' | 'snapshot' | 'back-up' | 'tag';

export const MANY_POWER: readonly ManyDeed[] = ['start', 'shutdown', 'reboot', 'stop'];
export const MANY_DEEDS: readonly ManyDeed[] = ['migrate', 'snapshot', 'back-up', 'tag'];

export const ICONS: Readonly<Partial<Record<GuestDeed, IconName>>> = {
  start: 'play',
  stop: 'stop',
  shutdown: 'down',
  reboot: 'up',
  suspend: 'pause',
  resume: 'play',
  migrate: 'out',
  'remote-migrate': 'out',
  scale: 'settings',
  'grow-disk': 'disk',
  clone: 'guest',
  'back-up': 'disk',
  snapshot: 'clock',
  tag: 'tag',
  delete: 'cross',
};

/** What makes sense for a guest besides switching it. */
export function guestDeeds(
  { template, cluster }: Pick<VmRow, 'template' | 'cluster'>,
  may: (role: Role) => boolean,
): GuestDeed[] {
  const deeds: GuestDeed[] = cluster === null ? [] : ['migrate'];
  if (!template) deeds.push('remote-migrate', 'scale', 'grow-disk');
  deeds.push('clone', 'back-up');
  if (!template) deeds.push('snapshot');
  deeds.push('tag');
  if (may('admin')) deeds.push('delete');
  return deeds;
}

/** Disks that can be made larger. */
export const growable = ({ disks }: Pick<GuestDetails, 'disks'>): GuestDetails['disks'] =>
  disks.filter(({ kind }) => kind === 'disk' || kind === 'root-fs' || kind === 'mount-point');

/** Names from a line, separated by commas or spaces, each once. */
export const namesOf = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];

/** A whole number that is typed; null where none is. */
export function wholeOf(text: string): number | null {
  const typed = text.trim();
  return /^\d{1,9}$/.test(typed) && Number(typed) > 0 ? Number(typed) : null;
}

/** Snapshots are called as Proxmox takes them. */
export const isSnapshotName = (text: string): boolean => /^[a-z][a-z0-9_-]{1,39}$/i.test(text);
