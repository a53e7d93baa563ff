/** What the API calls things, as people read it. A code that the catalogue does not know is shown as it is. */
import type { Host, HostKind, Role } from './api/types';
import { t } from './i18n';

export function kindText(kind: HostKind): string {
  return t.common.kinds[kind];
}

export function roleText(role: Role): string {
  return t.common.roles[role];
}

/** How a host is reached: `by SSH, the Proxmox API`. */
export function wayText(via: readonly string[]): string {
  const ways: Readonly<Record<string, string>> = t.common.ways;
  return via.length > 0
    ? t.common.reachedBy(via.map((way) => ways[way] ?? way).join(', '))
    : t.common.notReachedYet;
}

/** Where a host is: its address, or that it is the machine the server runs on. */
export function placeText({ address, via, cluster }: Pick<Host, 'address' | 'via' | 'cluster'>): string {
  return address ?? (via.includes('local') ? t.common.thisMachine : (cluster ?? ''));
}
