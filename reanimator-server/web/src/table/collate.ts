/**
 * Names in the order that people expect, fast: each is turned once into a text that plain comparison puts in the
 * right place. Large and small letters and accents are the same, and numbers in names count as numbers.
 */

/** Marks in the order of the Unicode collation; all stand before figures and letters. */
const MARKS = '\t\n \u00a0_-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$';
const MARK_CODES = new Map([...MARKS].map((mark, index) => [mark, String.fromCharCode(index + 1)]));
const FIRST_LENGTH = 0x100;
const LONGEST_NUMBER = 0x1000;
/** Names repeat from poll to poll; those of a large fleet fit. */
const MOST_KEPT = 100_000;

const kept = new Map<string, string>();

/** A text that compares, by `<`, as its name should. */
export function collationKey(name: string): string {
  const known = kept.get(name);
  if (known !== undefined) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const key = makeKey(name);
  kept.set(name, key);
  return key;
}

function makeKey(name: string): string {
  const plain = /^[\0-\x7f]*$/.test(name) ? name : name.normalize('NFKD').replace(/\p{M}+/gu, '');
  return plain
    .toLowerCase()
    .replace(
      /\d+|[^\p{L}\p{N}]/gu,
      (part) => MARK_CODES.get(part) ?? (/\d/.test(part) ? numberKey(part) : part),
    );
}

/** More digits are a larger number; as many compare as they stand. */
function numberKey(digits: string): string {
  const number = digits.replace(/^0+(?=\d)/, '');
  return `0${String.fromCharCode(FIRST_LENGTH + Math.min(number.length, LONGEST_NUMBER))}${number}`;
}
