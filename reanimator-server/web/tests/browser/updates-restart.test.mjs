/**
 * An update of the nodes of a look-alike cluster by way of the page, one of which wants a restart: it is emptied, started anew
 * and filled again, and a container beside it gets its packages. Pictures are kept in `target/screenshots/updates`.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OPERATOR, asking, fingerprintOf } from './fleet.mjs';
import {
  assertAccessible,
  assertNoSideways,
  besideProgram,
  connectCluster,
  firstStart,
  logIn,
  openWindow,
  startBrowser,
  startProgram,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

const PICTURES = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../target/screenshots/updates');
/** A run takes longer than what a page does at once. */
const RUN = { timeout: 240_000 };
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true };
/** What packages leave behind that want a restart. */
const MARK = 'mkdir -p "$DPKG_ROOT/run" && touch "$DPKG_ROOT/run/reboot-required"';

let folder;
let cluster;
let server;
let browser;
let api;
let page;
let faults;
/** The same on a phone. */
let small;
let container;

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  folder = await temporaryFolder();
  const task = ['--task-time', '100'];
  cluster = await startProgram(
    besideProgram('pve-sim'),
    ['--listen', '127.0.0.1:0', '--nodes', '3', '--guests', '18', ...task, '--ssh'],
    (line) => JSON.parse(line),
  );
  server = await startServer(folder.path);
  browser = await startBrowser();
  const admin = await openWindow(browser, server.url);
  await firstStart(admin.page, server);
  await connectCluster(admin.page, cluster.value);
  api = asking(admin.page);
  for (const { ssh } of cluster.value.nodes) {
    const { address, port, user, key, host_key } = ssh;
    const accept_host_key = fingerprintOf(host_key);
    await api('POST', '/api/v1/hosts', { address, port, user, auth: { key }, accept_host_key });
  }
  await api('POST', '/api/v1/users', { name: OPERATOR.name, password: OPERATOR.password, role: 'operator' });
  container = await until('a running container', async () => {
    const { items } = await api('GET', '/api/v1/dashboard/vms?limit=1000');
    return items.find(
      ({ kind, status, template, node }) =>
        kind === 'lxc' && status === 'running' && !template && node !== 'pve2',
    );
  });
  const { id } = await api('POST', '/api/v1/commands', { command: MARK, on: 'pve2' });
  await until('the mark of a restart', async () => {
    const { state, groups } = await api('GET', `/api/v1/commands/${id}`);
    if (state === 'done') assert.equal(groups[0].status, 0, JSON.stringify(groups));
    return state === 'done';
  });
  ({ page, faults } = await openWindow(browser, server.url));
  small = await openWindow(browser, server.url, PHONE);
  for (const each of [page, small.page]) await logIn(each, OPERATOR);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.stop();
  await folder?.remove();
});

/** Looks at the same on a wide screen and on a phone, and keeps a picture of each. */
async function look(name, wide = page) {
  await small.page.goto(wide.url());
  await small.page.getByRole('heading', { level: 1 }).waitFor();
  for (const [size, each] of Object.entries({ wide, phone: small.page })) {
    await assertAccessible(each, `${name} (${size})`);
    await assertNoSideways(each, `${name} (${size})`);
    await each.screenshot({ path: join(PICTURES, `${name}-${size}.png`), fullPage: true });
  }
}

test('the plan says which node is started anew, and why', async () => {
  await page.goto('/updates');
  await page.getByLabel(/^Hosts/).fill('pve*');
  await page.getByLabel(/^Guests\s*\(optional\)/).fill(container.name);
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Copy disks along that only the node has' }).check();
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.getByRole('heading', { name: 'The plan' }).waitFor(RUN);
  await page.getByText('2 machines have something to do: 3 packages · 1 for security · 1 restart').waitFor();
  await page
    .getByText(/^A restart is due already/)
    .first()
    .waitFor();
  // It has no packages, but steps.
  await page.locator('summary').filter({ hasText: 'What would be done, pve2' }).waitFor();
  await assertAccessible(page, 'a plan with a restart');
  await page.screenshot({ path: join(PICTURES, 'restart-plan-wide.png'), fullPage: true });
});

test('the node is emptied, started anew and filled again, and the run is followed to its end', async () => {
  await page.getByRole('button', { name: 'Update now' }).click();
  await page.waitForURL(/\/updates\/[0-9a-f]{8}-/);
  await page
    .getByText(/^under way: (emptying|restart|filling again)$/)
    .first()
    .waitFor(RUN);
  await look('restart-run');
  await page.getByRole('status').getByText('done', { exact: true }).waitFor(RUN);
  const machines = page.getByRole('region', { name: 'Machines' }).getByRole('listitem');
  const node = machines.filter({ has: page.getByRole('link', { name: 'pve2', exact: true }) });
  await node.getByText('started anew', { exact: true }).waitFor();
  for (const phase of ['emptying', 'restart', 'filling again']) {
    await node.getByRole('link', { name: phase, exact: true }).waitFor();
  }
  assert.deepEqual(faults, []);
});

test('the report tells the packages of the container and the restart of the node', async () => {
  await page.getByRole('heading', { name: 'Report', exact: true }).waitFor();
  await page
    .getByText(
      /^2 machines updated · 2 machines had nothing to install · 3 packages changed · 1 for security .*· 1 restart$/,
    )
    .waitFor();
  const changes = page.getByRole('table', { name: `What was done with ${container.name}` });
  await until('the packages', async () => {
    if ((await changes.count()) === 1 && (await changes.isVisible())) return true;
    await page.locator('summary').filter({ hasText: container.name }).click();
    return false;
  });
  for (const name of ['greeter', 'libgreet', 'web']) {
    await changes.getByRole('row', { name: new RegExp(`^${name} .*1\\.0 1\\.1`) }).waitFor();
  }
  await page
    .locator('summary')
    .filter({ hasText: /^\s*pve2/ })
    .getByText('started anew')
    .waitFor();
  await look('restart-report');
  const host = await api('GET', '/api/v1/status').then(({ hosts }) =>
    hosts.find(({ name }) => name === 'pve2'),
  );
  assert.equal(host.state, 'online', 'it is out of maintenance');
  assert.deepEqual([faults, small.faults], [[], []]);
});
