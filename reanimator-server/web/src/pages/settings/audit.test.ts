import { expect, test } from 'vitest';
import type { AuditEntry } from '../../api/types';
import { asCsv, matching } from './audit';

const entry = (change: Partial<AuditEntry>): AuditEntry => ({
  at: '2026-11-21T04:00:00Z',
  who: 'admin',
  from: '10.0.0.1',
  what: 'host add',
  on: 'web1',
  outcome: 'ok',
  ...change,
});

test('every word has to be found, in whatever field', () => {
  const entries = [entry({}), entry({ who: 'eve', outcome: 'denied' })];
  expect(matching(entries, '')).toBe(entries);
  expect(matching(entries, 'EVE add')).toEqual([entries[1]]);
  expect(matching(entries, 'web1 ok')).toEqual([entries[0]]);
  expect(matching(entries, 'web1 nothing')).toEqual([]);
});

test('a table keeps quotes and line breaks, and is no formula', () => {
  const csv = asCsv([entry({ on: 'a "b"\nc', who: '=HYPERLINK("x")', from: '-1' })]);
  expect(csv).toBe(
    '"at","who","from","what","on","outcome"\r\n' +
      '"2026-11-21T04:00:00Z","\'=HYPERLINK(""x"")","\'-1","host add","a ""b""\nc","ok"\r\n',
  );
});
