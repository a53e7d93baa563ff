/** What the API calls things, as people read it. */
import type { Host, HostKind } from './api/types';

const KINDS: Record<HostKind, string> = { linux: 'Linux', proxmox: 'Proxmox', both: 'Proxmox + Linux' };
const WAYS: Readonly<Record<string, string>> = { local: 'itself', ssh: 'SSH', proxmox: 'the Proxmox API' };

export function kindText(kind: HostKind): string {
  return KINDS[kind];
}

/** How a host is reached: `by SSH, the Proxmox API`. */
export function wayText(via: readonly string[]): string {
  return via.length > 0 ? `by ${via.map((way) => WAYS[way] ?? way).join(', ')}` : 'not reached yet';
}

/** Where a host is: its address, or that it is the machine the server runs on. */
export function placeText({ address, via, cluster }: Pick<Host, 'address' | 'via' | 'cluster'>): string {
  return address ?? (via.includes('local') ? 'this machine' : (cluster ?? ''));
}
