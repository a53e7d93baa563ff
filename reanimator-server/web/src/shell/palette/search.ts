/**
 * Finding things by a few letters. What can be found is prepared once, so that a key press only compares: every
 * word has to stand somewhere in what is known of a thing, in any order, and the best name comes first.
 */

/** Something that can be found. */
export interface Findable {
  name: string;
  /** What else it is found by: addresses, tags, numbers. */
  also: readonly (string | null | undefined)[];
}

/** Something, and its texts as they are compared. */
export interface Prepared<T extends Findable> {
  of: T;
  name: string;
  /** All that it is found by, each on a line of its own. */
  all: string;
  /** What it is put in order by. */
  order: string;
}

const ASCII = /^[\0-\x7f]*$/;

/** How a text is compared: small letters without marks. */
export function plain(text: string): string {
  const bare = ASCII.test(text) ? text : text.normalize('NFKD').replace(/\p{M}/gu, '');
  return bare.toLowerCase();
}

/** One thing, ready to be searched. */
export function ready<T extends Findable>(of: T): Prepared<T> {
  const name = plain(of.name);
  return {
    of,
    name,
    all: plain(['', of.name, ...of.also.filter(Boolean), ''].join('\n')),
    order: name.replace(/\d+/g, (digits) => digits.padStart(12, '0')),
  };
}

/** By name; numbers count as numbers: `web2` stands before `web10`. */
export function byName<T extends Findable>(things: Prepared<T>[]): Prepared<T>[] {
  return things.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}

/** Ready to be searched, in the order they are given in. */
export function prepare<T extends Findable>(things: readonly T[]): Prepared<T>[] {
  return things.map(ready);
}

/** Ready to be searched, by name. */
export function prepareByName<T extends Findable>(things: readonly T[]): Prepared<T>[] {
  return byName(prepare(things));
}

/** How well a thing fits, the best being 0. */
const RANKS = 5;

/** The best of what fits, at most so many; within a rank, lists and their things in the order they are given in. */
export function find<T extends Findable>(
  lists: readonly (readonly Prepared<T>[])[],
  query: string,
  most: number,
): T[] {
  const asked = plain(query.trim());
  const words = asked.split(/\s+/).filter(Boolean);
  const ranks: T[][] = Array.from({ length: RANKS }, () => []);
  for (const list of lists) {
    for (const thing of list) {
      const rank = rankOf(thing, asked, words);
      const same = rank === null ? undefined : ranks[rank];
      if (same && same.length < most) same.push(thing.of);
    }
  }
  return ranks.flat().slice(0, most);
}

function rankOf({ name, all }: Prepared<Findable>, asked: string, words: readonly string[]): number | null {
  for (const word of words) if (!all.includes(word)) return null;
  if (name === asked) return 0;
  // A whole number, address or tag is meant as it stands.
  if (asked !== '' && all.includes(`\n${asked}\n`)) return 1;
  if (name.startsWith(asked)) return 2;
  return words.every((word) => name.includes(word)) ? 3 : 4;
}
