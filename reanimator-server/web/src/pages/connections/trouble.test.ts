import { expect, test } from 'vitest';
import { Problem } from '../../api/problem';
import { t } from '../../i18n';
import { placeOf, told } from './trouble';

const problem = (kind: string, detail = 'web1: could not', next?: string) =>
  new Problem({ type: `urn:reanimator:${kind}`, title: 'x', detail, ...(next ? { next } : {}) });

test.each([
  ['unreachable', 'web1: could not connect', 'address'],
  ['timeout', 'web1: no answer', 'address'],
  ['host-key-changed', 'web1: another key', 'address'],
  ['auth-failed', 'web1: could not log in', 'login'],
  ['invalid', 'could not read the API token', 'login'],
  ['invalid', 'the name is taken', 'all'],
  ['conflict', 'in the fleet already', 'all'],
  ['no-connection', 'Failed to fetch', 'all'],
])('%s (%s) is shown at the %s', (kind, detail, place) => {
  expect(placeOf(problem(kind, detail))).toBe(place);
});

test('what to do depends on how the log-in was tried', () => {
  expect(told(problem('auth-failed'), 'password').next).toBe(t.connections.refused.password);
  expect(told(problem('auth-failed'), 'token').next).toBe(t.connections.refused.token);
  expect(told(problem('unreachable', 'x', 'from the server'), 'key').next).toBe(
    t.connections.advice.unreachable,
  );
  expect(told(problem('conflict', 'x', 'from the server'), 'key').next).toBe('from the server');
});
