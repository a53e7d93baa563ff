import { expect, test, vi } from 'vitest';
import { Tagged } from './tagged';

const answer = (body: unknown, tag: string) => new Response(JSON.stringify(body), { headers: { ETag: tag } });
const same = () => new Response(null, { status: 304 });

test('what has not changed is the very same object, and its tag is named', async () => {
  const ask = vi.fn<(path: string, tag: string | undefined) => Promise<Response>>();
  ask.mockResolvedValueOnce(answer({ figure: 1 }, '"a"')).mockResolvedValueOnce(same());
  ask.mockResolvedValueOnce(answer({ figure: 2 }, '"b"'));
  const tagged = new Tagged(ask);
  const first = await tagged.read('/x');
  expect(await tagged.read('/x')).toBe(first);
  expect(await tagged.read('/x')).toEqual({ figure: 2 });
  expect(ask.mock.calls.map(([, tag]) => tag)).toEqual([undefined, '"a"', '"a"']);
});

test('a list is read to its end, and is the same array until a page of it changes', async () => {
  const ask = vi.fn<(path: string, tag: string | undefined) => Promise<Response>>();
  ask.mockResolvedValueOnce(answer({ items: [1], next_cursor: 'n' }, '"1"'));
  ask.mockResolvedValueOnce(answer({ items: [2], next_cursor: null }, '"2"'));
  ask.mockResolvedValueOnce(same()).mockResolvedValueOnce(same());
  ask.mockResolvedValueOnce(same()).mockResolvedValueOnce(answer({ items: [3], next_cursor: null }, '"3"'));
  const tagged = new Tagged(ask);
  const first = await tagged.all<number>('/list?fields=id');
  expect(first).toEqual([1, 2]);
  expect(ask.mock.calls[1]?.[0]).toBe('/list?fields=id&limit=1000&cursor=n');
  expect(await tagged.all('/list?fields=id')).toBe(first);
  expect(await tagged.all('/list?fields=id')).toEqual([1, 3]);
});

test('after a log-out nothing is known any more', async () => {
  const ask = vi.fn<(path: string, tag: string | undefined) => Promise<Response>>();
  ask.mockImplementation(() => Promise.resolve(answer({}, '"a"')));
  const tagged = new Tagged(ask);
  await tagged.read('/x');
  tagged.forget();
  await tagged.read('/x');
  expect(ask.mock.calls.map(([, tag]) => tag)).toEqual([undefined, undefined]);
});
