/**
 * Draws the icons that systems want as pictures from `public/icon.svg`, into `public/`: `npm run icons`.
 * They are kept with the source; run it again when the icon changes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const GROUND = '#0b6e5f';
const svg = await readFile('public/icon.svg', 'utf8');
/** The sign alone, without the tile it stands on. */
const sign = svg.replace(/<rect[^>]*\/>/, '');

/** A full square with the sign in its middle: systems cut it into their own shape. */
const square = (share) =>
  `<div style="background:${GROUND};width:100%;height:100%;display:grid;place-items:center">
    <div style="width:${share}%;display:grid">${sign}</div></div>`;

const ICONS = [
  { name: 'icon-192.png', size: 192, content: svg },
  { name: 'icon-512.png', size: 512, content: svg },
  { name: 'icon-maskable-512.png', size: 512, content: square(72) },
  { name: 'apple-touch-icon.png', size: 180, content: square(86) },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage();
for (const { name, size, content } of ICONS) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<style>html,body{margin:0;height:100%${content === svg ? '' : `;background:${GROUND}`}}svg{display:block;width:100%}</style>${content}`,
  );
  await writeFile(`public/${name}`, await page.screenshot({ omitBackground: true }));
}
await browser.close();
