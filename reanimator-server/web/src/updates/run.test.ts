import { expect, test } from 'vitest';
import { hasWork, isRefused, leavingOut, mayBegin, spokenRules } from './plan';
import { mayStop, percentOf, phasesOf, planHref, reported, sumsOf, wavesOf } from './run';
import type { PlannedTarget, UpdateStep, UpdateTarget } from './types';
import { newWish } from './wish';
import { packagesText, wishText } from './words';
import { wishOf } from './wish';

const target = (number: number, about: Partial<UpdateTarget> = {}): UpdateTarget => ({
  number,
  machine: `host:h${number}`,
  name: `web-${number}`,
  kind: 'host',
  wave: number === 0 ? 1 : 2,
  canary: number === 0,
  why: '',
  own: false,
  state: 'pending',
  phase: null,
  steps: [],
  pending: [],
  pending_count: 0,
  security_count: null,
  restart_due: false,
  report: null,
  restarted: false,
  rolled_back: false,
  evacuated: false,
  has_snapshot: false,
  failure: null,
  notes: [],
  started_at: null,
  ended_at: null,
  ...about,
});

test('machines stand in their waves, and failures first in a report', () => {
  const targets = [
    target(0, { state: 'updated' }),
    target(1, { state: 'rolled-back' }),
    target(2, { state: 'current' }),
    target(3, { state: 'failed' }),
    target(4, { state: 'skipped' }),
  ];
  expect(wavesOf({ targets }).map(({ number, canary, targets: of }) => [number, canary, of.length])).toEqual([
    [1, true, 1],
    [2, false, 4],
  ]);
  expect(reported(targets).map(({ number }) => number)).toEqual([3, 1, 4, 0, 2]);
  const sums = sumsOf({ targets });
  expect(sums).toMatchObject({ machines: 5, over: 5, updated: 1, current: 1, failed: 2, skipped: 1 });
  expect(percentOf(sums)).toBe(100);
  expect(percentOf({ over: 1, machines: 4 })).toBe(25);
});

test('a phase that was asked for twice is told once, by its newest operation', () => {
  const step = (phase: UpdateStep['phase'], operation: string): UpdateStep => ({
    phase,
    operation,
    state: null,
    asked_at: '',
    ended_at: null,
  });
  const steps = [step('refresh', 'o1'), step('upgrade', 'o2'), step('refresh', 'o3')];
  expect(phasesOf({ steps }).map(({ operation }) => operation)).toEqual(['o2', 'o3']);
});

test('only what goes on and was not stopped can be stopped', () => {
  expect(mayStop({ state: 'running', cancel: false })).toBe(true);
  expect(mayStop({ state: 'running', cancel: true })).toBe(false);
  expect(mayStop({ state: 'done', cancel: false })).toBe(false);
});

const planned = (about: Partial<PlannedTarget> = {}): PlannedTarget => ({
  machine: 'host:h1',
  name: 'web-1',
  kind: 'host',
  own: false,
  why: '',
  survey: null,
  wanted: 3,
  security: 1,
  restart: false,
  steps: [],
  refused: [],
  objections: [],
  notes: [],
  ...about,
});
const windowed = { rule: 'window', why: 'it is shut', can_override: true } as const;
const quorate = { rule: 'quorum', why: 'it would be lost', can_override: false } as const;
const planOf = (...targets: PlannedTarget[]) => ({ waves: [{ number: 1, canary: false, targets }] });

test('what a rule speaks against is refused, unless it is overridden and may be', () => {
  expect(isRefused(planned({ objections: [windowed] }), [])).toBe(true);
  expect(isRefused(planned({ objections: [windowed] }), ['window'])).toBe(false);
  expect(isRefused(planned({ objections: [windowed, quorate] }), ['window', 'quorum'])).toBe(true);
  expect(isRefused(planned({ refused: ['its disk is full'] }), [])).toBe(true);
});

test('a plan may begin where something can be done with one machine at least', () => {
  const full = planned({ refused: ['its disk is full'] });
  expect(mayBegin(planOf(full), [])).toBe(false);
  expect(mayBegin(planOf(planned({ wanted: 0 })), [])).toBe(false);
  expect(mayBegin(planOf(full, planned()), [])).toBe(true);
  expect(hasWork(planned({ wanted: 0, restart: true }))).toBe(true);
});

test('each rule is told once, with all machines that it speaks of', () => {
  const rules = spokenRules(
    planOf(planned({ objections: [windowed] }), planned({ name: 'db', objections: [windowed, quorate] })),
  );
  expect(rules).toEqual([
    { rule: 'window', canOverride: true, machines: ['web-1', 'db'] },
    { rule: 'quorum', canOverride: false, machines: ['db'] },
  ]);
});

test('machines are left out of the words that named them', () => {
  const draft = newWish('group:web', 'tag:prod');
  const less = leavingOut(draft, [{ machine: 'host:h1' }, { machine: 'guest:c1:101' }]);
  expect(less).toMatchObject({ hosts: 'group:web,!h1', guests: 'tag:prod,!c1:101' });
});

test('an update in words', () => {
  const wish = wishOf({
    ...newWish('all'),
    securityOnly: true,
    exclude: 'vim',
    safety: 'snapshot',
    reboot: 'never',
  });
  expect(wishText(wish)).toBe('security only, without vim, with a snapshot, no restarts');
  expect(packagesText(1, 0, String)).toBe('1 package');
  expect(packagesText(12, 3, String)).toBe('12 packages, 3 for security');
  expect(packagesText(0, null, String)).toBe('nothing to install');
  expect(planHref({ hosts: 'a,b' })).toBe('/updates?hosts=a%2Cb');
});
