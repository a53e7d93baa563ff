/** Files that are put on a storage. */
import type { StorageContent, StorageRow } from '../../api/types';

/** The kinds of files that can be put there. */
export const contentsOf = ({ content }: Pick<StorageRow, 'content'>): StorageContent[] => {
  const holds = new Set(content?.split(',').map((each) => each.trim()) ?? []);
  return (['iso', 'vztmpl', 'import'] as const).filter((each) => holds.has(each));
};

/** A name as storages take it: the last part of a path or an address, without signs that Proxmox would change. */
export function fileName(path: string): string {
  const last = path.split(/[?#]/, 1)[0]?.split(/[\\/]/).pop() ?? '';
  return last.replace(/[^A-Za-z0-9._+-]/g, '_').replace(/^\.+/, '');
}
