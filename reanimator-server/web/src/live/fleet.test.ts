import { expect, test } from 'vitest';
import type { Frame } from '../api/types';
import { exampleHost, exampleTotals } from './example';
import { applyFrames, emptyFleet, parseFrame, withSums } from './fleet';

const at = '2026-11-21T04:00:00Z';
const connected: Frame = {
  type: 'connected',
  at,
  data: { hosts: [exampleHost({ id: 'a' }), exampleHost({ id: 'b' })], totals: exampleTotals() },
};

test('the first frame brings everything', () => {
  const fleet = applyFrames(emptyFleet, [connected]);
  expect([...fleet.hosts.keys()]).toEqual(['a', 'b']);
  expect(fleet.totals?.hosts.total).toBe(2);
  expect(fleet.at).toBe(at);
});

test('hosts come, change and go, and the fleet before is left alone', () => {
  const before = applyFrames(emptyFleet, [connected]);
  const after = applyFrames(before, [
    { type: 'host:updated', at, data: exampleHost({ id: 'a', cpu_percent: 99 }) },
    { type: 'host:added', at, data: exampleHost({ id: 'c' }) },
    { type: 'host:removed', at, data: { id: 'b' } },
  ]);
  expect([...after.hosts.keys()]).toEqual(['a', 'c']);
  expect(after.hosts.get('a')?.cpu_percent).toBe(99);
  expect(before.hosts.get('a')?.cpu_percent).not.toBe(99);
  expect(before.hosts.has('b')).toBe(true);
});

test('a new connected frame forgets hosts removed while we were away', () => {
  const before = applyFrames(emptyFleet, [connected]);
  const after = applyFrames(before, [
    { type: 'connected', at, data: { hosts: [exampleHost({ id: 'b' })], totals: exampleTotals() } },
  ]);
  expect([...after.hosts.keys()]).toEqual(['b']);
});

test('kinds of frames still to come change nothing', () => {
  const before = applyFrames(emptyFleet, [connected]);
  const frame = parseFrame(`{"type":"alert:raised","at":"${at}","data":{"id":"a"}}`);
  expect(frame).not.toBeNull();
  const after = applyFrames(before, frame ? [frame] : []);
  expect(after.hosts).toEqual(before.hosts);
});

test.each(['', 'null', '[]', '{"type":"connected"}', '{"type":1,"at":"x","data":{}}', '{'])(
  'what is no frame is refused: %s',
  (text) => {
    expect(parseFrame(text)).toBeNull();
  },
);

test('the sums of a session are kept once for each observation, and not for ever', () => {
  const at = (second: number) => ({ ...exampleTotals(), observed_at: new Date(second * 1000).toISOString() });
  const one = withSums([], at(1));
  expect(withSums(one, at(1))).toBe(one);
  expect(withSums(one, null)).toBe(one);
  let many = one;
  for (let second = 2; second < 1000; second += 1) many = withSums(many, at(second));
  expect(many).toHaveLength(360);
  expect(many.at(-1)).toEqual(at(999));
});
