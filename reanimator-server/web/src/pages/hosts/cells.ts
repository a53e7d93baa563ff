/** What stands in the cells of the hosts' table. */
import type { HostState } from '../../api/types';
import { share } from '../../format';
import { format, t } from '../../i18n';
import { ageCell } from '../../table/age';
import type { Cell, Sign } from '../../table/cells';
import type { Column } from '../../table/table';
import { placeText } from '../../words';
import type { Recent } from '../../table/recent.svelte';
import type { HostLine } from './columns';

const SIGNS: Record<HostState, Pick<Sign, 'icon' | 'tone'>> = {
  online: { icon: 'check', tone: 'ok' },
  offline: { icon: 'cross', tone: 'bad' },
  unknown: { icon: 'question', tone: 'soft' },
  maintenance: { icon: 'pause', tone: 'warn' },
};

export const entityOf = ({ host }: HostLine): string => `host:${host.id}`;

export function hostCell(
  line: HostLine,
  { id }: Column<HostLine>,
  old: boolean,
  recent: Recent,
): Cell | null {
  const { host } = line;
  const sign = { ...SIGNS[host.state], text: t.common.states[host.state] };
  const meter = (percent: number | null, label: string): Cell => ({
    as: 'meter',
    percent,
    text: format.percent(percent),
    label,
    old,
  });
  switch (id) {
    case 'name':
      return {
        as: 'link',
        text: host.name,
        href: `/hosts/${encodeURIComponent(host.id)}`,
        strong: true,
        sign: { ...sign, filled: true, terse: true },
        flag: host.problem
          ? { icon: 'alert', text: t.hosts.hasProblem, title: host.problem.message }
          : undefined,
        under: placeText(host),
      };
    case 'state':
      return { as: 'text', text: sign.text };
    case 'cpu':
      return meter(host.cpu_percent, t.hosts.cpuOf(host.name));
    case 'trend':
      return recent.cell(entityOf(line), t.hosts.cpuOf(host.name));
    case 'memory':
      return meter(share(host.memory), t.hosts.memoryOf(host.name));
    case 'disk':
      return meter(share(host.disk), t.hosts.storageOf(host.name));
    case 'age':
      return ageCell(host.observed_at);
    default:
      return null;
  }
}
