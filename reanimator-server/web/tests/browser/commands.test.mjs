/** A command on hosts from the page: it goes on while the page is away, shows the odd one, is stopped and kept. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asking, fingerprintOf, startHosts } from './fleet.mjs';
import {
  assertAccessible,
  assertNoSideways,
  firstStart,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
} from './harness.mjs';

const HOSTS = 4;

let folder;
let hosts;
let server;
let browser;
let page;
let faults;
let here;

before(async () => {
  folder = await temporaryFolder();
  // Simulated hosts know no variables: this machine, which does, is the odd one.
  hosts = await startHosts(HOSTS, { base: '127.78.7.1' });
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
  await firstStart(page, server);
  const api = asking(page);
  here = (await api('GET', '/api/v1/hosts')).items[0].name;
  for (const { name, address, port, user, key, host_key } of hosts.value) {
    const accept_host_key = fingerprintOf(host_key);
    await api('POST', '/api/v1/hosts', {
      name,
      address,
      port,
      user,
      auth: { key_file: key },
      accept_host_key,
    });
  }
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await hosts?.stop();
  await folder?.remove();
});

async function run(command, on = 'all') {
  await page.goto('/run');
  await page.getByRole('textbox', { name: 'Command' }).fill(command);
  await page.getByRole('textbox', { name: 'On', exact: true }).fill(on);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/run\?id=/);
}

test('the odd one out is marked, with its difference, also after a reload', async () => {
  await run('echo one; echo home $HOME; echo three');
  const odd = page.locator('article').filter({ hasText: 'says otherwise' });
  await odd.getByText('1 line only here, 1 line only on most hosts.').waitFor();
  assert.equal(await page.locator('article').count(), 2);
  await page.getByRole('status').filter({ hasText: 'Done: 5 of 5 finished' }).waitFor();
  await assertAccessible(page, 'a run with an odd one');
  await page.reload();
  await odd.getByText('home $HOME').first().waitFor();
  assert.deepEqual(faults, []);
});

test('a run goes on while nobody looks, and is stopped from another window', async () => {
  await run('echo half; sleep 600; echo whole', here);
  await page.getByText('half', { exact: true }).first().waitFor();
  const address = page.url();
  await page.goto('about:blank');
  const other = await page.context().newPage();
  await other.goto(address);
  await other.getByText('half', { exact: true }).first().waitFor();
  await other.getByRole('status').filter({ hasText: 'Running' }).waitFor();
  await other.getByRole('button', { name: 'Stop', exact: true }).click();
  await other.getByRole('status').filter({ hasText: 'Stopped' }).waitFor();
  await other.close();
  assert.deepEqual(faults, []);
});

test('a command is saved, used again, and found among the earlier runs', async () => {
  await page.goto('/run');
  await page.getByRole('textbox', { name: 'Command' }).fill('uname -s');
  await page.getByRole('textbox', { name: 'On', exact: true }).fill('all');
  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('kernel');
  await assertAccessible(page, 'saving a command');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await page.reload();
  await page.getByRole('button', { name: 'Use kernel' }).click();
  assert.equal(await page.getByRole('textbox', { name: 'Command' }).inputValue(), 'uname -s');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/run\?id=/);
  await page.getByRole('button', { name: 'Show the run of echo half; sleep 600; echo whole' }).click();
  await page.getByRole('status').filter({ hasText: 'Stopped' }).waitFor();
  assert.deepEqual(faults, []);
});

test('it fits a narrow window, and the dark', async () => {
  await run('echo one; echo home $HOME; echo three');
  await page.getByText('says otherwise').waitFor();
  await page.setViewportSize({ width: 360, height: 800 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertNoSideways(page, 'a run in a narrow window');
  await assertAccessible(page, 'a run in a narrow, dark window');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(faults, []);
});
