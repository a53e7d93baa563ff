import { expect, test } from 'vitest';
import { changeOf, draftOf, newDraft, secretsOf, targetOf, wayOf, wrong } from './targets';

const draft = (fields: Partial<ReturnType<typeof newDraft>>) => ({
  ...newDraft('Europe/Rome'),
  name: 'ops',
  ...fields,
});

test('a form becomes a target, and a target the same form', () => {
  const mail = draft({
    server: ' mail.example.org ',
    from: 'fleet@example.org',
    to: 'a@b.org\n c@d.org,e@f.org',
    quiet: true,
    hosts: ' group:web ',
  });
  expect(wrong(mail)).toBeNull();
  const target = targetOf(mail);
  expect(target.way).toEqual({
    kind: 'email',
    server: 'mail.example.org',
    tls: 'starttls',
    from: 'fleet@example.org',
    to: ['a@b.org', 'c@d.org', 'e@f.org'],
  });
  expect(target.quiet?.zone).toBe('Europe/Rome');
  expect(target.which?.hosts).toBe('group:web');
  expect(targetOf(draftOf(target, 'UTC'))).toEqual(target);
});

test('only secrets that were typed, and that belong to the way, are sent', () => {
  expect(secretsOf(draft({ kind: 'webhook', url: 'https://x', headers: 'A: b', token: 'old' }))).toEqual({
    headers: 'A: b',
  });
  expect(secretsOf(draft({ kind: 'ntfy' }))).toEqual({});
  expect(wayOf(draft({ kind: 'ntfy', topic: 't', server: '' }))).toEqual({ kind: 'ntfy', topic: 't' });
});

test('no quiet hours are said as such', () => {
  expect(changeOf(draft({})).quiet).toBeNull();
});

test.each([
  ['name', { name: 'a b' }],
  ['way', { kind: 'webhook' as const }],
  ['levels', { kind: 'apprise' as const, levels: { critical: false, warning: false, notice: false } }],
  ['gather', { kind: 'apprise' as const, gather: '3601' }],
  ['gather', { kind: 'apprise' as const, gather: '' }],
])('a fault in %s is found', (fault, fields) => {
  expect(wrong(draft(fields))).toBe(fault);
});
