import { beforeEach, expect, test } from 'vitest';
import { LiveSocket, type Connection, type SocketLike, type Surroundings } from './socket';

class FakeSocket implements SocketLike {
  closed = false;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  close() {
    this.closed = true;
  }
  say(data: string) {
    this.onmessage?.(new MessageEvent('message', { data }));
  }
  break() {
    this.onclose?.({} as CloseEvent);
  }
}

class World implements Surroundings {
  sockets: FakeSocket[] = [];
  clock = 0;
  welcome = true;
  timers: { at: number; then: () => void }[] = [];
  open() {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  now() {
    return this.clock;
  }
  random() {
    return 1;
  }
  after(milliseconds: number, then: () => void) {
    const timer = { at: this.clock + milliseconds, then };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
  async stillWelcome() {
    return this.welcome;
  }
  /** Lets time pass, firing what falls due. */
  async pass(milliseconds: number) {
    this.clock += milliseconds;
    const due = this.timers.filter((timer) => timer.at <= this.clock);
    this.timers = this.timers.filter((timer) => timer.at > this.clock);
    for (const timer of due) timer.then();
    await Promise.resolve();
    await Promise.resolve();
  }
  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }
}

let world: World;
let states: Connection[];
let texts: string[];
let live: LiveSocket;

beforeEach(() => {
  world = new World();
  states = [];
  texts = [];
  live = new LiveSocket(
    world,
    (text) => texts.push(text),
    (state) => states.push(state),
  );
  live.start();
});

test('is live with the first word and hands it over', () => {
  expect(states).toEqual([{ state: 'connecting' }]);
  world.last.say('hello');
  expect(states.at(-1)).toEqual({ state: 'live' });
  expect(texts).toEqual(['hello']);
});

test('a lost connection is told, retried with growing waits, and heals', async () => {
  world.last.say('hello');
  world.last.break();
  expect(states.at(-1)).toEqual({ state: 'lost', since: 0, retryAt: 500 });
  await world.pass(500);
  expect(world.sockets).toHaveLength(2);
  world.last.break();
  expect(states.at(-1)).toEqual({ state: 'lost', since: 0, retryAt: 500 + 1000 });
  await world.pass(1000);
  world.last.say('again');
  expect(states.at(-1)).toEqual({ state: 'live' });
  world.last.break();
  expect(states.at(-1)).toMatchObject({ since: 1500, retryAt: 2000 });
});

test('silence counts as loss', async () => {
  world.last.say('hello');
  await world.pass(44_000);
  expect(states.at(-1)).toEqual({ state: 'live' });
  await world.pass(1_000);
  expect(states.at(-1)).toMatchObject({ state: 'lost' });
  expect(world.last.closed).toBe(true);
});

test('logged out means no more attempts', async () => {
  world.welcome = false;
  world.last.break();
  await world.pass(500);
  expect(states.at(-1)).toEqual({ state: 'closed' });
  expect(world.sockets).toHaveLength(1);
});

test('asked to, it tries at once, and only once', async () => {
  world.last.break();
  live.retryNow();
  live.retryNow();
  await world.pass(0);
  expect(world.sockets).toHaveLength(2);
});

test('a closed one stays closed', async () => {
  live.close();
  live.retryNow();
  await world.pass(100_000);
  expect(world.sockets).toHaveLength(1);
  expect(world.last.closed).toBe(true);
});
