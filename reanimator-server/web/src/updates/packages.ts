/** Packages that wait, and those that changed. */
import type { PackageChange, PendingPackage, UpdateTarget, UpdateWish } from './types';

/** Whether a pattern with `*` and `?` fits all of a name. */
export function fits(pattern: string, name: string): boolean {
  let [at, place, star, from] = [0, 0, -1, 0];
  while (place < name.length) {
    const letter = pattern[at];
    if (letter === '*') {
      star = at;
      at += 1;
      from = place;
    } else if (letter !== undefined && (letter === '?' || letter === name[place])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      from += 1;
      at = star + 1;
      place = from;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

/** What holds a package back that could be newer. */
export type Staying = 'excluded' | 'not-security' | null;

export interface Waiting extends PendingPackage {
  stays: Staying;
}

/** What waits on a machine: what is installed comes first, of that what closes a security hole, each by name. */
export function waiting(
  pending: readonly PendingPackage[],
  { exclude, security_only }: Pick<UpdateWish, 'exclude' | 'security_only'>,
): Waiting[] {
  const staying = ({ name, security }: PendingPackage): Staying => {
    if (exclude.some((pattern) => fits(pattern, name))) return 'excluded';
    return security_only && security !== true ? 'not-security' : null;
  };
  const rank = ({ stays, security }: Waiting) => (stays ? 2 : security ? 0 : 1);
  return pending
    .map((each) => ({ ...each, stays: staying(each) }))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** What closed a security hole first, then by name. */
export const sortedChanges = (changes: readonly PackageChange[]): PackageChange[] =>
  [...changes].sort(
    (a, b) => Number(b.security === true) - Number(a.security === true) || a.name.localeCompare(b.name),
  );

/** One package from one version to another, and the machines on which it went so. */
export interface ChangeOnMany extends PackageChange {
  machines: string[];
}

interface Reported {
  targets: readonly Pick<UpdateTarget, 'name' | 'report' | 'rolled_back'>[];
}

/** The report of what is still so: none of a machine that went back to its snapshot. */
export const lasting = ({ report, rolled_back }: Reported['targets'][number]): UpdateTarget['report'] =>
  rolled_back ? null : report;

/** All changes of a run, package by package: what closed a security hole first. */
export function changesOf({ targets }: Reported): ChangeOnMany[] {
  const found = new Map<string, ChangeOnMany>();
  for (const target of targets) {
    const machine = target.name;
    for (const change of lasting(target)?.changes ?? []) {
      const key = JSON.stringify([change.name, change.from, change.to]);
      const known = found.get(key);
      if (known) {
        known.machines.push(machine);
        if (change.security) known.security = true;
      } else {
        found.set(key, { ...change, machines: [machine] });
      }
    }
  }
  return sortedChanges([...found.values()]) as ChangeOnMany[];
}

/** Configuration files that were kept, each with the machine that it is on. */
export const keptFiles = ({ targets }: Reported): { machine: string; file: string }[] =>
  targets.flatMap((target) =>
    (lasting(target)?.kept_files ?? []).map((file) => ({ machine: target.name, file })),
  );
