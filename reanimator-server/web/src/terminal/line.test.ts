import { expect, test } from 'vitest';
import { TerminalLine, type LineSocket, type LineState } from './line';

class FakeSocket implements LineSocket {
  binaryType: BinaryType = 'blob';
  sent: (string | Uint8Array)[] = [];
  closed = false;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
  says(news: object): void {
    this.onmessage?.({ data: JSON.stringify(news) } as MessageEvent);
  }
  shows(text: string): void {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer } as MessageEvent);
  }
  breaks(code: number): void {
    this.onclose?.({ code } as CloseEvent);
  }
  get orders(): unknown[] {
    return this.sent.filter((each) => typeof each === 'string').map((each) => JSON.parse(each) as unknown);
  }
  get typed(): number {
    return this.sent.reduce((sum, each) => sum + (typeof each === 'string' ? 0 : each.length), 0);
  }
}

function desk() {
  const sockets: FakeSocket[] = [];
  const froms: (number | null)[] = [];
  const states: LineState[] = [];
  const timers: (() => void)[] = [];
  const shown: string[] = [];
  const waiting: (() => void)[] = [];
  let there: boolean | 'silent' = true;
  const line = new TerminalLine(
    {
      open: (from) => {
        froms.push(from);
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      now: () => 0,
      random: () => 0.5,
      after: (_, then) => {
        timers.push(then);
        return () => undefined;
      },
      stillThere: () => (there === 'silent' ? Promise.reject(new Error('silent')) : Promise.resolve(there)),
    },
    {
      show: (bytes, done) => {
        shown.push(new TextDecoder().decode(bytes));
        waiting.push(done);
      },
      clear: () => shown.push('<clear>'),
      size: (cols, rows) => shown.push(`<${cols}x${rows}>`),
      state: (state) => states.push(state),
    },
  );
  line.start();
  const attached = (at: number) => ({ type: 'attached', at, terminal: { size: { cols: 80, rows: 24 } } });
  return {
    line,
    sockets,
    froms,
    states,
    shown,
    attached,
    done: () => waiting.splice(0).forEach((each) => each()),
    tick: async () => {
      timers.splice(0).forEach((each) => each());
      await Promise.resolve();
      await Promise.resolve();
    },
    is: (now: boolean | 'silent') => (there = now),
    socket: (index: number) => sockets[index] ?? expect.fail(`there is no socket ${index}`),
  };
}

test('what is shown is acknowledged once it is on the screen', () => {
  const { socket, attached, done, shown } = desk();
  socket(0).says(attached(100));
  socket(0).shows('grün');
  expect(shown).toEqual(['<80x24>', 'grün']);
  expect(socket(0).orders).toEqual([]);
  done();
  expect(socket(0).orders).toEqual([{ type: 'seen', at: 105 }]);
});

test('a line that broke goes on behind the last byte, and what was typed meanwhile is not sent', async () => {
  const { line, socket, sockets, froms, states, attached, tick } = desk();
  socket(0).says(attached(0));
  socket(0).shows('hello');
  socket(0).breaks(1006);
  expect(states.at(-1)?.state).toBe('lost');
  expect(line.type(new Uint8Array([1]))).toBe(false);
  await tick();
  expect(froms).toEqual([null, 5]);
  socket(1).says(attached(5));
  expect(states.at(-1)).toEqual({ state: 'open' });
  expect(sockets.length).toBe(2);
});

test('what is gone at the server is not tried for ever, and a silent server is', async () => {
  const { socket, states, attached, tick, is, sockets } = desk();
  socket(0).says(attached(0));
  socket(0).breaks(1006);
  is('silent');
  await tick();
  expect(states.at(-1)?.state).toBe('lost');
  is(false);
  await tick();
  expect(states.at(-1)).toEqual({ state: 'ended', end: null });
  expect(sockets.length).toBe(1);
});

test('an end and a refusal are told, and nothing is tried again', async () => {
  const ended = desk();
  ended.socket(0).says(ended.attached(0));
  ended
    .socket(0)
    .says({ type: 'ended', at: '', why: 'exit status 0', failed: false, status: 0, signal: null });
  ended.socket(0).breaks(1000);
  await ended.tick();
  expect(ended.states.at(-1)).toMatchObject({ state: 'ended', end: { why: 'exit status 0' } });
  const refused = desk();
  refused.socket(0).says(refused.attached(0));
  refused.socket(0).breaks(1008);
  await refused.tick();
  expect(refused.states.at(-1)).toEqual({ state: 'refused' });
  expect(refused.sockets.length).toBe(1);
});

test('a long paste goes only as fast as it is taken', () => {
  const { line, socket, attached } = desk();
  socket(0).says(attached(0));
  const paste = new Uint8Array(1024 * 1024).fill(120);
  expect(line.type(paste)).toBe(true);
  const first = socket(0).typed;
  expect(first).toBe(256 * 1024);
  for (let taken = first; socket(0).typed < paste.length; taken = socket(0).typed) {
    socket(0).says({ type: 'taken', bytes: taken });
    expect(socket(0).typed - taken).toBeLessThanOrEqual(256 * 1024);
  }
  expect(line.underWay).toBe(256 * 1024);
  socket(0).says({ type: 'taken', bytes: paste.length });
  expect(line.underWay).toBe(0);
  expect(line.type(new Uint8Array(65 * 1024 * 1024))).toBe(false);
});

test('the size of this page is told when the line opens, and another one is taken on', () => {
  const { line, socket, attached, shown } = desk();
  line.resize(120, 40);
  socket(0).says(attached(0));
  expect(socket(0).orders).toEqual([{ type: 'resize', cols: 120, rows: 40 }]);
  line.resize(120, 40);
  expect(socket(0).orders.length).toBe(1);
  socket(0).says({ type: 'size', cols: 90, rows: 30 });
  socket(0).says({ type: 'lost', at: 7, bytes: 3 });
  expect(shown).toEqual(['<90x30>', '<clear>']);
});
