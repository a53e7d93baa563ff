/** What stands in the cells of the guests' table. */
import type { GuestStatus, VmRow } from '../../api/types';
import { NONE } from '../../format';
import { format, t } from '../../i18n';
import { ageCell } from '../../table/age';
import type { Cell, Sign } from '../../table/cells';
import type { Recent } from '../../table/recent.svelte';
import type { Column } from '../../table/table';
import { cpuPercent, guestName, ramPercent, storagePercent, storageText } from './columns';

const SIGNS: Record<GuestStatus, Pick<Sign, 'icon' | 'tone'>> = {
  running: { icon: 'play', tone: 'ok' },
  stopped: { icon: 'stop', tone: 'soft' },
  paused: { icon: 'pause', tone: 'soft' },
  unknown: { icon: 'question', tone: 'warn' },
};

/** Where columns have to go, the name's own cell says which guest it is: names are not unique. */
const media = matchMedia('(max-width: 48rem)');
let narrow = media.matches;
media.addEventListener('change', ({ matches }) => (narrow = matches));

export const entityOf = ({ id }: VmRow): string => `guest:${id}`;

export function guestCell(row: VmRow, { id }: Column<VmRow>, old: boolean, recent: Recent): Cell | null {
  const name = guestName(row);
  switch (id) {
    case 'name':
      return {
        as: 'link',
        text: name,
        href: `/guests/${encodeURIComponent(row.id)}`,
        strong: true,
        under: narrow ? `${row.vmid} · ${row.node || NONE}` : '',
      };
    case 'status':
      return {
        as: 'sign',
        sign: row.template
          ? { icon: 'columns', tone: 'soft', text: t.common.template }
          : { ...SIGNS[row.status], text: t.common.guestStates[row.status] },
      };
    case 'node':
      return row.node_id
        ? { as: 'link', text: row.node, href: `/hosts/${encodeURIComponent(row.node_id)}` }
        : { as: 'text', text: row.node || NONE };
    case 'cpu':
      return meter(cpuPercent(row), t.guests.cpuOf(name), old);
    case 'trend':
      return recent.cell(entityOf(row), t.guests.cpuOf(name));
    case 'memory':
      return meter(ramPercent(row), t.guests.memoryOf(name), old);
    case 'storage':
      return { ...meter(storagePercent(row), t.guests.storageOf(name), old), text: storageText(row) };
    case 'age':
      return ageCell(row.observed_at);
    default:
      return null;
  }
}

const meter = (percent: number | null, label: string, old: boolean) =>
  ({ as: 'meter', percent, text: format.percent(percent), label, old }) as const;
