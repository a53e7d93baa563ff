/** Groups and tags: labels that hosts have, seen from the label's side. */
import type { LabelChange } from '../../api/types';
import type { Host } from '../../api/types';

export type LabelKind = 'groups' | 'tags';

/** A change that changes nothing yet. */
export const noChange: LabelChange = {
  hosts: [],
  add_groups: [],
  remove_groups: [],
  add_tags: [],
  remove_tags: [],
};

const byName = new Intl.Collator(undefined, { numeric: true });

/** The hosts that have a label. */
export function hostsWith(hosts: readonly Host[], kind: LabelKind, name: string): string[] {
  return hosts.filter((host) => host[kind].includes(name)).map(({ id }) => id);
}

/** What makes exactly the chosen hosts have a label: one change for those that get it, one for those that lose it. */
export function changesTo(
  before: readonly string[],
  chosen: ReadonlySet<string>,
  kind: LabelKind,
  name: string,
): LabelChange[] {
  const gets = [...chosen].filter((id) => !before.includes(id));
  const loses = before.filter((id) => !chosen.has(id));
  const changes: LabelChange[] = [];
  if (gets.length > 0) changes.push({ ...noChange, hosts: gets, [`add_${kind}`]: [name] });
  if (loses.length > 0) changes.push({ ...noChange, hosts: loses, [`remove_${kind}`]: [name] });
  return changes;
}

/** Hosts to choose from, those that are chosen first, then by name. */
export function choices(hosts: readonly Host[], first: readonly string[], filter: string): Host[] {
  const wanted = filter.trim().toLowerCase();
  const had = new Set(first);
  return hosts
    .filter(({ name, address }) => `${name} ${address ?? ''}`.toLowerCase().includes(wanted))
    .sort((a, b) => Number(had.has(b.id)) - Number(had.has(a.id)) || byName.compare(a.name, b.name));
}

/** Whether a text can be a label: one that a selector can name again. The server's rule is the same. */
export function isLabel(text: string): boolean {
  const name = text.trim();
  return /^[^\s,&*?[\]\p{Cc}]{1,253}$/u.test(name) && !name.startsWith('!') && name !== 'all';
}
