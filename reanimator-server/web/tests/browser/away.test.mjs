/** A host that goes away, and comes back, while somebody looks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asking, fingerprintOf, startHosts } from './fleet.mjs';
import { firstStart, openPage, openWindow, startBrowser, startServer, temporaryFolder } from './harness.mjs';

let folder;
let host;
let server;
let browser;
let page;
let faults;

before(async () => {
  folder = await temporaryFolder();
  host = await startHosts(1, { base: '127.78.4.1' });
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
  await firstStart(page, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await host?.stop();
  await folder?.remove();
});

const row = () =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name: 'attic', exact: true }) });
/** From an event on the server to the page: what people would call at once. */
const AT_ONCE = { timeout: 1000 };
/** From the last word of a host that froze to its being called offline, with time for a slow machine. */
const SILENCE = { timeout: 90_000 };

test('a host that another window adds is on the screen within a second', async () => {
  await openPage(page, 'Hosts');
  await page.getByRole('row').nth(1).waitFor();
  const [{ address, port, user, key, host_key }] = host.value;
  const other = asking(page);
  const login = { auth: { key_file: key }, accept_host_key: fingerprintOf(host_key) };
  await other('POST', '/api/v1/hosts', { name: 'attic', address, port, user, ...login });
  await row().waitFor(AT_ONCE);
  await row().getByText('online', { exact: true }).waitFor();
  assert.deepEqual(faults, []);
});

test('a change is on the screen within a second', async () => {
  const { id } = (await asking(page)('GET', '/api/v1/status')).hosts.find(({ name }) => name === 'attic');
  await asking(page)('PATCH', `/api/v1/hosts/${id}`, { maintenance: true });
  await row().getByText('maintenance', { exact: true }).waitFor(AT_ONCE);
  await asking(page)('PATCH', `/api/v1/hosts/${id}`, { maintenance: false });
  await row().getByText('online', { exact: true }).waitFor(AT_ONCE);
});

test('a host that goes away is told on every page, and when it is back it is live without a reload', async (t) => {
  await page.evaluate(() => (window.notReloaded = true));
  host.signal('SIGSTOP');
  t.after(() => host.signal('SIGCONT'));
  await row().getByText('offline', { exact: true }).waitFor(SILENCE);
  await openPage(page, 'Overview');
  const attention = page.getByRole('region', { name: 'Needs attention' });
  await attention.getByRole('link', { name: 'attic' }).first().waitFor();
  await openPage(page, 'Hosts');
  await row().getByRole('link', { name: 'attic' }).click();
  await page.getByText('offline', { exact: true }).first().waitFor();

  host.signal('SIGCONT');
  await page.getByText('online', { exact: true }).first().waitFor(SILENCE);
  assert.equal(await page.evaluate(() => window.notReloaded), true);
  assert.deepEqual(faults, []);
});
