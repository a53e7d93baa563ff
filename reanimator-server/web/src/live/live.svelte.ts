/**
 * The live store: the fleet as the server last told it, whether the line to the server is alive,
 * and what time it is over there. Pages read it and never write to it.
 */
import { api } from '../api/client';
import { Problem } from '../api/problem';
import type { Frame, Host, Totals } from '../api/types';
import { applyFrames, emptyFleet, parseFrame, withSums, type Fleet } from './fleet';
import { LiveSocket, type Connection } from './socket';

/** Clocks that differ by less count as one. */
const CLOCKS_DIFFER_MS = 500;

class Live {
  #fleet = $state.raw<Fleet>(emptyFleet);
  #connection = $state.raw<Connection>({ state: 'closed' });
  #now = $state(Date.now());
  /** How far the server's clock is ahead of ours, so that ages are right on a machine with a wrong clock. */
  #ahead = 0;
  #socket: LiveSocket | null = null;
  #waiting: Frame[] = [];
  #drawing = false;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #listeners = new Set<(frames: readonly Frame[]) => void>();
  #sums = $state.raw<readonly Totals[]>([]);

  hosts: Host[] = $derived([...this.#fleet.hosts.values()]);

  get totals(): Totals | null {
    return this.#fleet.totals;
  }
  get connection(): Connection {
    return this.#connection;
  }
  /** The sums since this page was opened, oldest first: small lines until the server has kept a history. */
  get sums(): readonly Totals[] {
    return this.#sums;
  }
  /** Whether the server has told us the fleet at least once. */
  get known(): boolean {
    return this.#fleet.at !== null;
  }
  /** Whether what is shown is being kept up to date. */
  get fresh(): boolean {
    return this.#connection.state === 'live';
  }
  /** Now, by our clock, moving once a second. */
  get now(): number {
    return this.#now;
  }
  /** Now, by the server's clock. */
  get serverNow(): number {
    return this.#now + this.#ahead;
  }

  /** Hands every batch of frames to a listener, until the function that comes back is called. */
  listen(listener: (frames: readonly Frame[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  host(id: string): Host | undefined {
    return this.#fleet.hosts.get(id);
  }

  start(): void {
    if (this.#socket) return;
    this.#socket = new LiveSocket(
      {
        open: () => new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/events`),
        now: () => Date.now(),
        random: () => Math.random(),
        after: (milliseconds, then) => {
          const timer = setTimeout(then, milliseconds);
          return () => clearTimeout(timer);
        },
        stillWelcome,
      },
      (text) => this.#receive(text),
      (connection) => {
        if (connection.state !== 'live' || this.#connection.state !== 'live') this.#connection = connection;
      },
    );
    this.#ticker = setInterval(() => (this.#now = Date.now()), 1000);
    addEventListener('online', this.retryNow);
    document.addEventListener('visibilitychange', this.#whenSeen);
    this.#socket.start();
  }

  /** Forgets the fleet: what the next person may see is for the server to say. */
  stop(): void {
    this.#socket?.close();
    this.#socket = null;
    clearInterval(this.#ticker);
    removeEventListener('online', this.retryNow);
    document.removeEventListener('visibilitychange', this.#whenSeen);
    this.#waiting = [];
    this.#fleet = emptyFleet;
    this.#sums = [];
  }

  retryNow = (): void => this.#socket?.retryNow();

  #whenSeen = (): void => {
    if (document.visibilityState !== 'visible') return;
    this.#now = Date.now();
    this.retryNow();
  };

  #receive(text: string): void {
    const frame = parseFrame(text);
    if (!frame) return;
    const at = Date.parse(frame.at);
    // The network makes each frame a little late; ages and tables are not drawn anew for that.
    const ahead = at - Date.now();
    if (Math.abs(ahead - this.#ahead) > CLOCKS_DIFFER_MS) this.#ahead = ahead;
    this.#waiting.push(frame);
    // Many hosts report within one moment; the page is drawn once for all of them.
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => {
      this.#drawing = false;
      const frames = this.#waiting;
      this.#waiting = [];
      this.#fleet = applyFrames(this.#fleet, frames);
      this.#sums = withSums(this.#sums, this.#fleet.totals);
      for (const listener of this.#listeners) listener(frames);
    }, 50);
  }
}

/** False only when the server says so; a server that does not answer is worth another attempt. */
async function stillWelcome(): Promise<boolean> {
  try {
    await api.me();
    return true;
  } catch (thrown) {
    return Problem.of(thrown).status !== 401;
  }
}

export const live = new Live();
