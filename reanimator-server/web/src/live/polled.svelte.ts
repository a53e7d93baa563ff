/**
 * An answer of the server that is kept up to date: asked for every ten seconds while the page is seen,
 * and at once when the live line tells of a change that it depends on.
 */
import { untrack } from 'svelte';
import { Problem } from '../api/problem';
import type { Frame } from '../api/types';
import { live } from './live.svelte';

const EVERY_MS = 10_000;
/** At most so often, however many changes are told of. */
const AT_MOST_EVERY_MS = 2000;

interface Options {
  every?: number;
  /** At most so often, however many changes are told of; every two seconds where it is not said. */
  atMostEvery?: number;
  /** Which frames make the answer worth asking for at once. */
  on?: (frame: Frame) => boolean;
}

/** Frames that change what the tables of the fleet hold. */
export const ofTables = ({ type }: Frame): boolean =>
  type === 'connected' || type.endsWith(':changed') || type.endsWith(':added') || type.endsWith(':removed');

export class Polled<T> {
  #value = $state.raw<T | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #again: () => void = () => undefined;

  /** To be made while a component begins. What `ask` reads of the page's state makes it begin anew. */
  constructor(ask: () => Promise<T>, options: Options = {}) {
    $effect(() => this.#keepAsking(ask, options));
  }

  /** The last answer; null before the first. */
  get value(): T | null {
    return this.#value;
  }
  /** Why there was no answer the last time. */
  get problem(): Problem | null {
    return this.#problem;
  }
  /** Asks now. */
  refresh = (): void => this.#again();
  /** Takes an answer that came another way. */
  take(value: T): void {
    this.#value = value;
    this.#problem = null;
  }

  #keepAsking(
    ask: () => Promise<T>,
    { every = EVERY_MS, atMostEvery = AT_MOST_EVERY_MS, on }: Options,
  ): () => void {
    let stopped = false;
    let busy = false;
    let askedAt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const answer = async (promise: Promise<T>) => {
      busy = true;
      askedAt = Date.now();
      try {
        const value = await promise;
        if (!stopped) this.take(value);
      } catch (thrown) {
        if (!stopped) this.#problem = Problem.of(thrown);
      } finally {
        busy = false;
        if (!stopped) plan(every);
      }
    };
    const turn = () => {
      if (busy) plan(Math.min(500, atMostEvery));
      else if (document.hidden) plan(every);
      else void answer(untrack(ask));
    };
    const plan = (wait: number) => {
      clearTimeout(timer);
      timer = setTimeout(turn, wait);
    };
    const whenSeen = () => {
      if (!document.hidden && Date.now() - askedAt > every) turn();
    };
    const stopListening = live.listen((frames) => {
      if (on && frames.some(on)) plan(Math.max(0, atMostEvery - (Date.now() - askedAt)));
    });

    this.#again = () => plan(0);
    document.addEventListener('visibilitychange', whenSeen);
    void answer(ask());
    return () => {
      stopped = true;
      clearTimeout(timer);
      stopListening();
      document.removeEventListener('visibilitychange', whenSeen);
    };
  }
}
