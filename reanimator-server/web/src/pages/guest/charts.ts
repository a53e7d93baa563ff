/** The charts of a guest's history. */
import type { Chart } from '../../history/chart';
import { format, t } from '../../i18n';

export const guestCharts = (): Chart[] => [
  {
    title: t.history.cpu,
    lines: [{ metric: 'cpu_percent', label: t.history.inUse }],
    text: format.percent,
    top: 100,
  },
  {
    title: t.history.memory,
    lines: [
      { metric: 'memory_used', label: t.history.used },
      { metric: 'memory_total', label: t.history.all },
    ],
    text: format.bytes,
    binary: true,
  },
  {
    title: t.history.network,
    lines: [
      { metric: 'network_received', label: t.history.received },
      { metric: 'network_sent', label: t.history.sent },
    ],
    text: format.rate,
    binary: true,
  },
  {
    title: t.history.disks,
    lines: [
      { metric: 'disk_read', label: t.history.read },
      { metric: 'disk_written', label: t.history.written },
    ],
    text: format.rate,
    binary: true,
  },
];
