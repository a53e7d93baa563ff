/** How hosts can be grouped, and what is told of a group. */
import { share } from '../../format';
import { format, t } from '../../i18n';
import type { Grouping } from '../../table/group';
import { kindText } from '../../words';
import type { HostLine } from './columns';

export const GROUPINGS: readonly Grouping<HostLine>[] = [
  {
    id: 'cluster',
    get title() {
      return t.hosts.columns.cluster;
    },
    of: ({ host }) => (host.cluster ? [host.cluster] : []),
    get none() {
      return t.hosts.noCluster;
    },
  },
  {
    id: 'group',
    get title() {
      return t.hosts.group;
    },
    of: ({ host }) => host.groups,
    get none() {
      return t.hosts.noGroup;
    },
  },
  {
    id: 'tag',
    get title() {
      return t.hosts.tag;
    },
    of: ({ host }) => host.tags,
    get none() {
      return t.hosts.noTag;
    },
  },
  {
    id: 'kind',
    get title() {
      return t.hosts.columns.kind;
    },
    of: ({ host }) => [host.kind],
    name: (kind) => (kind === 'linux' || kind === 'proxmox' || kind === 'both' ? kindText(kind) : kind),
    get none() {
      return t.hosts.noKind;
    },
  },
];

/** `12 of 14 online · CPU 23% · Memory 40%`; CPU is the average by threads, memory is all of it. */
export function sumsText(lines: readonly HostLine[]): string {
  let online = 0;
  let threads = 0;
  let busy = 0;
  const memory = { total_bytes: 0, used_bytes: 0 };
  for (const { host } of lines) {
    if (host.state === 'online') online += 1;
    if (host.cpu_percent !== null && host.cpus !== null) {
      threads += host.cpus;
      busy += host.cpus * host.cpu_percent;
    }
    if (host.memory && host.memory.total_bytes !== null && host.memory.used_bytes !== null) {
      memory.total_bytes += host.memory.total_bytes;
      memory.used_bytes += host.memory.used_bytes;
    }
  }
  const cpu = format.percent(threads > 0 ? busy / threads : null);
  return t.hosts.sums(online, lines.length, cpu, format.percent(share(memory)));
}
