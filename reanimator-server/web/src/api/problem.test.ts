import { expect, test } from 'vitest';
import { Problem } from './problem';

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

test('a refused connection says what to do', () => {
  const problem = Problem.of(new TypeError('Failed to fetch'));
  expect(problem.kind).toBe('no-connection');
  expect(problem.next).toContain('reanimator serve');
});
