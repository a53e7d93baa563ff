/**
 * Writes a `.br` and a `.gz` beside every built file that shrinks by it, so that the server
 * hands out finished bytes and never compresses while somebody waits.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

const TEXT = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest']);

export function precompress(): Plugin {
  let folder = 'dist';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile() && TEXT.has(extname(entry.name)))
        .map((entry) => join(entry.parentPath, entry.name));
      await Promise.all(files.map(compressOne));
    },
  };
}

async function compressOne(file: string): Promise<void> {
  const plain = await readFile(file);
  const packed = {
    '.br': await brotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
    '.gz': await zip(plain, { level: 9 }),
  };
  for (const [ending, bytes] of Object.entries(packed)) {
    if (bytes.length < plain.length) await writeFile(file + ending, bytes);
  }
}
