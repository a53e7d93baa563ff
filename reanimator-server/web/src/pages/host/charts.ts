/** The charts of a host's history. */
import { format } from '../../i18n';
import type { Chart } from '../../history/chart';

export const HOST_CHARTS: readonly Chart[] = [
  {
    title: 'CPU',
    lines: [
      { metric: 'cpu_percent', label: 'in use' },
      { metric: 'cpu_iowait', label: 'waiting for disks' },
      { metric: 'cpu_steal', label: 'stolen' },
    ],
    text: format.percent,
    top: 100,
  },
  {
    title: 'Memory',
    lines: [
      { metric: 'memory_used', label: 'used' },
      { metric: 'memory_total', label: 'all' },
      { metric: 'swap_used', label: 'swap' },
    ],
    text: format.bytes,
    binary: true,
  },
  {
    title: 'Load',
    lines: [
      { metric: 'load1', label: '1 min' },
      { metric: 'load5', label: '5 min' },
      { metric: 'load15', label: '15 min' },
    ],
    text: format.load,
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
  {
    title: 'Warmest sensor',
    lines: [{ metric: 'temperature_highest', label: 'warmest' }],
    text: format.celsius,
  },
  {
    title: 'Waiting (pressure)',
    lines: [
      { metric: 'pressure_cpu', label: 'CPU' },
      { metric: 'pressure_memory', label: 'memory' },
      { metric: 'pressure_io', label: 'disks' },
    ],
    text: format.percent,
  },
  {
    title: 'Root file system',
    lines: [
      { metric: 'disk_used', label: 'used' },
      { metric: 'disk_total', label: 'all' },
    ],
    text: format.bytes,
    binary: true,
  },
];
