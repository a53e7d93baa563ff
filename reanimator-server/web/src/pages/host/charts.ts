/** The charts of a host's history. */
import type { Chart } from '../../history/chart';
import { format, t } from '../../i18n';

export const hostCharts = (): Chart[] => [
  {
    title: t.history.cpu,
    lines: [
      { metric: 'cpu_percent', label: t.history.inUse },
      { metric: 'cpu_iowait', label: t.history.waitingForDisks },
      { metric: 'cpu_steal', label: t.history.stolen },
    ],
    text: format.percent,
    top: 100,
  },
  {
    title: t.history.memory,
    lines: [
      { metric: 'memory_used', label: t.history.used },
      { metric: 'memory_total', label: t.history.all },
      { metric: 'swap_used', label: t.history.swap },
    ],
    text: format.bytes,
    binary: true,
  },
  {
    title: t.history.load,
    lines: [
      { metric: 'load1', label: t.history.minutes(1) },
      { metric: 'load5', label: t.history.minutes(5) },
      { metric: 'load15', label: t.history.minutes(15) },
    ],
    text: format.load,
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
  diskChart(),
  {
    title: t.history.warmest,
    lines: [{ metric: 'temperature_highest', label: t.history.warmest }],
    text: format.celsius,
  },
  {
    title: t.history.pressure,
    lines: [
      { metric: 'pressure_cpu', label: t.history.cpu },
      { metric: 'pressure_memory', label: t.history.memory },
      { metric: 'pressure_io', label: t.history.disks },
    ],
    text: format.percent,
  },
  rootChart(),
];

/** What the disks did, beside how full the first file system was. */
export const diskCharts = (): Chart[] => [
  rootChart(),
  diskChart(),
  {
    title: t.history.diskOperations,
    lines: [
      { metric: 'disk_read_ops', label: t.history.read },
      { metric: 'disk_write_ops', label: t.history.written },
    ],
    text: (value) => format.figure(value, '/s'),
  },
  {
    title: t.history.busyDisks,
    lines: [{ metric: 'disk_busy', label: t.history.busyDisks }],
    text: format.percent,
    top: 100,
  },
];

/** What the network could not carry. */
export const networkCharts = (): Chart[] => [
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
    title: t.history.networkErrors,
    lines: [{ metric: 'network_errors', label: t.history.networkErrors }],
    text: (value) => format.figure(value, '/s'),
  },
];

const diskChart = (): Chart => ({
  title: t.history.disks,
  lines: [
    { metric: 'disk_read', label: t.history.read },
    { metric: 'disk_written', label: t.history.written },
  ],
  text: format.rate,
  binary: true,
});

const rootChart = (): Chart => ({
  title: t.history.rootFileSystem,
  lines: [
    { metric: 'disk_used', label: t.history.used },
    { metric: 'disk_total', label: t.history.all },
  ],
  text: format.bytes,
  binary: true,
});
