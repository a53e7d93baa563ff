import { expect, test } from 'vitest';
import type { Answer, Trouble } from '../../api/types';
import { ending, groupAnswers, isApiOnly, troubleText } from './group';

function answer(host: string, change: Partial<Answer> = {}): Answer {
  return {
    host_id: host,
    host,
    status: 0,
    signal: null,
    stdout: 'ok\n',
    stderr: '',
    stdout_cut_at: null,
    stderr_cut_at: null,
    error: null,
    milliseconds: 5,
    ...change,
  };
}

test('equal answers stand together, the largest group first, failures before all', () => {
  const groups = groupAnswers([
    answer('a', { stdout: 'other' }),
    answer('b'),
    answer('c', { milliseconds: 900 }),
    answer('d', { status: 1 }),
  ]);
  expect(groups.map(({ hosts }) => hosts.map(({ name }) => name))).toEqual([['d'], ['b', 'c'], ['a']]);
});

test('the same text on stdout and on stderr is not the same answer', () => {
  const groups = groupAnswers([
    answer('a', { stdout: 'x', stderr: '' }),
    answer('b', { stdout: '', stderr: 'x' }),
  ]);
  expect(groups).toHaveLength(2);
});

test('hosts that cannot be reached stand together though each error names its host', () => {
  const error = (host: string): Trouble => ({
    kind: 'unreachable',
    message: `${host} refused`,
    next: 'look',
  });
  const groups = groupAnswers([
    answer('a', { status: null, stdout: '', error: error('a') }),
    answer('b', { status: null, stdout: '', error: error('b') }),
  ]);
  expect(groups).toHaveLength(1);
});

test.each([
  [answer('a'), 'done'],
  [answer('a', { status: 3 }), 'exit status 3'],
  [answer('a', { status: null, signal: 'KILL' }), 'ended by signal KILL'],
  [answer('a', { status: null }), 'ended without a status'],
  [answer('a', { status: null, error: { kind: 'timeout', message: 'm', next: null } }), 'no answer'],
])('endings are told apart', (given, text) => {
  expect(ending(given)).toBe(text);
});

test('a host that only the API of its cluster tells of runs no commands, and it is not said to be silent', () => {
  expect([['proxmox'], ['proxmox', 'ssh'], ['local'], []].map((via) => isApiOnly({ via }))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  const error: Trouble = {
    kind: 'invalid',
    message: 'pve1: could not run the command',
    next: 'add its login',
  };
  expect(ending(answer('pve1', { status: null, error }))).toBe('runs no commands');
});

test('trouble is told without the name that stands before it, and in whole sentences', () => {
  const trouble: Trouble = { kind: 'timeout', message: 'a: it took too long', next: 'try again' };
  expect(troubleText('a', trouble)).toBe('it took too long. Try again.');
  expect(troubleText('a', { ...trouble, message: 'it is off.', next: null })).toBe('it is off.');
});
