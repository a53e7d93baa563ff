/** How guests can be grouped, and what is told of a group. */
import type { GuestStatus, VmRow } from '../../api/types';
import { t } from '../../i18n';
import type { Grouping } from '../../table/group';
import { STATUS_ORDER } from './columns';

const isStatus = (text: string): text is GuestStatus => text in STATUS_ORDER;

export const GROUPINGS: readonly Grouping<VmRow>[] = [
  {
    id: 'node',
    get title() {
      return t.guests.columns.node;
    },
    of: ({ node }) => (node ? [node] : []),
    get none() {
      return t.guests.noNode;
    },
  },
  {
    id: 'cluster',
    get title() {
      return t.guests.columns.cluster;
    },
    of: ({ cluster }) => (cluster ? [cluster] : []),
    get none() {
      return t.guests.noCluster;
    },
  },
  {
    id: 'tag',
    get title() {
      return t.guests.tag;
    },
    of: ({ tags }) => tags,
    get none() {
      return t.guests.noTag;
    },
  },
  {
    id: 'status',
    get title() {
      return t.guests.columns.status;
    },
    of: ({ status }) => [status],
    name: (status) => (isStatus(status) ? t.common.guestStates[status] : status),
    order: (status) => (isStatus(status) ? STATUS_ORDER[status] : 0),
    none: '',
  },
  {
    id: 'kind',
    get title() {
      return t.guests.columns.kind;
    },
    of: ({ kind }) => [kind],
    name: (kind) => (kind === 'lxc' || kind === 'qemu' ? t.guests.kinds[kind] : kind),
    none: '',
  },
];

/** `8 of 10 running`. */
export function sumsText(rows: readonly VmRow[]): string {
  let running = 0;
  for (const { status } of rows) if (status === 'running') running += 1;
  return t.guests.sums(running, rows.length);
}
