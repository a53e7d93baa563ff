/**
 * What the server's sentences about trouble mean. It says each in one way, so that they can be told apart, put into
 * the person's language, and given a place to look and a thing to do. One that is not here is shown as it came.
 */
import { t } from '../../i18n';
import type { Messages } from '../../i18n/en';

export type NeedKind = keyof Messages['overview']['needs'];

interface Sentence {
  kind: NeedKind;
  said: RegExp;
  /** The part of its host's or cluster's page that tells more. */
  part?: string;
}

/** The worst of each level first; what no line fits comes before all that do. */
const SENTENCES: readonly Sentence[] = [
  { kind: 'quorum', said: /^it has lost quorum$/ },
  { kind: 'silent', said: /^it does not answer$/ },
  { kind: 'smart', said: /^SMART of (\S+) failed(?:: the disk expects to die)?$/, part: 'storage' },
  { kind: 'pool', said: /^pool (.+) is ([A-Z]+)$/, part: 'storage' },
  { kind: 'unusable', said: /^it cannot be used$/ },
  { kind: 'ha', said: /^high availability of (.+) is in error$/, part: 'ha' },
  { kind: 'ceph', said: /^Ceph says (.+)$/, part: 'ceph' },
  { kind: 'replication', said: /^replication (.+) fails$/, part: 'replication' },
  { kind: 'service', said: /^the service (.+) failed$/, part: 'services' },
  { kind: 'hot', said: /^(.+) reads (-?\d+) °C, its limit is reached$/, part: 'hardware' },
  { kind: 'full', said: /^(?:the metadata of |the )?((?:thin )?pool .+) is (\d+) % full$/, part: 'storage' },
  { kind: 'unseen', said: /^it has not been seen for a while$/ },
  { kind: 'units', said: /^(\d+) units? failed$/, part: 'units' },
  { kind: 'filling', said: /^(\d+) % of it is full$/ },
  { kind: 'warm', said: /^a sensor reads (-?\d+) °C$/, part: 'hardware' },
  { kind: 'security', said: /^(\d+) security updates? waits?$/, part: 'updates' },
  { kind: 'restart', said: /^it wants to be restarted$/, part: 'updates' },
];

/** What was said, and what is filled into it. */
export interface Said {
  kind: NeedKind | null;
  values: readonly string[];
  part: string;
}

export function understand(sentence: string): Said {
  for (const { kind, said, part = '' } of SENTENCES) {
    const found = said.exec(sentence);
    if (found) return { kind, values: found.slice(1).map((value) => value ?? ''), part };
  }
  return { kind: null, values: [], part: '' };
}

/** How near to the top of its level a kind stands. */
export function weight(kind: NeedKind | null): number {
  const at = SENTENCES.findIndex((each) => each.kind === kind);
  if (kind === null) return -1;
  return at < 0 ? SENTENCES.length : at;
}

/** A kind in the person's language, with its values. */
export function needText(kind: NeedKind, values: readonly string[]): string {
  const write: (...values: string[]) => string = t.overview.needs[kind];
  return write(...values);
}
