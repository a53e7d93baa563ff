/** Actions in words: what each does, to what, and what it costs. */
import type { Action, ActionOn, OperationStep, Rule } from '../api/types';
import { entityHref, splitEntity } from '../facts/entity';
import { format, t } from '../i18n';

/** How the things that steps act upon are called. */
export interface Names {
  guest: (id: string) => string | undefined;
  host: (id: string) => string | undefined;
}

/** What it gets and what it loses: `+web -old`. */
const tagText = (add: readonly string[] = [], remove: readonly string[] = []): string =>
  [...add.map((tag) => `+${tag}`), ...remove.map((tag) => `−${tag}`)].join(' ');

/** `4 cores and 8.0 GiB of memory`. */
function sizeText(cores: number | null | undefined, memory: number | null | undefined): string {
  const parts = [
    ...(cores ? [t.actions.coresOf(cores)] : []),
    ...(memory ? [t.actions.memoryOf(format.mib(memory))] : []),
  ];
  return parts.length === 2 ? t.actions.both(parts[0] ?? '', parts[1] ?? '') : (parts[0] ?? '');
}

function guestText(action: ActionOn<'guest'>, names: Names): string {
  const name = names.guest(action.id) ?? action.id;
  const host = (id: string) => names.host(id) ?? id;
  const words = t.actions.guestSteps;
  switch (action.do) {
    case 'migrate':
    case 'remote-migrate':
      return words[action.do](name, host(action.to));
    case 'scale':
      return words.scale(name, sizeText(action.cores, action.memory_mib));
    case 'grow-disk':
      return words['grow-disk'](name, action.disk, format.gib(action.to_gib));
    case 'clone':
      return words.clone(name, action.name);
    case 'back-up':
      return words['back-up'](name, action.storage);
    case 'tag':
      return words.tag(name, tagText(action.add, action.remove));
    case 'delete':
      return words.delete(name);
    default:
      return t.operations.guestSteps[action.do](name);
  }
}

function packagesText(action: ActionOn<'packages'>, names: Names): string {
  const { kind, id } = splitEntity(action.machine);
  const name = (kind === 'guest' ? names.guest(id) : names.host(id)) ?? id;
  const what = action.do === 'upgrade' && action.security_only ? 'security' : action.do;
  return t.actions.packagesSteps[what](name);
}

export function actionText(action: Action, names: Names): string {
  if (action.on === 'guest') return guestText(action, names);
  if (action.on === 'snapshot') {
    return t.operations.snapshotSteps[action.do](action.name, names.guest(action.guest) ?? action.guest);
  }
  if (action.on === 'packages') return packagesText(action, names);
  const id = action.on === 'host' ? action.id : action.host;
  const host = names.host(id) ?? id;
  switch (action.on) {
    case 'host':
      return t.actions.hostSteps[action.do](host);
    case 'unit':
      return t.operations.unitSteps[action.do](action.unit, host);
    case 'container':
      return t.actions.containerSteps[action.do](action.name, host);
    case 'compose':
      return t.actions.composeSteps[action.do](action.project, host);
    case 'script':
      return t.actions.runScript(action.script, host);
    case 'storage':
      return t.actions.storageSteps[action.do](action.name, action.storage, host);
  }
}

export function stepText(
  { action, undoes }: Pick<OperationStep, 'action' | 'undoes'>,
  names: Names,
  number: (value: number) => string,
): string {
  const words = actionText(action, names);
  return undoes === null ? words : `${words} (${t.operations.takesBack(number(undoes + 1))})`;
}

function guestConsequence(action: ActionOn<'guest'>): string {
  const costs = t.actions.guestCosts;
  const power = t.operations.guestConsequences;
  switch (action.do) {
    case 'shutdown':
      return action.then_stop ? power.shutdownThenStop : power.shutdown;
    case 'remote-migrate':
      return costs[action.keep ? 'remote-migrate-keep' : 'remote-migrate'];
    case 'clone':
      return costs[action.full === false ? 'clone-linked' : 'clone'];
    case 'back-up':
      return action.mode === 'suspend' || action.mode === 'stop'
        ? costs[`back-up-${action.mode}`]
        : costs['back-up'];
    case 'delete':
      return costs[action.purge === false ? 'delete' : 'delete-purge'];
    case 'migrate':
    case 'scale':
    case 'grow-disk':
    case 'tag':
      return costs[action.do];
    default:
      return power[action.do];
  }
}

/** What an action costs those who use what it acts upon, exactly. */
export function consequence(action: Action): string {
  switch (action.on) {
    case 'guest':
      return guestConsequence(action);
    case 'snapshot':
      return t.operations.snapshotConsequences[action.do];
    case 'host':
      return t.actions.hostCosts[action.do];
    case 'unit':
      return t.operations.unitConsequences[action.do];
    case 'container':
    case 'compose':
      return t.actions.containerCosts[action.do];
    case 'script':
      return t.actions.scriptCost;
    case 'storage':
      return t.actions.storageCosts[action.do];
    case 'packages':
      return t.actions.packagesCosts[action.do];
  }
}

const HOST_PARTS: Partial<Record<Action['on'], string>> = {
  unit: '/units',
  container: '/services',
  compose: '/services',
  storage: '/storage',
};

/** The page of what a step acts upon. */
export function stepHref({ action }: Pick<OperationStep, 'action'>): string {
  switch (action.on) {
    case 'guest':
      return `/guests/${encodeURIComponent(action.id)}`;
    case 'snapshot':
      return `/guests/${encodeURIComponent(action.guest)}/snapshots`;
    case 'host':
      return `/hosts/${encodeURIComponent(action.id)}`;
    case 'packages':
      return entityHref(action.machine) ?? '';
    default:
      return `/hosts/${encodeURIComponent(action.host)}${HOST_PARTS[action.on] ?? ''}`;
  }
}

/** What an action acts upon: `guest:c1:101`, `host:h1`. */
export function thingOf(action: Action): string {
  if (action.on === 'guest') return `guest:${action.id}`;
  if (action.on === 'snapshot') return `guest:${action.guest}`;
  if (action.on === 'packages') return action.machine;
  return `host:${action.on === 'host' ? action.id : action.host}`;
}

/** What a rule asks for; one that is newer than this page is called by its name. */
export const ruleText = (rule: Rule): string =>
  (t.rules.keeps as Readonly<Record<string, string>>)[rule] ?? rule;
export const ruleBroken = (rule: Rule): string | null =>
  (t.rules.broken as Readonly<Record<string, string>>)[rule] ?? null;
