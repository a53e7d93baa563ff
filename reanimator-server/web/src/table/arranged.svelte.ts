/** The arrangement of a table's rows, made anew when they, their order or the language change, a little at a time. */
import { untrack } from 'svelte';
import { spoken } from '../i18n/language.svelte';
import { arrange, type Arrangement, type Searchable } from './arrange';
import type { Column, Order } from './table';

interface Wanted<T> {
  rows: readonly T[] | null;
  columns: readonly Column<T>[];
  order: Order;
  searchable: Searchable<T>;
}

/** How long to work before the page may draw again. */
const SLICE_MS = 6;
/** Rows from which on new figures are put in order only so often. */
const MANY = 500;
const AT_MOST_EVERY_MS = 250;

export class Arranged<T extends object> {
  #value = $state.raw<Arrangement<T> | null>(null);
  #busy = $state(false);
  #texts = new WeakMap<T, string>();
  #language = '';
  #order = '';
  #madeAt = 0;

  /** To be made while a component begins. */
  constructor(wanted: () => Wanted<T>) {
    $effect.pre(() => {
      const now = wanted();
      if (!now.rows) return;
      const { column, descending } = now.order;
      const order = `${column} ${descending} ${spoken.language}`;
      const sameOrder = this.#order === order;
      this.#order = order;
      if (this.#language !== spoken.language) this.#texts = new WeakMap();
      this.#language = spoken.language;
      const wait =
        sameOrder && now.rows.length > MANY ? this.#madeAt + AT_MOST_EVERY_MS - performance.now() : 0;
      return this.#make({ ...now, rows: now.rows }, wait);
    });
  }

  /** The last one that is finished; null before the first. */
  get value(): Arrangement<T> | null {
    return this.#value;
  }
  /** Whether another is on its way. */
  get busy(): boolean {
    return this.#busy;
  }

  #make({ rows, columns, order, searchable }: Wanted<T> & { rows: readonly T[] }, wait: number): () => void {
    const steps = arrange(rows, columns, order, searchable, this.#texts);
    const { port1, port2 } = new MessageChannel();
    const work = () => {
      const end = performance.now() + SLICE_MS;
      for (;;) {
        const step = steps.next();
        if (step.done) {
          this.#value = step.value;
          this.#busy = false;
          this.#madeAt = performance.now();
          return port1.close();
        }
        if (performance.now() > end) break;
      }
      this.#busy = true;
      port2.postMessage(null);
    };
    port1.onmessage = work;
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (wait > 0) timer = setTimeout(work, wait);
    else untrack(work);
    return () => {
      clearTimeout(timer);
      port1.close();
    };
  }
}
