/**
 * Work on the screen that takes its turn: as much of it in a frame as keeps the page moving, the rest in the next.
 * Whoever asks again before its turn came is drawn once.
 */

const MILLISECONDS_A_FRAME = 8;
/** Painting what was drawn takes longer than drawing it, and cannot be timed from here. */
const MOST_A_FRAME = 2;
/** Frames further apart than this are late: then one piece of work is enough. */
const LATE_MS = 25;

interface Clock {
  now: () => number;
  frame: (then: () => void) => void;
}

export class Turns {
  #waiting = new Map<object, () => void>();
  #planned = false;
  #last = 0;
  #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is `first` does not wait behind the others: it is what somebody has in their hand. */
  ask(who: object, work: () => void, first = false): void {
    if (first) {
      this.#waiting.delete(who);
      this.#waiting = new Map([[who, work], ...this.#waiting]);
    } else this.#waiting.set(who, work);
    this.#plan();
  }

  /** What is gone is not drawn. */
  forget(who: object): void {
    this.#waiting.delete(who);
  }

  #plan(): void {
    if (this.#planned || this.#waiting.size === 0) return;
    this.#planned = true;
    this.#clock.frame(this.#run);
  }

  #run = (): void => {
    this.#planned = false;
    const began = this.#clock.now();
    const since = began - this.#last;
    this.#last = began;
    let left = since > LATE_MS && since < 10 * LATE_MS ? 1 : MOST_A_FRAME;
    for (const [who, work] of this.#waiting) {
      this.#waiting.delete(who);
      work();
      left -= 1;
      if (left <= 0 || this.#clock.now() - began >= MILLISECONDS_A_FRAME) break;
    }
    this.#plan();
  };
}

export const turns = new Turns({
  now: () => performance.now(),
  frame: (then) => requestAnimationFrame(then),
});
