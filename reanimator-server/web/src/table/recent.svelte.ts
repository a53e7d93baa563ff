/** The last hour of the rows in sight, as small lines. */
import { api } from '../api/client';
import { sparkPath } from '../history/chart';
import { format, t } from '../i18n';
import type { SparkCell } from './cells';
import { RecentLines, extentOf } from './recent';

/** So long nothing new comes into sight before it is asked for: who scrolls past asks for nothing. */
const STILL_MS = 200;
const METRIC = 'cpu_percent';

export class Recent {
  #lines = new RecentLines();
  #drawn: readonly string[] = [];
  #changes = $state(0);
  #waiting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** To be made while a component begins. */
  constructor() {
    $effect(() => () => clearTimeout(this.#timer));
  }

  /** Tells which things are in sight: `host:ID`, `guest:ID`. */
  see(entities: readonly string[]): void {
    const same =
      entities.length === this.#drawn.length && entities.every((each, at) => each === this.#drawn[at]);
    this.#drawn = entities;
    // The same ones are drawn again with each new figure; that is no reason to wait longer.
    if (same && this.#waiting) return;
    clearTimeout(this.#timer);
    this.#waiting = true;
    this.#timer = setTimeout(() => {
      this.#waiting = false;
      void this.#ask();
    }, STILL_MS);
  }

  /** The line of one of them, from 0 to 100 %. */
  cell(entity: string, what: string): SparkCell {
    void this.#changes;
    const values = this.#lines.of(entity) ?? [];
    const found = extentOf(values);
    return {
      as: 'spark',
      path: found ? sparkPath(values, 100) : '',
      label: found
        ? t.table.spark(
            what,
            format.percent(found.least),
            format.percent(found.average),
            format.percent(found.most),
          )
        : t.table.noSpark(what),
    };
  }

  async #ask(): Promise<void> {
    const wanting = this.#lines.wanting(this.#drawn, performance.now());
    if (wanting.length === 0) return;
    this.#lines.asked(wanting, performance.now());
    try {
      this.#lines.take(
        await api.recent({ entities: wanting.join(','), metric: METRIC, from: '1h', points: '30' }),
      );
      this.#changes += 1;
    } catch {
      // The table says by itself when the server does not answer; the lines are asked for again in a minute.
    }
  }
}
