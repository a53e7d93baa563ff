/** What may be done with a guest and with an operation, and how far that got. */
import type {
  Action,
  NewOperation,
  Operation,
  OperationLine,
  OperationState,
  OperationStep,
  PowerVerb,
  Rule,
  StepState,
  VmRow,
} from '../api/types';
import type { Level } from '../facts/table';
import { t } from '../i18n';
import { thingOf } from './words';

export const operationHref = (id: string): string => `/operations/${encodeURIComponent(id)}`;

/** How long a guest may take to shut down or to reboot. */
const LIMIT_SECONDS = 60;

/** What makes sense for a guest in its state. Proxmox freezes containers only as an experiment. */
export function guestVerbs({
  status,
  kind,
  template,
}: Pick<VmRow, 'status' | 'kind' | 'template'>): PowerVerb[] {
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

export function guestAction(id: string, verb: PowerVerb, thenStop: boolean): Action {
  switch (verb) {
    case 'shutdown':
      return { on: 'guest', id, do: verb, limit_seconds: LIMIT_SECONDS, then_stop: thenStop };
    case 'reboot':
      return { on: 'guest', id, do: verb, limit_seconds: LIMIT_SECONDS };
    default:
      return { on: 'guest', id, do: verb };
  }
}

/** Actions beside each other as an operation; without a title the server names it. */
export const asked = (
  actions: readonly Action[],
  title = '',
  overrides: readonly Rule[] = [],
): NewOperation => ({
  ...(title ? { title } : {}),
  steps: actions.map((action) => ({ action })),
  ...(overrides.length > 0 ? { overrides: [...overrides] } : {}),
});

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

/** Lines with those after them; one that came twice counts once. */
export function withLines(
  known: readonly OperationLine[],
  more: readonly OperationLine[],
): readonly OperationLine[] {
  const last = known.at(-1)?.number ?? 0;
  const fresh = more.filter(({ number }) => number > last);
  return fresh.length > 0 ? [...known, ...fresh] : known;
}

/** Which operations a person wants to see. */
export interface Wanted {
  /** How far they got; `open` for those that are not over. */
  state: OperationState | 'open' | '';
  /** What they act upon: `guest:c1:101`, `host:h1`. */
  thing: string;
  /** Words that stand in their titles, their notes or the name of whoever asked. */
  text: string;
}

export function isWanted(operation: Operation, { state, thing, text }: Wanted): boolean {
  if (state === 'open' ? !isOpen(operation) : state !== '' && operation.state !== state) return false;
  if (thing && !operation.steps.some(({ action }) => thingOf(action) === thing)) return false;
  const all = [operation.title, operation.note ?? '', operation.requested_by].join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/** How long something took, or has taken until now, in seconds. */
export function tookSeconds(
  { started_at, ended_at }: Pick<OperationStep, 'started_at' | 'ended_at'>,
  now: number,
): number | null {
  if (started_at === null) return null;
  return Math.max(0, ((ended_at === null ? now : Date.parse(ended_at)) - Date.parse(started_at)) / 1000);
}

/** The operations of a guest or a host. */
export const operationsOf = (thing: string): string => `/operations?thing=${encodeURIComponent(thing)}`;
