/**
 * The line to one terminal of the server. It heals by itself: after a loss it goes on behind the last byte that came, so
 * that nothing is shown twice. Both ways have their measure: the server is told how far was shown and sends only so much
 * more, and tells how much of what was typed has been taken; the rest of a long paste waits here until then.
 *
 * What was typed on a line that broke is not sent again: whether it arrived is not known, and a command that is run
 * twice may do harm.
 */
import { backoff } from '../live/backoff';

/** As much as is typed ahead of what the far side has taken. The server holds four times as much. */
const UNDER_WAY = 256 * 1024;
/** The largest frame that the server takes is 64 KiB. */
const PIECE = 16 * 1024;
/** As much as a paste may hold. */
const LARGEST_PASTE = 64 * 1024 * 1024;
/** How often it is told how far was shown, in bytes: telling each byte would cost as much as showing it. */
const TELL_EVERY = 16 * 1024;

export interface TerminalEnd {
  at: string;
  why: string;
  failed: boolean;
  status: number | null;
  signal: string | null;
}

export type LineState =
  | { state: 'connecting' }
  | { state: 'open' }
  | { state: 'lost'; retryAt: number }
  /** It has ended over there. */
  | { state: 'ended'; end: TerminalEnd | null }
  /** The server has let us go: logged out, or no admin any more. */
  | { state: 'refused' };

/** The part of a WebSocket that is used here, so that a test can stand in for it. */
export interface LineSocket {
  binaryType: BinaryType;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

export interface LineSurroundings {
  /** Opens the terminal's WebSocket behind a byte. */
  open(from: number | null): LineSocket;
  now(): number;
  random(): number;
  after(milliseconds: number, then: () => void): () => void;
  /** Asked before each new attempt: whether the terminal is still there. */
  stillThere(): Promise<boolean>;
}

/** Whoever shows what comes. */
export interface LineEars {
  /** Shows bytes, and calls back when they are shown. */
  show(bytes: Uint8Array, shown: () => void): void;
  /** Forgets what is shown: what follows begins anew. */
  clear(): void;
  size(cols: number, rows: number): void;
  state(state: LineState): void;
}

type News =
  | { type: 'attached'; at: number; terminal: { size: { cols: number; rows: number } } }
  | { type: 'lost'; at: number; bytes: number }
  | { type: 'size'; cols: number; rows: number }
  | { type: 'taken'; bytes: number }
  | { type: 'refused'; message: string }
  | ({ type: 'ended' } & TerminalEnd);

export class TerminalLine {
  #around: LineSurroundings;
  #ears: LineEars;
  #socket: LineSocket | null = null;
  #state: LineState = { state: 'connecting' };
  #attempt = 0;
  #stopTimer: () => void = () => undefined;
  #closed = false;
  /** The number of the next byte that comes; null before the first word. */
  #at: number | null = null;
  #told = 0;
  /** What waits to be sent, and how much was sent on this line and taken of it. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waits = 0;
  #sent = 0;
  #taken = 0;
  #size: { cols: number; rows: number } | null = null;

  constructor(around: LineSurroundings, ears: LineEars) {
    this.#around = around;
    this.#ears = ears;
  }

  get state(): LineState {
    return this.#state;
  }
  /** How many bytes of a paste have not been taken yet. */
  get underWay(): number {
    return this.#waits + this.#sent - this.#taken;
  }

  start(): void {
    this.#tell({ state: 'connecting' });
    this.#open();
  }

  /** Types; false where it cannot be now, or is too much. */
  type(bytes: Uint8Array): boolean {
    if (this.#state.state !== 'open' || this.#waits + bytes.length > LARGEST_PASTE) return false;
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = Uint8Array.from(bytes.subarray(from, from + PIECE));
      this.#waiting.push(piece);
      this.#waits += piece.length;
    }
    this.#send();
    return true;
  }

  resize(cols: number, rows: number): void {
    if (this.#size?.cols === cols && this.#size.rows === rows) return;
    this.#size = { cols, rows };
    if (this.#state.state === 'open') this.#order({ type: 'resize', cols, rows });
  }

  /** Tries again now instead of waiting. */
  retryNow(): void {
    if (this.#state.state !== 'lost') return;
    this.#stopTimer();
    void this.#reopen();
  }

  /** Looks away. The terminal stays open for a while. */
  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#drop();
  }

  #tell(state: LineState): void {
    this.#state = state;
    this.#ears.state(state);
  }

  #open(): void {
    const socket = this.#around.open(this.#at);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') this.#hear(JSON.parse(data) as News);
      else if (data instanceof ArrayBuffer) this.#show(new Uint8Array(data));
    };
    socket.onclose = (event) => this.#lost(event.code);
    this.#socket = socket;
  }

  #drop(): void {
    if (!this.#socket) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #show(bytes: Uint8Array): void {
    const at = (this.#at ?? 0) + bytes.length;
    this.#at = at;
    this.#ears.show(bytes, () => {
      if (at - this.#told < TELL_EVERY && at !== this.#at) return;
      this.#told = at;
      if (this.#socket) this.#order({ type: 'seen', at });
    });
  }

  #hear(news: News): void {
    switch (news.type) {
      case 'attached':
        this.#attempt = 0;
        [this.#sent, this.#taken, this.#at, this.#told] = [0, 0, news.at, news.at];
        this.#tell({ state: 'open' });
        if (this.#size) this.#order({ type: 'resize', ...this.#size });
        else this.#ears.size(news.terminal.size.cols, news.terminal.size.rows);
        break;
      case 'lost':
        this.#at = news.at;
        this.#ears.clear();
        break;
      case 'size':
        this.#size = { cols: news.cols, rows: news.rows };
        this.#ears.size(news.cols, news.rows);
        break;
      case 'taken':
        this.#taken = news.bytes;
        this.#send();
        break;
      case 'refused':
        // It has ended, which the next word says.
        break;
      case 'ended':
        this.#tell({ state: 'ended', end: news });
        break;
    }
  }

  #order(order: object): void {
    this.#socket?.send(JSON.stringify(order));
  }

  #send(): void {
    let next = this.#waiting[0];
    while (next && this.#socket && this.#sent - this.#taken < UNDER_WAY) {
      this.#waiting.shift();
      this.#waits -= next.length;
      this.#sent += next.length;
      this.#socket.send(next);
      next = this.#waiting[0];
    }
  }

  #lost(code: number): void {
    this.#drop();
    [this.#waiting, this.#waits, this.#sent, this.#taken] = [[], 0, 0, 0];
    if (this.#closed || this.#state.state === 'ended') return;
    if (code === 1008) {
      this.#tell({ state: 'refused' });
      return;
    }
    this.#wait();
  }

  #wait(): void {
    const wait = backoff(this.#attempt, this.#around.random());
    this.#attempt += 1;
    this.#tell({ state: 'lost', retryAt: this.#around.now() + wait });
    this.#stopTimer = this.#around.after(wait, () => void this.#reopen());
  }

  async #reopen(): Promise<void> {
    let there: boolean;
    try {
      there = await this.#around.stillThere();
    } catch {
      // Nobody answers: that says nothing of the terminal.
      if (!this.#closed) this.#wait();
      return;
    }
    if (this.#closed) return;
    if (!there) {
      this.#tell({ state: 'ended', end: null });
      return;
    }
    this.#tell({ state: 'connecting' });
    this.#open();
  }
}
