/** What a chart shows of a history, without a document: its lines, their bands, and how they are told in words. */
import type { Columns, Series } from '../api/types';

/** How far back a history is looked at. */
export const RANGES = [
  { value: '1h', label: '1 h' },
  { value: '24h', label: '24 h' },
  { value: '7d', label: '7 d' },
  { value: '30d', label: '30 d' },
] as const;

export type Range = (typeof RANGES)[number]['value'];

export function parseRange(text: string): Range {
  return RANGES.find(({ value }) => value === text)?.value ?? '1h';
}

export interface Line {
  /** The figure's name on the server. */
  metric: string;
  /** What it is called where a chart has several. */
  label: string;
}

export interface Chart {
  title: string;
  lines: readonly Line[];
  /** How a value is written. */
  text: (value: number | null | undefined) => string;
  /** The top of the scale, where there is a natural one. */
  top?: number;
  /** Its values are bytes: the scale goes by powers of two. */
  binary?: boolean;
}

/** A chart's data as uPlot takes it: seconds, then for each line its mean, least and most. */
export type Data = [number[], ...(number | null)[][]];

/** Null where none of the lines has a single value. */
export function dataOf(series: Series, lines: readonly Line[]): Data | null {
  const columns = lines.map(({ metric }) => series.metrics[metric]);
  const some = columns.some((column) => column?.mean.some((value) => value !== null));
  if (!some) return null;
  const none = () => series.times.map(() => null);
  const times = series.times.map((time) => Date.parse(time) / 1000);
  return [
    times,
    ...columns.flatMap((column) =>
      column ? [column.mean, column.min, column.max] : [none(), none(), none()],
    ),
  ];
}

/** The least, the average and the most of a whole column. */
export function extent(column: Columns | undefined): { min: number; mean: number; max: number } | null {
  const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
  const means = known(column?.mean ?? []);
  if (!column || means.length === 0) return null;
  const min = known(column.min).reduce((a, b) => Math.min(a, b), Infinity);
  const max = known(column.max).reduce((a, b) => Math.max(a, b), -Infinity);
  return { min, max, mean: means.reduce((a, b) => a + b, 0) / means.length };
}

/** A chart in a sentence, for those who cannot see it. */
export function inWords(series: Series, { title, lines, text }: Chart): string {
  const parts = lines.map(({ metric, label }) => {
    const found = extent(series.metrics[metric]);
    const of = lines.length > 1 ? `${label}: ` : '';
    return found
      ? `${of}from ${text(found.min)} to ${text(found.max)}, on average ${text(found.mean)}`
      : `${of}no figures`;
  });
  return `${title}. ${parts.join('; ')}.`;
}

/** The points of a small line in a box of 100 by 30, a path for each stretch without a gap. */
export function sparkPath(values: readonly (number | null)[], top?: number): string {
  const most = top ?? values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  let path = '';
  let pen = 'M';
  values.forEach((value, index) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    const y = most > 0 ? 29 - (Math.min(value, most) / most) * 28 : 29;
    path += `${pen}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
