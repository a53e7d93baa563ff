/** A host over real SSH, added by way of the page: its key is shown, refused, accepted. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  assertAccessible,
  firstStart,
  openPage,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
} from './harness.mjs';
import { startSshd } from './sshd.mjs';

let folder;
let sshd;
let server;
let browser;
let page;
let faults;

before(async () => {
  folder = await temporaryFolder();
  sshd = await startSshd();
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
  await firstStart(page, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await sshd?.stop();
  await folder?.remove();
});

/** Fills in the form and has the key shown. */
async function askForKey() {
  await page.goto('/connections?add=host');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Address').fill('127.0.0.1');
  await dialog.getByLabel('Port').fill(String(sshd.port));
  await dialog.getByLabel('User').fill(sshd.user);
  await dialog.getByRole('radio', { name: 'Key', exact: true }).check();
  await dialog.getByLabel('Private key').fill(sshd.key);
  await dialog.getByRole('button', { name: 'Connect and add' }).click();
  await dialog.getByText(sshd.fingerprint).waitFor();
  return dialog;
}

test('the key that is shown is the one the host has, and can be refused', async () => {
  const dialog = await askForKey();
  await assertAccessible(page, 'a fingerprint');
  await dialog.getByRole('button', { name: 'Do not trust it' }).click();
  assert.equal(await dialog.getByLabel('Port').inputValue(), String(sshd.port), 'the form is as it was');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(new URL(page.url()).search, '');
  assert.deepEqual(faults, []);
});

test('a machine that is in the fleet already is not added twice', async () => {
  const dialog = await askForKey();
  await dialog.getByRole('button', { name: 'Trust this key and add' }).click();
  const alert = dialog.getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.innerText(), /in the fleet already/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(faults, []);
});

test('a host is removed after a question, and added with its key pinned', async () => {
  await openPage(page, 'Hosts');
  await page.getByRole('rowheader').getByRole('link').click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove the host' }).click();
  await page.getByText('No hosts yet').waitFor();

  const dialog = await askForKey();
  await dialog.getByRole('button', { name: 'Trust this key and add' }).click();
  await page.waitForURL(/\/hosts\//);
  await page.getByRole('heading', { name: 'Identity' }).waitFor();
  await page.getByText(sshd.fingerprint).waitFor();
  await openPage(page, 'Hosts');
  await page.getByRole('rowheader').getByText('online', { exact: true }).waitFor();
  assert.deepEqual(faults, []);
});
