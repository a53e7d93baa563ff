import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api, whenLoggedOut } from './client';
import { Problem } from './problem';

const fetched = vi.fn<typeof fetch>();

beforeEach(() => vi.stubGlobal('fetch', fetched));
afterEach(() => {
  vi.unstubAllGlobals();
  fetched.mockReset();
});

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

/** What was sent with call number `index`. */
function sent(index: number) {
  const call = fetched.mock.calls[index];
  if (!call) throw new Error(`there was no call ${index}`);
  return { path: String(call[0]), init: call[1] ?? {}, headers: new Headers(call[1]?.headers) };
}

test('changes carry the token of the session, reading does not', async () => {
  fetched.mockResolvedValueOnce(json({ name: 'a', role: 'admin', kind: 'user', csrf: 'secret' }));
  fetched.mockResolvedValueOnce(new Response(null, { status: 204 }));
  fetched.mockResolvedValueOnce(json({ items: [], next_cursor: null }));
  await api.login('a', 'b');
  await api.removeHost('a/b?c');
  await api.users();
  expect(sent(0).headers.get('X-CSRF-Token')).toBeNull();
  expect(sent(1).headers.get('X-CSRF-Token')).toBe('secret');
  expect(sent(1).path).toBe('/api/v1/hosts/a%2Fb%3Fc');
  expect(sent(2).headers.get('X-CSRF-Token')).toBeNull();
});

test('lists are read to their end', async () => {
  fetched.mockResolvedValueOnce(json({ items: [{ name: 'a' }], next_cursor: 'x y' }));
  fetched.mockResolvedValueOnce(json({ items: [{ name: 'b' }], next_cursor: null }));
  expect((await api.users()).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(sent(1).path).toContain('cursor=x+y');
});

test('who is no longer logged in is told so, but a refused log-in is only an error', async () => {
  const leave = vi.fn();
  whenLoggedOut(leave);
  const refused = () => json({ type: 'urn:reanimator:unauthenticated', title: 'No', status: 401 }, 401);
  fetched.mockResolvedValueOnce(refused());
  await expect(api.login('a', 'wrong')).rejects.toThrow(Problem);
  expect(leave).not.toHaveBeenCalled();
  fetched.mockResolvedValueOnce(refused());
  await expect(api.users()).rejects.toThrow(Problem);
  expect(leave).toHaveBeenCalledOnce();
});

test('a server that cannot be reached is a problem with a next step', async () => {
  fetched.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  await expect(api.me()).rejects.toMatchObject({ kind: 'no-connection', status: 0 });
});
