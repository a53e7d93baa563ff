import { expect, test } from 'vitest';
import { readLines } from './lines';

function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(stream)) lines.push(line);
  return lines;
}

test('lines are put together across chunks, even in the middle of a letter', async () => {
  const bytes = new TextEncoder().encode('{"host":"Größe"}\n\n{"done":true}');
  const cut = bytes.indexOf(0xc3) + 1;
  expect(await all(streamOf(bytes.slice(0, cut), bytes.slice(cut)))).toEqual([
    '{"host":"Größe"}',
    '{"done":true}',
  ]);
});

test('an empty stream has no lines', async () => {
  expect(await all(streamOf())).toEqual([]);
});
