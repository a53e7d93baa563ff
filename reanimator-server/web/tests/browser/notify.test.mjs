/** Whom notices go to: a target is made, tried at a real receiver, changed, and what was sent is shown. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  assertAccessible,
  assertNoSideways,
  firstStart,
  openPage,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

/** Where pictures are put, to be looked at. */
const PICTURES = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../target/screenshots');

let folder;
let server;
let browser;
let page;
let faults;
let receiver;
const came = [];

before(async () => {
  folder = await temporaryFolder();
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      came.push({ url: request.url, headers: request.headers, body: JSON.parse(body) });
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
  await firstStart(page, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  receiver?.close();
  await folder?.remove();
});

const picture = (name) =>
  page.screenshot({ path: join(PICTURES, `notifications-${name}.png`), fullPage: true });

async function section() {
  await openPage(page, 'Settings');
  await page
    .getByRole('navigation', { name: 'Settings' })
    .getByRole('link', { name: 'Notifications' })
    .click();
  await page.getByRole('heading', { name: 'Notifications', level: 1 }).waitFor();
}

test('a target is made, refused inside, allowed, and tried', async () => {
  await section();
  await page.getByText('Nobody is told of anything.').waitFor();
  await page.getByRole('button', { name: 'Add a target' }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Letters, digits and . _ -, up to 64.').first().waitFor();
  await form.getByLabel('Name').fill('hook');
  await form.getByLabel('Way').selectOption('webhook');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Something is missing here.').waitFor();
  const { port } = receiver.address();
  await form.getByLabel('Web address').fill(`http://127.0.0.1:${port}/secret-path`);
  await form.getByLabel('Key for signing').fill('s3cret');
  await form.getByLabel('Quiet hours').check();
  await assertAccessible(page, 'the form of a target');
  await picture('form');
  await form.getByLabel('Quiet hours').uncheck();
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Send a test to hook' }).click();
  await page.getByText('127.0.0.1 is this very machine').first().waitFor();
  assert.equal(came.length, 0);

  await page.getByRole('button', { name: 'Change the target hook' }).click();
  await form.getByText('Stored. What is empty stays as it is.').waitFor();
  await form.getByLabel('It may lie on this very machine').check();
  await form.getByRole('button', { name: 'Save' }).click();
  await form.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Send a test to hook' }).click();
  await page.getByText(/hook: sent\./).waitFor();
  assert.equal(came[0].url, '/secret-path', 'the address stays although only its beginning is shown');
  assert.ok(came[0].headers['x-reanimator-signature'], 'the key stays');
});

test('what was sent is shown, on a phone and in the dark, and nothing of a secret', async () => {
  await until('the history', () => page.getByText('A test from Reanimator').first().isVisible());
  assert.ok(!(await page.content()).includes('secret-path'));
  await assertAccessible(page, 'notifications');
  await picture('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertAccessible(page, 'notifications in the dark');
  await picture('dark');
  await page.setViewportSize({ width: 360, height: 740 });
  await assertNoSideways(page, 'notifications');
  await picture('phone');
  await page.getByRole('button', { name: 'Add a target' }).click();
  await assertNoSideways(page, 'the form of a target');
  await picture('phone-form');
  await page.keyboard.press('Escape');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
});

test('a target is removed', async () => {
  await page.getByRole('button', { name: 'Remove hook' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Nobody is told of anything.').waitFor();
  assert.deepEqual(faults, []);
});
