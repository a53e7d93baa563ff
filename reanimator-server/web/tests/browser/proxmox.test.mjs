/** A Proxmox cluster, as the look-alike plays it, connected and removed by way of the page. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  assertAccessible,
  besideProgram,
  firstStart,
  openPage,
  openWindow,
  startBrowser,
  startProgram,
  startServer,
  temporaryFolder,
} from './harness.mjs';

let folder;
let cluster;
let server;
let browser;
let page;
let faults;

before(async () => {
  folder = await temporaryFolder();
  cluster = await startProgram(
    besideProgram('pve-sim'),
    ['--listen', '127.0.0.1:0', '--clusters', '1', '--nodes', '3', '--guests', '6', '--seed', '7'],
    (line) => JSON.parse(line),
  );
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
  await firstStart(page, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.stop();
  await folder?.remove();
});

test('a cluster is connected after its certificate and what it holds were shown', async () => {
  const { url, token, fingerprint, nodes } = cluster.value;
  const [tokenId, secret] = token.split(/=(.*)/s);
  await page.getByRole('button', { name: 'Connect Proxmox' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Address of one node').fill(url);
  await dialog.getByLabel('Token id').fill(tokenId);
  await dialog.getByLabel('Secret').fill('not the secret');
  await dialog.getByRole('button', { name: 'Look what is there' }).click();
  await dialog.getByText(fingerprint).waitFor();
  await assertAccessible(page, 'a certificate');
  await dialog.getByRole('button', { name: 'Trust this certificate' }).click();
  await dialog.getByRole('alert').waitFor();

  // What was trusted once is not asked again because of a wrong secret.
  await dialog.getByLabel('Secret').fill(secret);
  await dialog.getByRole('button', { name: 'Look what is there' }).click();
  await dialog.getByText('This is what was found').waitFor();
  for (const { name } of nodes) await dialog.getByRole('rowheader', { name, exact: true }).waitFor();
  await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });

  await openPage(page, 'Hosts');
  for (const { name } of nodes) {
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
    await row.getByText('online', { exact: true }).first().waitFor();
  }
  await openPage(page, 'Overview');
  const sums = page.getByRole('region', { name: 'The whole fleet' });
  await sums.getByText(`of ${nodes.length + 1} online`).waitFor();
  await sums.getByText(/of [1-9]\d* running/).waitFor();
  await assertAccessible(page, 'a fleet with a cluster');
  assert.deepEqual(faults, []);
});

test('a connection is tested, and removed with all it brought in after a question', async () => {
  await openPage(page, 'Connections');
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByText('The connection works.').waitFor();
  await assertAccessible(page, 'the connections');
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove the connection' }).click();
  await page.getByText('No Proxmox connection yet').waitFor();
  await openPage(page, 'Hosts');
  for (const { name } of cluster.value.nodes) {
    await page.getByRole('link', { name, exact: true }).waitFor({ state: 'detached' });
  }
  assert.deepEqual(faults, []);
});
