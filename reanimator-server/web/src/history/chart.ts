/** What a chart shows of a history, without a document: its lines, their bands, and how they are told in words. */
import { t } from '../i18n';
import type { Span } from './span';
import type { Column, Points } from './tiles';

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
export type Data = [readonly number[], ...(readonly (number | null)[])[]];

export function dataOf({ times, metrics }: Points, lines: readonly Line[]): Data {
  const none = times.map(() => null);
  return [
    times,
    ...lines.flatMap(({ metric }) => {
      const column = metrics[metric];
      return column ? [column.mean, column.min, column.max] : [none, none, none];
    }),
  ];
}

/** The first point of a span and the one after its last. */
export function bounds(times: readonly number[], { from, to }: Span): [first: number, end: number] {
  const first = times.findIndex((time) => time >= from);
  if (first < 0) return [times.length, times.length];
  const end = times.findIndex((time) => time >= to);
  return [first, end < 0 ? times.length : end];
}

/** Whether any of the lines has a value within a span. */
export function hasFigures({ times, metrics }: Points, lines: readonly Line[], span: Span): boolean {
  const [first, end] = bounds(times, span);
  return lines.some(({ metric }) => metrics[metric]?.mean.slice(first, end).some((value) => value !== null));
}

/** The least, the average and the most of a column within some of its points. */
export function extent(
  column: Column | undefined,
  first = 0,
  end = Infinity,
): { min: number; mean: number; max: number } | null {
  const known = (values: readonly (number | null)[]) =>
    values.slice(first, end).filter((value) => value !== null);
  const means = known(column?.mean ?? []);
  if (!column || means.length === 0) return null;
  const min = known(column.min).reduce((a, b) => Math.min(a, b), Infinity);
  const max = known(column.max).reduce((a, b) => Math.max(a, b), -Infinity);
  return { min, max, mean: means.reduce((a, b) => a + b, 0) / means.length };
}

/** A chart in a sentence, for those who cannot see it. */
export function inWords({ times, metrics }: Points, { title, lines, text }: Chart, span: Span): string {
  const [first, end] = bounds(times, span);
  const parts = lines.map(({ metric, label }) => {
    const found = extent(metrics[metric], first, end);
    const of = lines.length > 1 ? `${label}: ` : '';
    return `${of}${found ? t.history.told(text(found.min), text(found.max), text(found.mean)) : t.history.noFigures}`;
  });
  return `${title}. ${parts.join('; ')}.`;
}

/** A value of one line at one point, with how far it went meanwhile. */
export interface Cell {
  mean: string;
  range: string;
}

export interface Row {
  /** Seconds. */
  at: number;
  cells: Cell[];
}

/** The points of a span as rows, the newest first; points of which nothing is known are left out. */
export function rowsOf({ times, metrics }: Points, { lines, text }: Chart, span: Span): Row[] {
  const [first, end] = bounds(times, span);
  const rows: Row[] = [];
  for (let index = end - 1; index >= first; index -= 1) {
    const at = times[index];
    const values = lines.map(({ metric }) => metrics[metric]?.mean[index] ?? null);
    if (at === undefined || values.every((value) => value === null)) continue;
    const cells = lines.map(({ metric }, place) => {
      const min = metrics[metric]?.min[index] ?? null;
      const max = metrics[metric]?.max[index] ?? null;
      return {
        mean: text(values[place]),
        range: min === null || max === null || min === max ? '' : `${text(min)} – ${text(max)}`,
      };
    });
    rows.push({ at, cells });
  }
  return rows;
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
