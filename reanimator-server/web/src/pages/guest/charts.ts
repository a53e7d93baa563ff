/** The charts of a guest's history. */
import { format } from '../../i18n';
import type { Chart } from '../../history/chart';

export const GUEST_CHARTS: readonly Chart[] = [
  { title: 'CPU', lines: [{ metric: 'cpu_percent', label: 'in use' }], text: format.percent, top: 100 },
  {
    title: 'Memory',
    lines: [
      { metric: 'memory_used', label: 'used' },
      { metric: 'memory_total', label: 'all' },
    ],
    text: format.bytes,
    binary: true,
  },
  {
    title: 'Network',
    lines: [
      { metric: 'network_received', label: 'in' },
      { metric: 'network_sent', label: 'out' },
    ],
    text: format.rate,
    binary: true,
  },
  {
    title: 'Disks',
    lines: [
      { metric: 'disk_read', label: 'read' },
      { metric: 'disk_written', label: 'written' },
    ],
    text: format.rate,
    binary: true,
  },
];
