/** What a person may want of hosts. */
import type { Action, Host, HostVerb, UnitVerb } from '../api/types';
import type { IconName } from '../ui/Icon.svelte';

export type HostDeed = HostVerb | 'unit';

export const HOST_ICONS: Readonly<Record<HostDeed, IconName>> = {
  shutdown: 'down',
  reboot: 'up',
  suspend: 'pause',
  wake: 'sun',
  'enter-maintenance': 'pause',
  'leave-maintenance': 'play',
  unit: 'settings',
};

/** A host as the dialogs know it. */
export type HostRef = Pick<Host, 'id' | 'name'>;

/** How a host is switched: one that answers can be switched off, one that does not can be woken. */
export function hostVerbs({ state }: Pick<Host, 'state'>): HostDeed[] {
  switch (state) {
    case 'online':
    case 'maintenance':
      return ['shutdown', 'reboot', 'suspend', 'wake'];
    case 'offline':
    case 'unknown':
      return ['wake', 'reboot', 'shutdown'];
  }
}

export const MANY_POWER: readonly HostDeed[] = ['shutdown', 'reboot', 'wake'];
export const MANY_DEEDS: readonly HostDeed[] = ['enter-maintenance', 'leave-maintenance', 'unit'];

/** What is done to a host that needs no form. */
export const hostAction = (id: string, verb: HostVerb): Action => ({ on: 'host', id, do: verb });

export const UNIT_VERBS = [
  'start',
  'stop',
  'restart',
  'enable',
  'disable',
] as const satisfies readonly UnitVerb[];
