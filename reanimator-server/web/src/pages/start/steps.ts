/** The way from nothing to a watched fleet, and how far somebody has come on it. Pure, for the tests' sake. */
import type { Host } from '../../api/types';

export const STEPS = ['account', 'machine', 'host', 'proxmox', 'import'] as const;
export type StepId = (typeof STEPS)[number];

/** Done; the one to take now; one for later; or one that somebody does without. */
export type StepState = 'done' | 'now' | 'later' | 'skipped';

/** The hosts of a fleet by the way they came in. */
export interface Ways {
  machine: Host[];
  host: Host[];
  proxmox: Host[];
  import: Host[];
}

const byName = new Intl.Collator(undefined, { numeric: true });

/** A host stands where it came in: this machine, a cluster's node, one that was imported here, or one by itself. */
export function waysOf(hosts: readonly Host[], imported: readonly string[]): Ways {
  const ways: Ways = { machine: [], host: [], proxmox: [], import: [] };
  const names = new Set(imported);
  for (const host of [...hosts].sort((a, b) => byName.compare(a.name, b.name))) {
    const via = (way: string) => host.via.includes(way);
    if (via('local')) ways.machine.push(host);
    else if (via('proxmox')) ways.proxmox.push(host);
    else ways[names.has(host.name) ? 'import' : 'host'].push(host);
  }
  return ways;
}

/** How far each step is. The account is made, or nobody could see this. */
export function statesOf(ways: Ways, skipped: readonly string[]): Record<StepId, StepState> {
  const done: Record<StepId, boolean> = {
    account: true,
    machine: ways.machine.some((host) => host.observed_at !== null),
    host: ways.host.length > 0,
    proxmox: ways.proxmox.length > 0,
    // Nothing was tried when they were imported: one that answers shows that it worked.
    import: ways.import.some((host) => host.observed_at !== null),
  };
  // This machine is watched by itself: there is nothing for a person to do, so it is never what is to do now.
  const now = STEPS.find((step) => step !== 'machine' && !done[step] && !skipped.includes(step));
  const stateOf = (step: StepId): StepState =>
    done[step] ? 'done' : skipped.includes(step) ? 'skipped' : step === now ? 'now' : 'later';
  return Object.fromEntries(STEPS.map((step) => [step, stateOf(step)])) as Record<StepId, StepState>;
}

/** The step to take now; null once there is none. */
export function stepNow(states: Record<StepId, StepState>): StepId | null {
  return STEPS.find((step) => states[step] === 'now') ?? null;
}

/** The step to go on with after one that was just taken or skipped, before the fleet shows what came of it. */
export function stepAfter(states: Record<StepId, StepState>, taken: StepId): StepId | null {
  const open = (step: StepId) => step !== 'machine' && (states[step] === 'now' || states[step] === 'later');
  return STEPS.find((step) => step !== taken && open(step)) ?? null;
}
