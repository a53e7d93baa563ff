/**
 * Keeps one WebSocket to the server alive. Lost connections heal by themselves: after a wait that
 * grows, at once when the browser says that the network is back, or when asked to. A connection
 * that has gone silent counts as lost, because a dead network does not close sockets.
 */
import { backoff } from './backoff';

/** A fleet that is watched speaks every few seconds; this long without a word and the line is dead. */
const SILENCE_MS = 20_000;
/** A fleet of which nothing is seen has little to say, and one may be looked at less often. */
const LONG_SILENCE_MS = 45_000;
/** The first word of a line is its greeting; after so many the server is known to go on speaking. */
const TALKS_AFTER = 3;

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'lost'; since: number; retryAt: number }
  | { state: 'closed' };

/** The part of a WebSocket that is used here, so that a test can stand in for it. */
export interface SocketLike {
  close(): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

export interface Surroundings {
  open(): SocketLike;
  now(): number;
  random(): number;
  after(milliseconds: number, then: () => void): () => void;
  /** Asked before each new attempt; false means that we are logged out and trying is pointless. */
  stillWelcome(): Promise<boolean>;
}

export class LiveSocket {
  #around: Surroundings;
  #onText: (text: string) => void;
  #onState: (connection: Connection) => void;
  #socket: SocketLike | null = null;
  #attempt = 0;
  #lostSince: number | null = null;
  #stopTimer: () => void = () => undefined;
  #closed = false;
  /** Words heard on this line. */
  #words = 0;
  /** A line was given up for its silence: from then on silence is borne for longer, as it may be usual here. */
  #patient = false;

  constructor(
    around: Surroundings,
    onText: (text: string) => void,
    onState: (connection: Connection) => void,
  ) {
    this.#around = around;
    this.#onText = onText;
    this.#onState = onState;
  }

  start(): void {
    this.#onState({ state: 'connecting' });
    this.#open();
  }

  /** Tries again now instead of waiting; does nothing while connected. */
  retryNow(): void {
    if (this.#closed || this.#socket) return;
    this.#stopTimer();
    void this.#reopen();
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#drop();
    this.#onState({ state: 'closed' });
  }

  #open(): void {
    const socket = this.#around.open();
    this.#socket = socket;
    this.#words = 0;
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      this.#heard();
      if (typeof event.data === 'string') this.#onText(event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lose();
    };
    this.#watch();
  }

  #heard(): void {
    if (this.#attempt > 0 || this.#lostSince !== null) {
      this.#attempt = 0;
      this.#lostSince = null;
    }
    this.#words += 1;
    this.#onState({ state: 'live' });
    this.#watch();
  }

  #watch(): void {
    this.#stopTimer();
    const wait = this.#patient || this.#words < TALKS_AFTER ? LONG_SILENCE_MS : SILENCE_MS;
    this.#stopTimer = this.#around.after(wait, () => {
      this.#patient = true;
      this.#lose();
    });
  }

  #lose(): void {
    this.#stopTimer();
    this.#drop();
    const now = this.#around.now();
    const wait = backoff(this.#attempt, this.#around.random());
    this.#attempt += 1;
    this.#lostSince ??= now;
    this.#onState({ state: 'lost', since: this.#lostSince, retryAt: now + wait });
    this.#stopTimer = this.#around.after(wait, () => void this.#reopen());
  }

  async #reopen(): Promise<void> {
    const welcome = await this.#around.stillWelcome();
    if (this.#closed || this.#socket) return;
    if (welcome) this.#open();
    else this.close();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
