/** What may be done with a guest, with a plan, and with an operation; and both in words. */
import type {
  Action,
  DryRun,
  GuestVerb,
  NewOperation,
  Operation,
  OperationLine,
  OperationState,
  OperationStep,
  StepState,
  VmRow,
} from '../api/types';
import type { Level } from '../facts/table';
import { t } from '../i18n';

export const operationHref = (id: string): string => `/operations/${encodeURIComponent(id)}`;

/** How long a guest may take to shut down or to reboot. */
const LIMIT_SECONDS = 60;

/** What makes sense for a guest in its state. Proxmox freezes containers only as an experiment. */
export function guestVerbs({
  status,
  kind,
  template,
}: Pick<VmRow, 'status' | 'kind' | 'template'>): GuestVerb[] {
  if (template) return [];
  switch (status) {
    case 'running':
      return kind === 'qemu' ? ['shutdown', 'reboot', 'suspend', 'stop'] : ['shutdown', 'reboot', 'stop'];
    case 'stopped':
      return ['start'];
    case 'paused':
      return ['resume', 'stop'];
    case 'unknown':
      return [];
  }
}

export function guestAction(id: string, verb: GuestVerb, thenStop: boolean): Action {
  switch (verb) {
    case 'shutdown':
      return { on: 'guest', id, do: verb, limit_seconds: LIMIT_SECONDS, then_stop: thenStop };
    case 'reboot':
      return { on: 'guest', id, do: verb, limit_seconds: LIMIT_SECONDS };
    default:
      return { on: 'guest', id, do: verb };
  }
}

/** One action as an operation; the server names it. */
export const alone = (action: Action): NewOperation => ({ steps: [{ action }] });

/** What an action costs those who use what it acts upon, exactly. */
export function consequence(action: Action): string {
  if (action.on === 'unit') return t.operations.unitConsequences[action.do];
  if (action.on === 'snapshot') return t.operations.snapshotConsequences[action.do];
  const words = t.operations.guestConsequences;
  return action.do === 'shutdown' && action.then_stop ? words.shutdownThenStop : words[action.do];
}

/** Whether a plan has something to do and nothing of it would be refused. */
export const mayBegin = ({ steps }: Pick<DryRun, 'steps'>): boolean =>
  steps.every(({ refused }) => refused.length === 0) && steps.some(({ already }) => already === null);

const OVER: ReadonlySet<OperationState> = new Set(['done', 'failed', 'cancelled', 'undone']);

/** Whether something is being done, or yet to be taken back. */
export const isOpen = ({ state, undo }: Pick<Operation, 'state' | 'undo'>): boolean =>
  !OVER.has(state) || (undo && state !== 'undone');

export const mayStop = (operation: Pick<Operation, 'state' | 'cancel' | 'undo'>): boolean =>
  !OVER.has(operation.state) && !operation.cancel && !operation.undo;

/** Steps whose effect is there, and that take back no others. */
export const doneSteps = ({ steps }: Pick<Operation, 'steps'>): OperationStep[] =>
  steps.filter(({ state, undoes }) => state === 'done' && undoes === null);

/** Steps that nobody has begun. */
export const stepsToCome = ({ steps }: Pick<Operation, 'steps'>): number =>
  steps.filter(({ state }) => state === 'pending').length;

export const mayUndo = (operation: Operation): boolean =>
  OVER.has(operation.state) &&
  operation.state !== 'undone' &&
  !operation.undo &&
  doneSteps(operation).length > 0;

/** How far it got, with what was asked of it since. */
export function stateText(operation: Pick<Operation, 'state' | 'cancel' | 'undo'>): string {
  const { states, willStop, willBeUndone } = t.operations;
  const state = states[operation.state];
  if (operation.undo && operation.state !== 'undoing' && operation.state !== 'undone') {
    return `${state}, ${willBeUndone}`;
  }
  return operation.cancel && !OVER.has(operation.state) ? `${state}, ${willStop}` : state;
}

export const stateLevel = (state: OperationState | StepState): Level | null => {
  if (state === 'failed') return 'bad';
  return state === 'cancelled' ? 'warn' : null;
};

/** How the things that steps act upon are called. */
export interface Names {
  guest: (id: string) => string | undefined;
  host: (id: string) => string | undefined;
}

function actionText(action: OperationStep['action'], names: Names): string {
  switch (action.on) {
    case 'unit':
      return t.operations.unitSteps[action.do](action.unit, names.host(action.host) ?? action.host);
    case 'snapshot':
      return t.operations.snapshotSteps[action.do](action.name, names.guest(action.guest) ?? action.guest);
    case 'guest':
      return t.operations.guestSteps[action.do](names.guest(action.id) ?? action.id);
  }
}

export function stepText(
  { action, undoes }: OperationStep,
  names: Names,
  number: (value: number) => string,
): string {
  const words = actionText(action, names);
  return undoes === null ? words : `${words} (${t.operations.takesBack(number(undoes + 1))})`;
}

/** The page of what a step acts upon. */
export const stepHref = ({ action }: Pick<OperationStep, 'action'>): string =>
  action.on === 'unit'
    ? `/hosts/${encodeURIComponent(action.host)}/units`
    : action.on === 'snapshot'
      ? `/guests/${encodeURIComponent(action.guest)}/snapshots`
      : `/guests/${encodeURIComponent(action.id)}`;

/** Lines with those after them; one that came twice counts once. */
export function withLines(
  known: readonly OperationLine[],
  more: readonly OperationLine[],
): readonly OperationLine[] {
  const last = known.at(-1)?.number ?? 0;
  const fresh = more.filter(({ number }) => number > last);
  return fresh.length > 0 ? [...known, ...fresh] : known;
}
