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
  all: string;
}

/** How a text is compared: small letters without marks. */
export function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Ready to be searched, in the order they are given in. */
export function prepare<T extends Findable>(things: readonly T[]): Prepared<T>[] {
  return things.map((of) => ({
    of,
    name: plain(of.name),
    all: plain([of.name, ...of.also.filter(Boolean)].join('\n')),
  }));
}

/** Ready to be searched, by name. */
export function prepareByName<T extends Findable>(things: readonly T[]): Prepared<T>[] {
  // Numbers count as numbers: `web2` stands before `web10`.
  const keys = new Map<T, string>();
  const ready = prepare(things);
  for (const { of, name } of ready)
    keys.set(
      of,
      name.replace(/\d+/g, (digits) => digits.padStart(12, '0')),
    );
  const key = ({ of }: Prepared<T>) => keys.get(of) ?? '';
  return ready.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
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
  if (asked !== '' && `\n${all}\n`.includes(`\n${asked}\n`)) return 1;
  if (name.startsWith(asked)) return 2;
  return words.every((word) => name.includes(word)) ? 3 : 4;
}
