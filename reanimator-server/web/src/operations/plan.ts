/** What a dry run says, sorted for a person: what would be done, what is so already, what is refused and why. */
import type { DryRun, DryStep, Objection, Risk, Rule } from '../api/types';

/** What stands against a step in the end: objections that nobody overrides, and refusals that are no rule's. */
export interface Against {
  objections: readonly Objection[];
  refused: readonly string[];
}

export function against(
  { objections, refused }: Pick<DryStep, 'objections' | 'refused'>,
  overrides: ReadonlySet<Rule>,
): Against {
  const said = new Set(objections.map(({ why }) => why));
  return {
    objections: objections.filter(({ rule, can_override }) => !(can_override && overrides.has(rule))),
    // A server may tell an objection as a refusal too.
    refused: refused.filter((why) => !said.has(why)),
  };
}

const stands = ({ objections, refused }: Against): boolean => objections.length + refused.length > 0;

export type Outcome = 'would' | 'already' | 'refused';

export function outcome(step: DryStep, overrides: ReadonlySet<Rule>): Outcome {
  if (stands(against(step, overrides))) return 'refused';
  return step.already === null ? 'would' : 'already';
}

export function sorted(
  { steps }: Pick<DryRun, 'steps'>,
  overrides: ReadonlySet<Rule>,
): Record<Outcome, DryStep[]> {
  const found: Record<Outcome, DryStep[]> = { would: [], already: [], refused: [] };
  for (const step of steps) found[outcome(step, overrides)].push(step);
  return found;
}

/** Whether a plan has something to do and nothing of it would be refused. */
export function mayBegin(plan: Pick<DryRun, 'steps'>, overrides: ReadonlySet<Rule> = new Set()): boolean {
  const { would, refused } = sorted(plan, overrides);
  return refused.length === 0 && would.length > 0;
}

/** A rule that speaks against steps, and what it says of each. */
export interface Spoken {
  rule: Rule;
  canOverride: boolean;
  overridden: boolean;
  /** Empty for one that is overridden and that the server no longer tells of. */
  about: { step: DryStep; why: string }[];
}

/** What rules say, each once, those that are overridden too: whoever overrode one can take that back. */
export function spokenRules({ steps }: Pick<DryRun, 'steps'>, overrides: ReadonlySet<Rule>): Spoken[] {
  const found = new Map<Rule, Spoken>();
  for (const step of steps) {
    for (const { rule, why, can_override } of step.objections) {
      const spoken = found.get(rule) ?? {
        rule,
        canOverride: true,
        overridden: overrides.has(rule),
        about: [],
      };
      spoken.about.push({ step, why });
      spoken.canOverride &&= can_override;
      found.set(rule, spoken);
    }
  }
  for (const rule of overrides) {
    if (!found.has(rule)) found.set(rule, { rule, canOverride: true, overridden: true, about: [] });
  }
  return [...found.values()];
}

export const harms = (risk: Risk): boolean => risk === 'disruptive' || risk === 'destructive';
