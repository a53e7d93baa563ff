/** The span of time that the charts of a page show together: moved by hand, or following what is now. */
import { live } from '../live/live.svelte';
import { router } from '../router.svelte';
import { lengthText, newest, panned, parseEnd, parseLength, within, zoomed, type Span } from './span';

/** After so long without a move, what is shown is told in words and stands in the address. */
const CALM_MS = 250;

export class View {
  #span = $state.raw<Span>({ from: 0, to: 1 });
  #calm = $state.raw<Span>({ from: 0, to: 1 });
  #following = $state(true);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins as the address says. */
  constructor() {
    const length = parseLength(router.query('range'));
    const end = parseEnd(router.query('at'), this.now);
    this.#following = end === null;
    this.#span = end === null ? newest(length, this.now) : within({ from: end - length, to: end }, this.now);
    this.#calm = this.#span;
  }

  get span(): Span {
    return this.#span;
  }
  /** The span once it has come to rest. */
  get calm(): Span {
    return this.#calm;
  }
  /** Whether its end is now, and moves along. */
  get following(): boolean {
    return this.#following;
  }
  get length(): number {
    return this.#span.to - this.#span.from;
  }
  /** Now, by the server's clock, in seconds. */
  get now(): number {
    return live.serverNow / 1000;
  }

  choose(length: number): void {
    this.#move(
      this.#following ? newest(length, this.now) : zoomed(this.#span, length / this.length, 1, this.now),
    );
  }
  pan(share: number): void {
    this.#move(panned(this.#span, share, this.now));
  }
  /** About a place in it; one that follows keeps its end. */
  zoom(factor: number, about = 0.5): void {
    this.#move(zoomed(this.#span, factor, this.#following ? 1 : about, this.now));
  }
  /** Back to what is now. */
  follow(): void {
    this.#move(newest(this.length, this.now));
  }
  /** Goes on to what is now, if it follows. */
  goOn(): void {
    if (!this.#following) return;
    this.#span = newest(this.length, this.now);
    this.#calm = this.#span;
  }
  stop(): void {
    clearTimeout(this.#timer);
  }

  #move(span: Span): void {
    this.#span = span;
    this.#following = span.to >= this.now - (span.to - span.from) / 200;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#rest, CALM_MS);
  }

  #rest = (): void => {
    this.#calm = this.#span;
    router.setQuery('range', lengthText(this.length));
    router.setQuery('at', this.#following ? '' : String(Math.round(this.#span.to)));
  };
}
