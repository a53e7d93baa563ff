/**
 * Whom the words of a selector mean, to be shown while they are typed. The server's own reading decides: the plan says it.
 * Terms joined by commas or blanks each add; `a&b` takes what is both; `!x` takes away.
 */
import type { GuestCard } from '../api/client';
import type { Host } from '../api/types';
import { fits } from './packages';
import { LONGEST_SELECTOR } from './wish';

export type HostLike = Pick<Host, 'id' | 'name' | 'groups' | 'tags' | 'cluster' | 'kind' | 'state'>;
export type GuestLike = Pick<GuestCard, 'id' | 'vmid' | 'name' | 'node' | 'cluster' | 'kind' | 'tags'>;

/** Whether something meets `key:value`; null where it has no such key. */
type Keyed<T> = (one: T, key: string, value: string) => boolean | null;

const hostKeys: Keyed<HostLike> = (host, key, value) => {
  switch (key) {
    case 'name':
      return host.name === value || host.id === value;
    case 'group':
      return host.groups.includes(value);
    case 'tag':
      return host.tags.includes(value);
    case 'cluster':
      return host.cluster === value;
    case 'kind':
      return host.kind === value;
    case 'state':
      return host.state === value;
    default:
      return null;
  }
};

const guestKeys: Keyed<GuestLike> = (guest, key, value) => {
  switch (key) {
    case 'name':
      return isCalled(guest, value);
    case 'tag':
      return guest.tags.includes(value);
    case 'cluster':
      return guest.cluster === value;
    case 'node':
      return guest.node === value;
    case 'kind':
      return guest.kind === value;
    default:
      return null;
  }
};

const isCalled = (one: { id: string; name: string | null; vmid?: string }, text: string): boolean =>
  one.name === text || one.id === text || one.vmid === text;

function meets<T extends { id: string; name: string | null }>(
  one: T,
  text: string,
  keyed: Keyed<T>,
): boolean {
  const colon = text.indexOf(':');
  const answer = colon > 0 ? keyed(one, text.slice(0, colon), text.slice(colon + 1)) : null;
  if (answer !== null) return answer;
  if (text === 'all' || text === '*') return true;
  if (/[*?]/.test(text)) return one.name !== null && fits(text, one.name);
  return isCalled(one, text);
}

/** Those that are meant, in their order; nobody by an empty text, and null where only the server can say. */
function select<T extends { id: string; name: string | null }>(
  all: readonly T[],
  text: string,
  keyed: Keyed<T>,
): T[] | null {
  if (/[[\]{}\\]/.test(text)) return null;
  const terms = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((term) => ({ away: term.startsWith('!'), parts: term.replace(/^!/, '').split('&') }));
  if (terms.length === 0) return [];
  const start = terms.every(({ away }) => away);
  return all.filter((one) =>
    terms.reduce(
      (meant, { away, parts }) => (parts.every((part) => meets(one, part, keyed)) ? !away : meant),
      start,
    ),
  );
}

export const hostsMeant = <T extends HostLike>(hosts: readonly T[], text: string): T[] | null =>
  select(hosts, text, hostKeys as Keyed<T>);
export const guestsMeant = <T extends GuestLike>(guests: readonly T[], text: string): T[] | null =>
  select(guests, text, guestKeys as Keyed<T>);

/** A name that is a term as it stands. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u;

/**
 * The words that mean exactly these: each by its name, or by its id where its name is another's too, could be read as
 * something else, or where not all that there are are known. What is all of them and longer than a selector may be is `all`.
 */
export function selectorOf<T extends { id: string; name: string | null; vmid?: string }>(
  chosen: readonly T[],
  all: readonly T[] | null,
): string {
  const times = new Map<string, number>();
  for (const { id, name, vmid } of all ?? []) {
    for (const word of new Set([id, name, vmid])) {
      if (word) times.set(word, (times.get(word) ?? 0) + 1);
    }
  }
  const text = chosen
    .map(({ id, name }) => (name && name !== 'all' && PLAIN.test(name) && times.get(name) === 1 ? name : id))
    .join(',');
  return all && chosen.length === all.length && text.length > LONGEST_SELECTOR ? 'all' : text;
}

/** The same words without some: each is taken away again by its id. */
export const without = (text: string, ids: readonly string[]): string =>
  [text.trim(), ...ids.map((id) => `!${id}`)].filter(Boolean).join(',');
