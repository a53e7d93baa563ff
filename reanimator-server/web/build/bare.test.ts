import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type AST } from 'svelte/compiler';
import { expect, test } from 'vitest';

/** Properties whose text a person reads or hears. */
const READ = /^(aria-label|aria-description|alt|title|label|text|placeholder|prefix|one|hint|empty)$/;

/** Words that are the same in every language. */
const NAMES = /^[^\p{L}]*(Reanimator|Proxmox( VE)?|SSH|CPU|RAM|API|HA|Ceph)?[^\p{L}]*$/u;

/** In an expression, what has two words is a text. */
const TWO_WORDS = /\p{Ll}{2} \p{L}{2}/u;

/** Places in a component where a text stands that is no message. */
function bareTexts(file: string): string[] {
  const found: string[] = [];
  const tell = (text: string) => {
    const words = text.trim();
    if (/\p{L}{2}/u.test(words) && !NAMES.test(words)) found.push(`${file}: ${words}`);
  };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (typeof node !== 'object' || node === null) return;
    const { type } = node as { type?: string };
    if (type === 'Literal' || type === 'TemplateElement') {
      const { value } = node as unknown as { value: string | { cooked: string } | null };
      const text = typeof value === 'object' ? value?.cooked : value;
      if (typeof text === 'string' && TWO_WORDS.test(text)) tell(text);
      return;
    }
    if (type === 'Text') return tell((node as AST.Text).data);
    if (type === 'Attribute') {
      const { name, value } = node as AST.Attribute;
      if (READ.test(name) && Array.isArray(value)) {
        for (const part of value) if (part.type === 'Text') tell(part.data);
      } else if (!READ.test(name)) return;
      return walk(
        value === true || !Array.isArray(value) ? value : value.filter((part) => part.type !== 'Text'),
      );
    }
    Object.values(node).forEach(walk);
  };
  walk(parse(readFileSync(file, 'utf8'), { modern: true }).fragment);
  return found;
}

test('no component says what is not in the catalogue', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.svelte'))
    .map((file) => join('src', file));
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap(bareTexts)).toEqual([]);
}, 30_000);
