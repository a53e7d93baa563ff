import { expect, test } from 'vitest';
import type { Operation, OperationLine, OperationStep } from '../api/types';
import { format, t } from '../i18n';
import {
  doneSteps,
  guestAction,
  guestVerbs,
  isOpen,
  mayStop,
  mayUndo,
  stateText,
  stepsToCome,
  withLines,
} from './operation';
import { mayBegin } from './plan';
import { consequence, stepHref, stepText } from './words';

const step = (about: Partial<OperationStep> = {}): OperationStep => ({
  number: 0,
  action: { on: 'guest', id: 'c1:101', do: 'stop' },
  after: [],
  undoes: null,
  state: 'pending',
  before: null,
  handle: null,
  limit_seconds: null,
  started_at: null,
  ended_at: null,
  outcome: null,
  ...about,
});

const operation = (about: Partial<Operation> = {}): Operation => ({
  id: 'o1',
  title: 'stop guest mail',
  state: 'running',
  note: null,
  requested_by: 'olga',
  requested_from: '192.0.2.1',
  overrides: [],
  requested_at: '2026-01-01T00:00:00Z',
  started_at: null,
  ended_at: null,
  percent: 0,
  cancel: false,
  undo: false,
  owner: null,
  generation: 1,
  steps: [step()],
  ...about,
});

test('a guest is offered what makes sense in its state', () => {
  const vm = { kind: 'qemu', template: false } as const;
  expect(guestVerbs({ ...vm, status: 'running' })).toEqual(['shutdown', 'reboot', 'suspend', 'stop']);
  expect(guestVerbs({ ...vm, status: 'stopped' })).toEqual(['start']);
  expect(guestVerbs({ ...vm, status: 'paused' })).toEqual(['resume', 'stop']);
  expect(guestVerbs({ ...vm, status: 'unknown' })).toEqual([]);
  expect(guestVerbs({ ...vm, status: 'stopped', template: true }), 'a template never runs').toEqual([]);
  expect(guestVerbs({ kind: 'lxc', template: false, status: 'running' })).not.toContain('suspend');
});

test('a plug is pulled after a limit only where that was asked for, and then it is said', () => {
  const asked = guestAction('c1:101', 'shutdown', false);
  const forced = guestAction('c1:101', 'shutdown', true);
  expect(asked).toEqual({ on: 'guest', id: 'c1:101', do: 'shutdown', limit_seconds: 60, then_stop: false });
  expect(forced).toMatchObject({ then_stop: true });
  expect(consequence(asked)).not.toMatch(/plug/);
  expect(consequence(forced)).toMatch(/plug is pulled/);
  expect(guestAction('c1:101', 'stop', true)).toEqual({ on: 'guest', id: 'c1:101', do: 'stop' });
});

test('a plan with a refused step, or with nothing to do, cannot be begun', () => {
  const dry = {
    action: step().action,
    words: '',
    risk: 'low',
    calls: [],
    already: null,
    refused: [],
  } as const;
  const ready = { ...dry, calls: ['POST /x'], refused: [] as string[], objections: [] };
  const refused = { ...ready, refused: ['guest mail is locked by Proxmox: backup'] };
  const already = { ...ready, already: 'it is stopped already' };
  const may = (...steps: (typeof ready | typeof already)[]) =>
    mayBegin({ steps: steps.map((each) => ({ ...each, calls: [...each.calls] })) });
  expect(may(ready)).toBe(true);
  expect(may(ready, already)).toBe(true);
  expect(may(ready, refused)).toBe(false);
  expect(may(already)).toBe(false);
  expect(may()).toBe(false);
});

test('what is over is open again while it is yet to be taken back', () => {
  expect(isOpen({ state: 'waiting', undo: false })).toBe(true);
  expect(isOpen({ state: 'done', undo: false })).toBe(false);
  expect(isOpen({ state: 'done', undo: true })).toBe(true);
  expect(isOpen({ state: 'undone', undo: true })).toBe(false);
});

test('one may stop what goes on and undo what has been done, each once', () => {
  const done = [step({ state: 'done' })];
  expect(mayStop(operation())).toBe(true);
  expect(mayStop(operation({ cancel: true }))).toBe(false);
  expect(mayStop(operation({ state: 'done' }))).toBe(false);
  expect(mayUndo(operation({ state: 'done', steps: done }))).toBe(true);
  expect(mayUndo(operation({ state: 'done', steps: done, undo: true }))).toBe(false);
  expect(mayUndo(operation({ state: 'undone', steps: done }))).toBe(false);
  expect(mayUndo(operation({ state: 'failed', steps: [step({ state: 'failed' })] }))).toBe(false);
  expect(mayUndo(operation({ state: 'done', steps: [step({ state: 'already' })] }))).toBe(false);
});

test('what takes others back counts neither as done nor as theirs', () => {
  const steps = [step({ state: 'done' }), step({ number: 1 }), step({ number: 2, state: 'done', undoes: 0 })];
  expect(doneSteps({ steps }).map(({ number }) => number)).toEqual([0]);
  expect(stepsToCome({ steps })).toBe(1);
});

test('a state tells what was asked of it since', () => {
  expect(stateText(operation())).toBe('running');
  expect(stateText(operation({ cancel: true }))).toBe('running, stops before its next step');
  expect(stateText(operation({ state: 'cancelled', cancel: true }))).toBe('stopped');
  expect(stateText(operation({ state: 'done', undo: true }))).toBe('done, will be undone');
  expect(stateText(operation({ state: 'undoing', undo: true }))).toBe('being undone');
});

test('a step is called by the names of what it acts upon, and by ids where they are not known', () => {
  const names = { guest: (id: string) => (id === 'c1:101' ? 'mail' : undefined), host: () => undefined };
  expect(stepText(step(), names, format.count)).toBe('Stop guest mail');
  const back = step({ action: { on: 'guest', id: 'c1:102', do: 'start' }, undoes: 0 });
  expect(stepText(back, names, format.count)).toBe('Start guest c1:102 (takes back step 1)');
  const unit = step({ action: { on: 'unit', host: 'h1', unit: 'nginx.service', do: 'restart' } });
  expect(stepText(unit, names, format.count)).toBe('Restart nginx.service on h1');
  expect(stepHref(unit)).toBe('/hosts/h1/units');
  expect(stepHref(back)).toBe('/guests/c1%3A102');
});

test('lines grow, and none is there twice', () => {
  const line = (number: number): OperationLine => ({ number, at: '', step: null, text: String(number) });
  const known = [line(1), line(2)];
  expect(withLines(known, [line(2), line(5)]).map(({ number }) => number)).toEqual([1, 2, 5]);
  expect(withLines(known, [line(1)]), 'nothing new is drawn anew').toBe(known);
});

test('every risk has its words', () => {
  for (const risk of ['none', 'low', 'disruptive', 'destructive'] as const) {
    expect(t.operations.risks[risk]).toBeTruthy();
  }
});

test('packages are told of the machine that they are on', () => {
  const names = { guest: (id: string) => (id === 'c1:101' ? 'mail' : undefined), host: () => 'web-1' };
  const upgrade = { on: 'packages', do: 'upgrade', exclude: [] } as const;
  const about = (machine: string, security_only: boolean) =>
    step({ action: { ...upgrade, machine, security_only, exclude: [] } });
  expect(stepText(about('guest:c1:101', true), names, String)).toBe('Install the security updates of mail');
  expect(stepText(about('host:h1', false), names, String)).toBe('Upgrade the packages of web-1');
  expect(stepHref(about('guest:c1:101', false))).toBe('/guests/c1%3A101');
  expect(consequence({ on: 'packages', machine: 'host:h1', do: 'refresh' })).toContain(
    'Nothing is installed',
  );
});
