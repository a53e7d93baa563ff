/** What an update would come to, as it is shown. */
import type { Objection, Rule } from '../api/types';
import { splitEntity } from '../facts/entity';
import { without } from './selectors';
import type { PlannedTarget, UpdatePlan } from './types';
import type { WishDraft } from './wish';

export const targetsOf = ({ waves }: Pick<UpdatePlan, 'waves'>): PlannedTarget[] =>
  waves.flatMap(({ targets }) => targets);

/** What rules say against a machine and is not overridden. */
export const holding = (
  { objections }: Pick<PlannedTarget, 'objections'>,
  overrides: readonly Rule[],
): Objection[] => objections.filter(({ rule, can_override }) => !(can_override && overrides.includes(rule)));

/** Whether it would be refused as things are. */
export const isRefused = (
  target: Pick<PlannedTarget, 'objections' | 'refused'>,
  overrides: readonly Rule[],
): boolean => target.refused.length > 0 || holding(target, overrides).length > 0;

/** Whether anything would be done with it. */
export const hasWork = ({ wanted, restart }: Pick<PlannedTarget, 'wanted' | 'restart'>): boolean =>
  wanted > 0 || restart;

/** Whether a run of it would do anything at all. */
export const mayBegin = (plan: Pick<UpdatePlan, 'waves'>, overrides: readonly Rule[]): boolean =>
  targetsOf(plan).some((target) => hasWork(target) && !isRefused(target, overrides));

/** A rule that speaks against machines, and whether somebody may go on in spite of it. */
export interface SpokenRule {
  rule: Rule;
  canOverride: boolean;
  machines: string[];
}

export function spokenRules(plan: Pick<UpdatePlan, 'waves'>): SpokenRule[] {
  const found = new Map<Rule, SpokenRule>();
  for (const { name, objections } of targetsOf(plan)) {
    for (const { rule, can_override } of objections) {
      const known = found.get(rule) ?? { rule, canOverride: true, machines: [] };
      known.canOverride &&= can_override;
      if (!known.machines.includes(name)) known.machines.push(name);
      found.set(rule, known);
    }
  }
  return [...found.values()];
}

/** The draft without some machines: hosts and guests are taken away from their own words. */
export function leavingOut(draft: WishDraft, targets: readonly Pick<PlannedTarget, 'machine'>[]): WishDraft {
  const ids = (kind: string) =>
    targets.map(({ machine }) => splitEntity(machine)).filter((each) => each.kind === kind);
  const less = (text: string, kind: string) =>
    text.trim()
      ? without(
          text,
          ids(kind).map(({ id }) => id),
        )
      : text;
  return { ...draft, hosts: less(draft.hosts, 'host'), guests: less(draft.guests, 'guest') };
}
