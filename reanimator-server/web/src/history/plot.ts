/** uPlot as this page draws with it. Loaded only where there is a chart. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { format } from '../i18n';
import type { Chart, Data } from './chart';
import type { Span } from './span';

const HEIGHT = 150;
const DAY = 86_400;

/** Steps of a scale of bytes. */
const POWERS = Array.from({ length: 60 }, (_, power) => 2 ** power);

/** A point that stands alone makes no line: it is drawn as a dot as wide as this. */
const DOT = 5;

/** The points of a line that have no neighbour, by their place in the data. */
function alone(plot: uPlot, series: number): number[] | null {
  const values = plot.data[series] ?? [];
  const [first, last] = plot.series[0]?.idxs ?? [0, values.length - 1];
  const none = (value: number | null | undefined) => value === null || value === undefined;
  const found: number[] = [];
  for (let index = first; index <= last; index += 1) {
    if (!none(values[index]) && none(values[index - 1]) && none(values[index + 1])) found.push(index);
  }
  return found.length > 0 ? found : null;
}

/** What ticks say; nothing where one would say the same as the one before, as those of an empty scale do. */
export const tickTexts = (ticks: readonly number[], text: (value: number) => string): string[] =>
  ticks.map(text).map((each, place, all) => (place > 0 && each === all[place - 1] ? '' : each));

/** Lines are told apart by dashes as well as by colour. */
const DASHES = [[], [5, 4], [2, 3]];

interface Colours {
  lines: string[];
  text: string;
  grid: string;
}

/** The tokens' colours as they are now, light or dark. A canvas knows no `light-dark()`, so a probe resolves it. */
function colours(element: HTMLElement): Colours {
  const probe = element.appendChild(document.createElement('i'));
  const of = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    lines: [of('--chart-1'), of('--chart-2'), of('--chart-3')],
    text: of('--text-soft'),
    grid: of('--line'),
  };
  probe.remove();
  return found;
}

function transparent(colour: string): string {
  return colour.replace(/^rgb\(([^)]+)\)$/, (_, parts: string) => `rgba(${parts}, 0.16)`);
}

export interface Plot {
  /** New points, shown from when to when. */
  set(data: Data, span: Span): void;
  /** Other points of those that are there. */
  show(span: Span): void;
  destroy(): void;
}

/** Where the pointer stands: the place of the point in the data, null where there is none. */
export type Pointed = (index: number | null) => void;

export function draw(element: HTMLElement, chart: Chart, data: Data, span: Span, pointed: Pointed): Plot {
  const { lines, text, grid } = colours(element);
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  chart.lines.forEach((line, index) => {
    const stroke = lines[index % lines.length] ?? text;
    const edge = { stroke: 'transparent', points: { show: false }, width: 0 } as const;
    const dash = DASHES[index % DASHES.length] ?? [];
    const points = { show: false, filter: alone, size: DOT, width: 0, fill: stroke };
    series.push({ label: line.label, stroke, width: 1.5, dash, points }, edge, edge);
    const at = 1 + index * 3;
    bands.push({ series: [at + 2, at + 1], fill: transparent(stroke) });
  });
  const axis = { stroke: text, font: '11px system-ui, sans-serif', ticks: { show: false } };
  const options: uPlot.Options = {
    width: Math.max(120, element.clientWidth),
    height: HEIGHT,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 }, sync: { key: 'history' } },
    scales: {
      x: { min: span.from, max: span.to, auto: false },
      y: { range: (_, __, most) => [0, chart.top ?? (most > 0 ? most * 1.1 : 1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 60,
        size: 24,
        values: (_, ticks) => timeTicks(ticks),
      },
      {
        ...axis,
        grid: { stroke: grid, width: 1 },
        space: 34,
        ...(chart.binary ? { incrs: POWERS } : {}),
        size: 62,
        values: (_, ticks) => tickTexts(ticks, chart.text),
      },
    ],
    series,
    bands,
    hooks: { setCursor: [({ cursor }) => pointed(cursor.idx ?? null)] },
  };
  const plot = new uPlot(options, data as unknown as uPlot.AlignedData, element);
  const show = ({ from, to }: Span) => plot.setScale('x', { min: from, max: to });
  show(span);
  const resized = new ResizeObserver(() => {
    if (element.clientWidth > 0 && element.clientWidth !== plot.width) {
      plot.setSize({ width: element.clientWidth, height: HEIGHT });
    }
  });
  resized.observe(element);
  return {
    // In batches it is drawn at once, not later: whoever gives out turns counts on that.
    set: (next, at) =>
      plot.batch(() => {
        plot.setData(next as unknown as uPlot.AlignedData, false);
        show(at);
      }),
    show: (at) => plot.batch(() => show(at)),
    destroy: () => {
      resized.disconnect();
      plot.destroy();
    },
  };
}

function timeTicks(seconds: number[]): string[] {
  const first = seconds[0] ?? 0;
  const days = (seconds.at(-1) ?? first) - first >= 2 * DAY || (seconds[1] ?? 0) - first >= DAY / 2;
  return seconds.map((each) => (days ? format.day(each * 1000) : format.clock(each * 1000)));
}
