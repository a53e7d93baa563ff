/**
 * Numbers, sizes and times as people read them, in a language. What is absent becomes {@link NONE}, never zero.
 * Pages take the `format` of `i18n`, which follows the language that is spoken.
 */

/** Stands where there is no figure. */
export const NONE = '–';

const GONE = (value: number | null | undefined): value is null | undefined =>
  value === null || value === undefined || !Number.isFinite(value);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export class Format {
  #whole: Intl.NumberFormat;
  #one: Intl.NumberFormat;
  #two: Intl.NumberFormat;
  #short: Intl.NumberFormat;
  #percent: Intl.NumberFormat;
  #time: Intl.DateTimeFormat;
  #moment: Intl.DateTimeFormat;
  #clock: Intl.DateTimeFormat;
  #day: Intl.DateTimeFormat;
  #wholeDay: Intl.DateTimeFormat;
  #words: { readonly yes: string; readonly no: string };

  constructor(locale?: string, words = { yes: 'yes', no: 'no' }) {
    this.#words = words;
    this.#whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.#one = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.#two = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    this.#short = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    this.#percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
    this.#time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
    this.#clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
    this.#day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
    this.#wholeDay = new Intl.DateTimeFormat(locale, { dateStyle: 'full' });
    this.#moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
  }

  /** A count: `1,234`. */
  count = (value: number | null | undefined): string => (GONE(value) ? NONE : this.#whole.format(value));

  /** A share from 0 to 100: `12%`; more than nothing never reads as nothing. */
  percent = (value: number | null | undefined): string => {
    if (GONE(value)) return NONE;
    if (value > 0 && value < 0.5) return `<${this.#percent.format(0.01)}`;
    return this.#percent.format(value / 100);
  };

  /** A load average: `0.42`. */
  load = (value: number | null | undefined): string => (GONE(value) ? NONE : this.#two.format(value));

  /** A size in binary units, as Proxmox counts: `3.7 GiB`. */
  bytes = (value: number | null | undefined): string => {
    if (GONE(value)) return NONE;
    let unit = 0;
    // Nothing has no sign: a sum of no figures may be a negative zero.
    let size = value || 0;
    while (size >= 1023.5 && unit < UNITS.length - 1) {
      size /= 1024;
      unit += 1;
    }
    const digits = unit === 0 || size >= 99.95 ? this.#whole : this.#one;
    return `${digits.format(size)}\u00a0${UNITS[unit]}`;
  };

  /** A size that came in GiB: `1.5 TiB`. */
  gib = (value: number | null | undefined): string => this.bytes(GONE(value) ? null : value * 2 ** 30);
  /** A size that came in MiB. */
  mib = (value: number | null | undefined): string => this.bytes(GONE(value) ? null : value * 2 ** 20);

  /** A temperature: `45 °C`. */
  celsius = (value: number | null | undefined): string =>
    GONE(value) ? NONE : `${this.#whole.format(value)}\u00a0°C`;

  /** A speed of a link that came in Mbit/s: `10 Gbit/s`. */
  mbps = (value: number | null | undefined): string => {
    if (GONE(value)) return NONE;
    const large = value >= 1000;
    return `${this.#short.format(large ? value / 1000 : value)}\u00a0${large ? 'Gbit/s' : 'Mbit/s'}`;
  };

  /** A figure with a unit of its own: `1.35 V`; at most two digits after the point. */
  figure = (value: number | null | undefined, unit = ''): string =>
    GONE(value) ? NONE : `${this.#short.format(value)}${unit ? `\u00a0${unit}` : ''}`;

  /** Yes, no, or not known. */
  yes = (value: boolean | null | undefined): string =>
    value === null || value === undefined ? NONE : value ? this.#words.yes : this.#words.no;

  /** A rate: `1.2 MiB/s`. */
  rate = (value: number | null | undefined): string => (GONE(value) ? NONE : `${this.bytes(value)}/s`);

  /** A span of time in its two largest units: `12 d 4 h`. */
  duration = (seconds: number | null | undefined): string => {
    if (GONE(seconds)) return NONE;
    const whole = Math.max(0, Math.floor(seconds));
    const parts: [number, string][] = [
      [Math.floor(whole / 86_400), 'd'],
      [Math.floor(whole / 3600) % 24, 'h'],
      [Math.floor(whole / 60) % 60, 'min'],
      [whole % 60, 's'],
    ];
    const first = parts.findIndex(([amount]) => amount > 0);
    if (first === -1) return `0\u00a0s`;
    return parts
      .slice(first, first + 2)
      .filter(([amount]) => amount > 0)
      .map(([amount, unit]) => `${this.#whole.format(amount)}\u00a0${unit}`)
      .join(' ');
  };

  /** How long ago, in one unit: `4 s`, `3 min`, `2 d`. */
  age = (seconds: number | null | undefined): string => {
    if (GONE(seconds)) return NONE;
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 120) return `${whole}\u00a0s`;
    if (whole < 7200) return `${this.#whole.format(Math.floor(whole / 60))}\u00a0min`;
    if (whole < 172_800) return `${this.#whole.format(Math.floor(whole / 3600))}\u00a0h`;
    return `${this.#whole.format(Math.floor(whole / 86_400))}\u00a0d`;
  };

  /** A time of day; `at` is RFC 3339 or milliseconds. */
  time = (at: string | number | null | undefined): string => this.#date(at, this.#time);

  /** A time of day without seconds, and a day without its year: marks on a scale. */
  clock = (at: string | number | null | undefined): string => this.#date(at, this.#clock);
  day = (at: string | number | null | undefined): string => this.#date(at, this.#day);

  /** A date with its weekday. */
  date = (at: string | number | null | undefined): string => this.#date(at, this.#wholeDay);

  /** A date with its time of day. */
  moment = (at: string | number | null | undefined): string => this.#date(at, this.#moment);

  #date(at: string | number | null | undefined, format: Intl.DateTimeFormat): string {
    if (at === null || at === undefined) return NONE;
    const date = new Date(at);
    return Number.isNaN(date.getTime()) ? NONE : format.format(date);
  }
}

/** The share of a size that is used, from 0 to 100. */
export function share(
  size: { total_bytes: number | null; used_bytes: number | null } | null | undefined,
): number | null {
  if (!size || GONE(size.total_bytes) || GONE(size.used_bytes) || size.total_bytes <= 0) return null;
  return (size.used_bytes / size.total_bytes) * 100;
}
