/** What the forms of actions have in common. */
import type { Action, NodeRow, StorageRow, VmRow } from '../../api/types';

/** What a form makes of a guest; null while it is not filled in. */
export type Made = ((guest: VmRow) => Action) | null;

/** Storages of a cluster, or of a node that is in none, that hold one of these kinds of content; each name once. */
export function storagesFor(
  rows: readonly StorageRow[],
  { cluster, node }: { cluster: string | null; node?: string | null },
  content: readonly string[],
): string[] {
  const fit = rows.filter(
    (row) =>
      row.content !== null &&
      row.cluster === cluster &&
      (!node || row.shared || row.node.split(',').includes(node)) &&
      row.content.split(',').some((each) => content.includes(each)),
  );
  return [...new Set(fit.map(({ name }) => name))].sort();
}

/** Nodes of one cluster, by name. */
export const nodesOf = (rows: readonly NodeRow[], cluster: string | null): NodeRow[] =>
  rows
    .filter((row) => row.kind !== 'linux' && row.cluster === cluster)
    .sort((a, b) => a.name.localeCompare(b.name));

/** Kinds of content that hold the disks of a guest. */
export const diskContent = (kind: VmRow['kind']): readonly string[] =>
  kind === 'qemu' ? ['images'] : ['rootdir'];
