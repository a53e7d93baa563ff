/** The history of the fleet as a whole: its small lines and its charts. */
import type { Series } from '../../api/types';
import type { Chart, Line } from '../../history/chart';
import { format, t } from '../../i18n';

/** A figure's values, absent where none is kept. */
const means = (series: Series | null | undefined, metric: string): readonly (number | null)[] | null => {
  const found = series?.metrics[metric]?.mean;
  return found?.some((value) => value !== null) ? found : null;
};

/** A part of a whole over time, from 0 to 100; null where either is not known. */
function shares(series: Series | null | undefined, used: string, total: string): (number | null)[] | null {
  const [part, whole] = [means(series, used), means(series, total)];
  if (!part || !whole) return null;
  return part.map((value, index) => {
    const all = whole[index];
    return value === null || !all ? null : (value / all) * 100;
  });
}

/** The small lines of the tiles; null where the server keeps no such history. */
export function smallLines(series: Series | null | undefined) {
  return {
    cpu: means(series, 'cpu_percent'),
    memory: shares(series, 'memory_used', 'memory_total'),
    disk: shares(series, 'disk_used', 'disk_total'),
    hosts: means(series, 'hosts_online'),
    guests: means(series, 'guests_running'),
  };
}

/** The names of the figures that were ever seen. */
export function knownMetrics(series: Series | null | undefined): string[] {
  return Object.keys(series?.metrics ?? {}).filter((metric) => means(series, metric));
}

/** The charts for which there are figures. */
export function chartsOf(known: readonly string[]): Chart[] {
  const words = t.overview.charts;
  const bytes = { text: (value: number | null | undefined) => format.bytes(value), binary: true };
  const count = { text: (value: number | null | undefined) => format.count(value) };
  const all: Chart[] = [
    {
      title: words.cpu,
      lines: [{ metric: 'cpu_percent', label: words.used }],
      text: (value) => format.percent(value),
      top: 100,
    },
    { title: words.memory, lines: pair('memory_used', 'memory_total', words.used), ...bytes },
    { title: words.storage, lines: pair('disk_used', 'disk_total', words.used), ...bytes },
    {
      title: words.network,
      lines: [
        { metric: 'network_received', label: t.overview.in },
        { metric: 'network_sent', label: t.overview.out },
      ],
      text: (value) => format.rate(value),
      binary: true,
    },
    { title: words.hosts, lines: pair('hosts_online', 'hosts_total', words.online), ...count },
    { title: words.guests, lines: pair('guests_running', 'guests_total', words.running), ...count },
  ];
  return all
    .map((chart) => ({ ...chart, lines: chart.lines.filter(({ metric }) => known.includes(metric)) }))
    .filter(({ lines }) => lines.length > 0);
}

const pair = (part: string, whole: string, label: string): Line[] => [
  { metric: part, label },
  { metric: whole, label: t.overview.charts.total },
];
