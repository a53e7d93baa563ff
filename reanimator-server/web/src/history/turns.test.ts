import { expect, test } from 'vitest';
import { Turns } from './turns';

/** A clock that stands still but for work, and frames that come when they are told to. */
function bench() {
  const frames: (() => void)[] = [];
  let time = 0;
  const turns = new Turns({ now: () => time, frame: (then) => frames.push(then) });
  return { turns, frames, work: (milliseconds: number) => (time += milliseconds) };
}

test('work that fits into a frame is done in it, what does not in the next', () => {
  const { turns, frames, work } = bench();
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    turns.ask({}, () => {
      done.push(name);
      work(5);
    });
  }
  expect(frames).toHaveLength(1);
  frames.shift()?.();
  expect(done).toEqual(['a', 'b']);
  frames.shift()?.();
  expect([done, frames.length]).toEqual([['a', 'b', 'c'], 0]);
});

test('no more than a few are drawn in a frame, what somebody holds first', () => {
  const { turns, frames } = bench();
  const done: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) turns.ask({}, () => done.push(name));
  turns.ask({}, () => done.push('held'), true);
  frames.shift()?.();
  expect(done).toEqual(['held', 'a']);
  frames.shift()?.();
  frames.shift()?.();
  expect(done).toEqual(['held', 'a', 'b', 'c', 'd']);
});

test('who asks twice is drawn once, and who is gone not at all', () => {
  const { turns, frames } = bench();
  const done: string[] = [];
  const [one, gone] = [{}, {}];
  turns.ask(one, () => done.push('old'));
  turns.ask(gone, () => done.push('gone'));
  turns.ask(one, () => done.push('new'));
  turns.forget(gone);
  frames.shift()?.();
  expect(done).toEqual(['new']);
});

test('after a late frame, one piece of work is done a frame', () => {
  const { turns, frames, work } = bench();
  const done: string[] = [];
  const ask = (name: string) => turns.ask({}, () => done.push(name));
  work(1000);
  ask('a');
  frames.shift()?.();
  work(60);
  ask('b');
  ask('c');
  frames.shift()?.();
  expect(done).toEqual(['a', 'b']);
  work(16);
  frames.shift()?.();
  expect(done).toEqual(['a', 'b', 'c']);
});
