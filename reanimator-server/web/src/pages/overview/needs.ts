/** What needs somebody, as the server tells it: put into the person's language, in order, with where to look. */
import { toldNext } from '../../api/problem';
import type { Attention, AttentionKind, AttentionLevel, Host } from '../../api/types';
import { entityHref, splitEntity } from '../../facts/entity';
import { t } from '../../i18n';
import { sentenceOf, weight } from './sentences';

export interface Need {
  level: AttentionLevel;
  kind: AttentionKind;
  /** What is said of it: its kind, or why a host that answers is not seen all the same. */
  story: Story;
  entity: string;
  name: string;
  /** Where it is looked at. */
  href: string | null;
  what: string;
  /** Since when, where that is known. */
  since: string | null;
  /** What to do about it. */
  todo: string | null;
}

/** Hosts that answer, and are not seen because nobody vouched for them or they let nobody in. */
const AWAY = ['host-key-unknown', 'host-key-changed', 'auth-failed'] as const;
export type Story = AttentionKind | (typeof AWAY)[number];

const byName = new Intl.Collator(undefined, { numeric: true });

const LEVELS: Record<AttentionLevel, number> = { critical: 0, warning: 1, notice: 2 };

/** Kinds of pages that have parts. */
const IN_PARTS = new Set(['host', 'cluster', 'guest']);

/** All that needs somebody, the worst first. */
export function needsOf(attention: readonly Attention[], hosts: readonly Host[]): Need[] {
  const byEntity = new Map(hosts.map((host) => [`host:${host.id}`, host]));
  const all = attention.map((each) => need(each, byEntity.get(each.entity)));
  return all.sort(
    (a, b) =>
      LEVELS[a.level] - LEVELS[b.level] ||
      weight(a.kind) - weight(b.kind) ||
      byName.compare(a.name, b.name) ||
      byName.compare(a.what, b.what),
  );
}

function need({ entity, kind, level, name, since, values, what }: Attention, host: Host | undefined): Need {
  const sentence = sentenceOf(kind);
  const trouble = kind === 'offline' || kind === 'old-data' ? host?.problem : null;
  const why = kind === 'offline' ? AWAY.find((each) => each === trouble?.kind) : undefined;
  const todo: Readonly<Partial<Record<string, string>>> = t.overview.todo;
  return {
    level,
    kind,
    story: why ?? kind,
    entity,
    name: nameOf(entity, name),
    href: hrefOf(entity, sentence?.part ?? ''),
    what: why ? t.overview.away[why] : (sentence?.say(values) ?? what),
    since,
    todo: (why ? t.overview.awayTodo[why] : toldNext(trouble?.next)) || (sentence && todo[kind]) || null,
  };
}

/** A storage is called by where it is, too: `local on pve2`. */
function nameOf(entity: string, name: string): string {
  const [, storage, node] = (splitEntity(entity).kind === 'storage' && /^(\S+) on (.+)$/.exec(name)) || [];
  return storage && node ? t.overview.storageOn(storage, node) : name;
}

/** The part of a page, where it has parts. */
function hrefOf(entity: string, part: string): string | null {
  const href = entityHref(entity);
  return href && part && IN_PARTS.has(splitEntity(entity).kind) ? `${href}/${part}` : href;
}

/** One need, or many of the same kind told as one. */
export interface NeedGroup {
  key: string;
  level: AttentionLevel;
  needs: readonly Need[];
}

/** From so many of one kind on, one line tells of all. */
const MANY = 6;

export function groupNeeds(needs: readonly Need[]): NeedGroup[] {
  const groups: { key: string; level: AttentionLevel; needs: Need[] }[] = [];
  const byKind = new Map<string, Need[]>();
  for (const need of needs) {
    const key = `${need.level} ${need.story}`;
    const same = byKind.get(key);
    if (same) same.push(need);
    else byKind.set(key, [need]);
  }
  for (const [key, same] of byKind) {
    const level = same[0]?.level ?? 'notice';
    const together = same.length >= MANY && sentenceOf(same[0]?.kind ?? '');
    if (together) groups.push({ key, level, needs: same });
    else same.forEach((need, index) => groups.push({ key: `${key} ${index}`, level, needs: [need] }));
  }
  return groups;
}
