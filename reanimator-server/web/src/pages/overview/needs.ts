/** What needs somebody: what the server says of it, and what can be told from the tables besides. */
import type { Attention, AttentionLevel, ClusterDetails, Host } from '../../api/types';
import { entityHref, splitEntity } from '../../facts/entity';
import { t } from '../../i18n';
import { needText, understand, weight, type NeedKind } from './sentences';

export interface Need {
  level: AttentionLevel;
  /** Null for a sentence of the server's that is not known here. */
  kind: NeedKind | null;
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

/** What a cluster's own facts tell. */
export interface ClusterNews {
  id: string;
  name: string;
  facts: Pick<ClusterDetails, 'replication' | 'not_backed_up' | 'failed_tasks'>;
}

export interface Told {
  attention: readonly Attention[];
  hosts: readonly Host[];
  clusters: readonly ClusterNews[];
  /** Now, by the server's clock. */
  now: number;
}

/** Figures of a host come every ten seconds; so long without any is worth somebody's look. */
const OLD_AFTER_MS = 120_000;
const DAY_MS = 86_400_000;

const byName = new Intl.Collator(undefined, { numeric: true });

const LEVELS: Record<AttentionLevel, number> = { critical: 0, warning: 1, notice: 2 };

/** All that needs somebody, the worst first. */
export function needsOf(told: Told): Need[] {
  const hosts = new Map(told.hosts.map((host) => [`host:${host.id}`, host]));
  const clusters = new Map(told.clusters.map((cluster) => [`cluster:${cluster.id}`, cluster]));
  const said = told.attention.map((attention) => saidNeed(attention, hosts, clusters));
  const all = [
    ...said,
    ...told.hosts.flatMap(oldFigures(told.now)),
    ...told.clusters.flatMap(backups(told.now)),
  ];
  return all.sort(
    (a, b) =>
      LEVELS[a.level] - LEVELS[b.level] ||
      weight(a.kind) - weight(b.kind) ||
      byName.compare(a.name, b.name) ||
      byName.compare(a.what, b.what),
  );
}

function saidNeed(
  { entity, level, name, what }: Attention,
  hosts: ReadonlyMap<string, Host>,
  clusters: ReadonlyMap<string, ClusterNews>,
): Need {
  const { kind, values, part } = understand(what);
  const host = hosts.get(entity);
  const away = kind === 'silent' || kind === 'unseen';
  const job = clusters
    .get(entity)
    ?.facts.replication?.find(({ id }) => kind === 'replication' && id === values[0]);
  return {
    level,
    kind,
    entity,
    name,
    href: hrefOf(entity, part),
    what: kind ? needText(kind, values) : what,
    since: away ? (host?.observed_at ?? null) : (job?.last_sync ?? null),
    todo: (away && host?.problem?.next) || todoOf(kind),
  };
}

/** Hosts that are said to be online and have not told a figure for a while. */
const oldFigures =
  (now: number) =>
  (host: Host): Need[] => {
    const at = Date.parse(host.observed_at ?? '');
    if (host.state !== 'online' || !(now - at > OLD_AFTER_MS)) return [];
    return [extra('warning', 'old', `host:${host.id}`, host.name, '', [], host.observed_at)];
  };

/** Backups that failed within a day, and guests that no job takes along. */
const backups =
  (now: number) =>
  ({ id, name, facts }: ClusterNews): Need[] => {
    const entity = `cluster:${id}`;
    const recent = (at: string | null) => now - Date.parse(at ?? '') < DAY_MS;
    const failed = (facts.failed_tasks ?? []).filter(
      (task) => task.kind === 'vzdump' && recent(task.ended_at),
    );
    const bare = facts.not_backed_up?.length ?? 0;
    return [
      ...failed.map((task) =>
        extra(
          'warning',
          'backupFailed',
          entity,
          name,
          'tasks',
          [task.subject ?? task.node ?? ''],
          task.ended_at,
        ),
      ),
      ...(bare > 0 ? [extra('notice', 'notBackedUp', entity, name, 'backups', [String(bare)], null)] : []),
    ];
  };

function extra(
  level: AttentionLevel,
  kind: NeedKind,
  entity: string,
  name: string,
  part: string,
  values: readonly string[],
  since: string | null,
): Need {
  return {
    level,
    kind,
    entity,
    name,
    href: hrefOf(entity, part),
    what: needText(kind, values),
    since,
    todo: todoOf(kind),
  };
}

/** The part of a page, where hosts and clusters have parts. */
function hrefOf(entity: string, part: string): string | null {
  const href = entityHref(entity);
  const { kind } = splitEntity(entity);
  return href && part && (kind === 'host' || kind === 'cluster') ? `${href}/${part}` : href;
}

function todoOf(kind: NeedKind | null): string | null {
  const todo: Readonly<Partial<Record<NeedKind, string>>> = t.overview.todo;
  return (kind && todo[kind]) || null;
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
    const key = `${need.level} ${need.kind ?? ''}`;
    const same = byKind.get(key);
    if (same) same.push(need);
    else byKind.set(key, [need]);
  }
  for (const [key, same] of byKind) {
    const level = same[0]?.level ?? 'notice';
    const together = same[0]?.kind && same.length >= MANY;
    if (together) groups.push({ key, level, needs: same });
    else same.forEach((need, index) => groups.push({ key: `${key} ${index}`, level, needs: [need] }));
  }
  return groups;
}
