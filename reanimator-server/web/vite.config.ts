import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { precompress } from './build/precompress.ts';

/** Where `npm run dev` sends API calls: a running `reanimator serve`. */
const server = process.env['REANIMATOR_URL'] ?? 'http://127.0.0.1:8420';

/** Browsers that know `light-dark()`, so that it reaches them as written. */
const browsers = ['chrome123', 'firefox120', 'safari17.5'];

export default defineConfig({
  plugins: [svelte(), precompress()],
  build: {
    target: browsers,
    cssTarget: browsers,
    // Inlined `data:` scripts would break the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: server, ws: true }, '/health': server } },
  test: { include: ['{src,build}/**/*.test.ts'], environment: 'node', setupFiles: 'src/i18n/speak.ts' },
});
