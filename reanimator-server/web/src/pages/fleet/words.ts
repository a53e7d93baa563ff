import type { HostKind } from '../../api/types';

const KINDS: Record<HostKind, string> = { linux: 'Linux', proxmox: 'Proxmox', both: 'Proxmox + Linux' };

/** A host's kind as people read it. */
export function kindText(kind: HostKind): string {
  return KINDS[kind];
}
