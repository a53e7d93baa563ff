/** The audit trail as people search it and take it with them. */
import type { AuditEntry, AuditQuestion } from '../../api/types';

const FIELDS = ['at', 'who', 'from', 'what', 'on', 'outcome'] as const;

/** Entries in which every word stands somewhere. */
export function matching(entries: readonly AuditEntry[], text: string): readonly AuditEntry[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return entries;
  return entries.filter((entry) => {
    const all = FIELDS.map((field) => entry[field])
      .join('\n')
      .toLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}

/** A text that a spreadsheet would take for a formula is marked as text. */
const plain = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const quoted = (text: string): string => `"${plain(text).replaceAll('"', '""')}"`;

/** As a table for a spreadsheet, RFC 4180. */
export function asCsv(entries: readonly AuditEntry[]): string {
  const lines = [FIELDS, ...entries.map((entry) => FIELDS.map((field) => entry[field]))];
  return lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

/** As JSON, a document on each line. */
export const asLines = (entries: readonly AuditEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

/** What the server is asked for: a part of a name will do. */
export const questionOf = ({ who = '', outcome = '', since = '' }: AuditQuestion): AuditQuestion => ({
  ...(who ? { who: `*${who}*` } : {}),
  ...(outcome ? { outcome } : {}),
  ...(since ? { since } : {}),
});
