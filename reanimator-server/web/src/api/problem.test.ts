import { expect, test } from 'vitest';
import { t } from '../i18n';
import { spoken } from '../i18n/language.svelte';
import { Problem, nextOf } from './problem';

test('problem details keep their kind, cause, next step and fingerprint', async () => {
  const body = {
    type: 'urn:reanimator:host-key-unknown',
    title: 'Unknown host key',
    status: 409,
    detail: 'web1 shows a key that was not seen before',
    next: 'Compare it',
    fingerprint: 'SHA256:abc',
    key_type: 'ssh-ed25519',
  };
  const problem = await Problem.from(new Response(JSON.stringify(body), { status: 409 }));
  expect(problem).toMatchObject({
    kind: 'host-key-unknown',
    message: body.detail,
    next: 'Compare it',
    fingerprint: 'SHA256:abc',
    keyType: 'ssh-ed25519',
    status: 409,
  });
});

test('an answer that is not JSON still becomes a problem', async () => {
  const problem = await Problem.from(new Response('<h1>Bad gateway</h1>', { status: 502 }));
  expect(problem.title).toContain('502');
  expect(problem.status).toBe(502);
});

test('what the server told is said in the language of the person, its own sentence stays', async () => {
  const body = {
    type: 'urn:reanimator:unreachable',
    title: 'Cannot be reached',
    detail: 'web1: could not connect',
    next: 'check that sshd runs there',
  };
  const problem = await Problem.from(new Response(JSON.stringify(body), { status: 502 }));
  expect(problem.next).toBe(body.next);
  await spoken.choose('de');
  expect(problem).toMatchObject({ title: 'Nicht erreichbar', message: body.detail });
  expect(problem.next).toBe(t.common.problemSteps.unreachable);
  await spoken.choose('en');
});

test('a command of the server is no advice on the page', () => {
  expect(nextOf({ kind: 'conflict', next: 'remove it with `reanimator proxmox remove x`' })).toBeUndefined();
  expect(nextOf({ kind: 'busy', next: 'see `reanimator host list`' })).toBe(t.common.problemSteps.busy);
});

test('a refused connection says what to do', () => {
  const problem = Problem.of(new TypeError('Failed to fetch'));
  expect(problem.kind).toBe('no-connection');
  expect(problem.next).toContain('reanimator serve');
});
