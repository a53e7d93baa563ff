/** An update that is being carried out, or was. */
import type { Level } from '../facts/table';
import { tookSeconds } from '../operations/operation';
import { withQuery } from '../query';
import { lasting } from './packages';
import type { TargetState, UpdateLine, UpdatePhase, UpdateRun, UpdateState, UpdateTarget } from './types';

export const updateHref = (id: string): string => `/updates/${encodeURIComponent(id)}`;

/** Where an update of some machines is planned; `hosts` and `guests` are selectors. */
export const planHref = (whom: { hosts?: string; guests?: string }): string => withQuery('/updates', whom);

const OVER: ReadonlySet<UpdateState> = new Set(['done', 'failed', 'cancelled']);
export const isOver = ({ state }: { state: UpdateState }): boolean => OVER.has(state);

export const mayStop = ({ state, cancel }: Pick<UpdateRun, 'state' | 'cancel'>): boolean =>
  !OVER.has(state) && !cancel;

export const runLevel = (state: UpdateState): Level | null =>
  state === 'failed' ? 'bad' : state === 'cancelled' ? 'warn' : null;

export const targetLevel = (state: TargetState): Level | null => {
  if (state === 'failed' || state === 'rolled-back') return 'bad';
  return state === 'skipped' ? 'warn' : null;
};

export const isTargetOver = ({ state }: Pick<UpdateTarget, 'state'>): boolean =>
  state !== 'pending' && state !== 'running';

/** How much of it is over, from 0 to 100. */
export function percentOf({ over, machines }: Pick<UpdateLine, 'over' | 'machines'>): number {
  return machines === 0 ? 100 : (over / machines) * 100;
}

export interface RunWave {
  number: number;
  canary: boolean;
  targets: UpdateTarget[];
}

/** Its machines, wave by wave. */
export function wavesOf({ targets }: Pick<UpdateRun, 'targets'>): RunWave[] {
  const waves = new Map<number, RunWave>();
  for (const target of targets) {
    const wave = waves.get(target.wave);
    if (wave) wave.targets.push(target);
    else waves.set(target.wave, { number: target.wave, canary: target.canary, targets: [target] });
  }
  return [...waves.values()].sort((a, b) => a.number - b.number);
}

/** How a machine ended, the worst first. */
const REPORTED: readonly TargetState[] = [
  'failed',
  'rolled-back',
  'running',
  'skipped',
  'updated',
  'pending',
  'current',
];

/** Machines as a report tells of them: failures first, the rest in their order. */
export const reported = (targets: readonly UpdateTarget[]): UpdateTarget[] =>
  [...targets].sort((a, b) => REPORTED.indexOf(a.state) - REPORTED.indexOf(b.state) || a.number - b.number);

/** What came of it in figures. */
export interface Sums {
  machines: number;
  over: number;
  updated: number;
  current: number;
  failed: number;
  skipped: number;
  packages: number;
  security: number;
  kept: number;
  restarted: number;
}

export function sumsOf({ targets }: Pick<UpdateRun, 'targets'>): Sums {
  const count = (is: (target: UpdateTarget) => boolean) => targets.filter(is).length;
  const sum = (of: (target: UpdateTarget) => number) => targets.reduce((all, each) => all + of(each), 0);
  return {
    machines: targets.length,
    over: count(isTargetOver),
    updated: count(({ state }) => state === 'updated'),
    current: count(({ state }) => state === 'current'),
    failed: count(({ state }) => targetLevel(state) === 'bad'),
    skipped: count(({ state }) => state === 'skipped'),
    packages: sum((target) => lasting(target)?.changed_count ?? 0),
    security: sum((target) => lasting(target)?.changes.filter(({ security }) => security).length ?? 0),
    kept: sum((target) => lasting(target)?.kept_files.length ?? 0),
    restarted: count(({ restarted }) => restarted),
  };
}

/** Operations that a machine's update asked for, in the order of asking, each phase once: the newest stands. */
export function phasesOf({ steps }: Pick<UpdateTarget, 'steps'>): UpdateTarget['steps'] {
  const newest = new Map<UpdatePhase, UpdateTarget['steps'][number]>();
  for (const step of steps) {
    newest.delete(step.phase);
    newest.set(step.phase, step);
  }
  return [...newest.values()];
}

/** How long a machine, or all of it, took until now; null before it began. */
export const took = tookSeconds;
