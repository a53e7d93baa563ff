/** Everything that is known, on the page: this very machine, and a cluster that the look-alike plays. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  assertAccessible,
  assertNoSideways,
  besideProgram,
  connectCluster,
  firstStart,
  openPage,
  openWindow,
  startBrowser,
  startProgram,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

const GUESTS = 300;

let folder;
let cluster;
let server;
let browser;
let admin;
let page;

before(async () => {
  folder = await temporaryFolder();
  cluster = await startProgram(
    besideProgram('pve-sim'),
    ['--listen', '127.0.0.1:0', '--clusters', '1', '--nodes', '3', '--guests', String(GUESTS), '--seed', '7'],
    (line) => JSON.parse(line),
  );
  server = await startServer(folder.path);
  browser = await startBrowser();
  admin = await openWindow(browser, server.url);
  page = admin.page;
  await firstStart(page, server);
  await connectCluster(page, cluster.value);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.stop();
  await folder?.remove();
});

const nothingWrong = () => assert.deepEqual(admin.faults, []);
const tab = (name) => page.getByRole('navigation', { name: /^Parts of this/ }).getByRole('link', { name });
const card = (name) => page.getByRole('region', { name, exact: true });
/** The first page of one of the fleet's tables, as the API gives it. */
const rows = (table, query = '') =>
  page.evaluate((path) => fetch(path).then((answer) => answer.json()), `/api/v1/${table}?limit=1000${query}`);

async function openHost(name) {
  await openPage(page, 'Hosts');
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** Goes through parts of a page; each shows one of its cards and is accessible. */
async function visit(parts) {
  for (const [name, heading] of parts) {
    await tab(name).click();
    await card(heading).first().waitFor();
    await assertAccessible(page, `${name}: ${heading}`);
  }
}

test('the overview says what needs somebody, which hosts are busy, and how the cluster is', async () => {
  const attention = card('Needs attention');
  await attention.getByText('pool tank is DEGRADED').waitFor();
  await card('Clusters').getByText('berlin').waitFor();
  await card('Busiest hosts').getByRole('link').first().waitFor();
  await card('Recent changes').waitFor();
  await assertAccessible(page, 'the overview');
  await attention.getByText(/replication .* fails/).waitFor();
  await attention.getByRole('link', { name: /^pve/ }).first().click();
  await page.getByRole('heading', { name: /^pve/, level: 1 }).waitFor();
  nothingWrong();
});

test('every part of this machine is shown, with its age and with what was not seen', async () => {
  const { items } = await rows('dashboard/nodes');
  const { name } = items.find(({ kind }) => kind === 'linux');
  await openHost(name);
  await page.getByRole('img', { name: /^CPU\. / }).waitFor();
  await page.locator('.uplot canvas').first().waitFor();
  await page.getByRole('button', { name: 'Look now' }).click();
  await page.getByRole('button', { name: 'Look now', disabled: false }).waitFor();
  await visit([
    ['Hardware', 'Processor'],
    ['Storage', 'Block devices'],
    ['Network', 'Routes and names'],
    ['Units', 'Units'],
    ['Updates', 'Repositories'],
    ['Timeline', 'Timeline'],
  ]);
  assert.equal(await tab('Guests').count(), 0, 'a machine without guests has no such part');
  await tab('Network').click();
  await card('Interfaces').getByText('127.0.0.1/8').waitFor();
  await card('Interfaces')
    .getByText(/^Seen \d/)
    .waitFor();
  await tab('Summary').click();
  await card('Not seen on this host')
    .getByText(/, because /)
    .first()
    .waitFor();
  nothingWrong();
});

test('a span of time is chosen, stands in the address, and comes back with it', async () => {
  await page.getByRole('radio', { name: '24 h' }).check();
  await until('the span in the address', () => new URL(page.url()).searchParams.get('range') === '24h');
  await page.reload();
  await page.getByRole('img', { name: /^CPU\. / }).waitFor();
  assert.equal(await page.getByRole('radio', { name: '24 h' }).isChecked(), true);
  nothingWrong();
});

test('a node is shown through its API, and says what the API does not tell', async () => {
  await openHost('pve2');
  await visit([
    ['Hardware', 'Processor, as the Proxmox API tells it'],
    ['Storage', 'Disks, as the Proxmox API tells them'],
    ['Network', 'Interfaces, as Proxmox configures them'],
    ['Guests', 'Guests'],
    ['Services and containers', 'Containers'],
    ['Updates', 'Repositories of Proxmox'],
    ['Licence', 'Licence'],
  ]);
  await card('Licence').getByText('active').waitFor();
  await tab('Services and containers').click();
  await card('Containers')
    .getByText(/reached through the Proxmox API alone/)
    .waitFor();
  nothingWrong();
});

test('of three hundred guests only those in sight are in the document, and all can be reached', async () => {
  await openPage(page, 'Guests');
  const drawn = page.locator('tbody tr:not([aria-hidden])');
  await page.getByText(/^\d{3} guests$/).waitFor();
  await drawn.first().waitFor();
  const names = (await rows('dashboard/vms')).items.map(({ name }) => name);
  const sorted = [...names].sort(new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare);
  const few = async () => assert.ok((await drawn.count()) <= 60, `${await drawn.count()} rows are drawn`);
  await few();
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.getByRole('link', { name: sorted.at(-1), exact: true }).waitFor();
  await few();
  assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(names.length + 1));
  await page.getByRole('searchbox', { name: 'Filter guests' }).fill('stopped');
  await page.getByText(/^\d+ of \d{3} guests$/).waitFor();
  await assertAccessible(page, 'the guests');
  await page.getByRole('searchbox', { name: 'Filter guests' }).fill('no such guest');
  await page.getByRole('button', { name: 'Show all guests' }).click();
  nothingWrong();
});

test('every part of a guest is shown', async () => {
  const { items } = await rows('dashboard/vms');
  const { name } = items.find(({ kind, status }) => kind === 'qemu' && status === 'running');
  await page.getByRole('searchbox', { name: 'Filter guests' }).fill(name);
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
  await card('Now').waitFor();
  await page.getByRole('img', { name: /^Memory\. / }).waitFor();
  await visit([
    ['Configuration', 'Configuration'],
    ['Storage', 'Disks'],
    ['Network', 'Network cards'],
    ['Snapshots', 'Snapshots'],
    ['Backups', 'Backups'],
    ['Timeline', 'Timeline'],
  ]);
  await tab('Network').click();
  await card('Network cards').getByText('vmbr0').first().waitFor();
  await page.goto('/guests/nobody%3A1');
  await page.getByText('There is no such guest').waitFor();
  nothingWrong();
});

test('storage and network of the whole fleet are one table each', async () => {
  await openPage(page, 'Storage');
  await page.getByRole('rowheader', { name: 'shared-nfs' }).waitFor();
  assert.equal(await page.getByRole('rowheader', { name: 'shared-nfs' }).count(), 1, 'a shared one is one');
  await page.getByRole('button', { name: 'Used' }).click();
  await page.locator('th[aria-sort=descending]', { hasText: 'Used' }).waitFor();
  await assertAccessible(page, 'the storages');
  await page.getByRole('link', { name: 'shared-nfs' }).click();
  await page.getByRole('heading', { name: 'shared-nfs', level: 1 }).waitFor();
  await page.getByRole('img', { name: /^Room\. / }).waitFor();
  await assertAccessible(page, 'one storage');
  await openPage(page, 'Network');
  await page.getByRole('rowheader', { name: 'vmbr0' }).first().waitFor();
  await page.getByRole('searchbox', { name: 'Filter interfaces' }).fill('loopback');
  await page.getByRole('rowheader', { name: 'lo', exact: true }).waitFor();
  await assertAccessible(page, 'the interfaces');
  nothingWrong();
});

test('what has not changed is not sent again', async () => {
  const answered = page.waitForResponse(
    (response) => response.url().includes('/api/v1/network') && response.status() === 304,
  );
  await openPage(page, 'Storage');
  await openPage(page, 'Network');
  await answered;
  nothingWrong();
});

test('all of it fits a phone and is accessible there, light and dark', async (t) => {
  const state = await admin.context.storageState();
  const { items: hosts } = await rows('dashboard/nodes');
  const { items: guests } = await rows('dashboard/vms');
  const machine = `/hosts/${hosts.find(({ kind }) => kind === 'linux').id}`;
  const node = `/hosts/${hosts.find(({ name }) => name === 'pve2').id}`;
  const guest = `/guests/${encodeURIComponent(guests.find(({ status }) => status === 'running').id)}`;
  for (const colorScheme of ['light', 'dark']) {
    const phone = await openWindow(browser, server.url, {
      width: 360,
      height: 740,
      colorScheme,
      storageState: state,
      hasTouch: true,
    });
    t.after(() => phone.context.close());
    for (const path of [
      '/',
      '/hosts',
      '/guests',
      '/storage',
      '/network',
      machine,
      ...['hardware', 'storage', 'network', 'services', 'units', 'updates', 'timeline'].map(
        (part) => `${machine}/${part}`,
      ),
      ...['storage', 'network', 'guests', 'licence'].map((part) => `${node}/${part}`),
      guest,
      ...['configuration', 'storage', 'network', 'snapshots', 'backups'].map((part) => `${guest}/${part}`),
    ]) {
      await phone.page.goto(path);
      await phone.page.locator('main section h2, main section table').first().waitFor();
      await assertNoSideways(phone.page, path);
      await assertAccessible(phone.page, `${path} on a ${colorScheme} phone`);
    }
    assert.deepEqual(phone.faults, []);
  }
});
