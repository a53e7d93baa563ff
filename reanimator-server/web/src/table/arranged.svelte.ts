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

type Rows<T> = Wanted<T> & { rows: readonly T[] };

/** How long to work before the page may draw again; longer where a person waits for it. */
const SLICE_MS = 6;
const AWAITED_SLICE_MS = 25;
/** Rows from which on new figures are put in order only so often. */
const MANY = 500;
const AT_MOST_EVERY_MS = 250;

export class Arranged<T extends object> {
  #value = $state.raw<Arrangement<T> | null>(null);
  #busy = $state(false);
  #texts = new WeakMap<T, string>();
  #language = '';
  #order = '';
  /** A person asked for another order. */
  #awaited = false;
  #madeAt = 0;
  /** What is to be put in order next; the last one that came. */
  #next: Rows<T> | null = null;
  #steps: Generator<undefined, Arrangement<T>> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #channel = new MessageChannel();

  /** To be made while a component begins. */
  constructor(wanted: () => Wanted<T>) {
    this.#channel.port1.onmessage = () => this.#work();
    $effect.pre(() => {
      const now = wanted();
      if (!now.rows) return;
      const next = { ...now, rows: now.rows };
      const { column, descending } = now.order;
      const order = `${column} ${descending} ${spoken.language}`;
      untrack(() => this.#take(next, order));
    });
    $effect(() => () => {
      clearTimeout(this.#timer);
      this.#channel.port1.close();
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

  #take(next: Rows<T>, order: string): void {
    if (this.#language !== spoken.language) this.#texts = new WeakMap();
    this.#language = spoken.language;
    this.#next = next;
    const same = this.#order === order;
    this.#awaited ||= !same;
    this.#order = order;
    // One that is being made is finished first, or figures that come quickly would never let it; another order
    // is what a person waits for.
    if (same && this.#steps) return;
    this.#steps = null;
    const wait = same && next.rows.length > MANY ? this.#madeAt + AT_MOST_EVERY_MS - performance.now() : 0;
    this.#plan(wait);
  }

  #plan(wait: number): void {
    clearTimeout(this.#timer);
    if (wait > 0) this.#timer = setTimeout(() => this.#begin(), wait);
    else this.#begin();
  }

  #begin(): void {
    if (!this.#next) return;
    const { rows, columns, order, searchable } = this.#next;
    this.#next = null;
    this.#steps = arrange(rows, columns, order, searchable, this.#texts);
    this.#work();
  }

  /** Some steps; the rest after the page had its turn. */
  #work(): void {
    const end = performance.now() + (this.#awaited ? AWAITED_SLICE_MS : SLICE_MS);
    while (this.#steps) {
      const step = this.#steps.next();
      if (step.done) {
        this.#finish(step.value);
      } else if (performance.now() > end) {
        this.#busy = true;
        this.#channel.port2.postMessage(null);
        return;
      }
    }
  }

  #finish(value: Arrangement<T>): void {
    this.#steps = null;
    this.#awaited = false;
    this.#value = value;
    this.#busy = false;
    this.#madeAt = performance.now();
    if (this.#next) this.#plan(AT_MOST_EVERY_MS);
  }
}
