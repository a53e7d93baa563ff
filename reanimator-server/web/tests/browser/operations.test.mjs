/** Changes to the world by way of the page: looked at, begun, followed, taken back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OPERATOR, VIEWER, asking } from './fleet.mjs';
import {
  assertAccessible,
  assertNoSideways,
  besideProgram,
  connectCluster,
  firstStart,
  logIn,
  openPage,
  openWindow,
  startBrowser,
  startProgram,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

let folder;
let cluster;
let server;
let browser;
let api;
let guest;
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
  const admin = await openWindow(browser, server.url);
  await firstStart(admin.page, server);
  await connectCluster(admin.page, cluster.value);
  api = asking(admin.page);
  for (const [role, { name, password }] of Object.entries({ operator: OPERATOR, viewer: VIEWER })) {
    await api('POST', '/api/v1/users', { name, password, role });
  }
  guest = await until('a running VM', async () => {
    const { items } = await api('GET', '/api/v1/dashboard/vms?limit=1000');
    return items.find(({ kind, status, template }) => kind === 'qemu' && status === 'running' && !template);
  });
  ({ page, faults } = await openWindow(browser, server.url));
  await logIn(page, OPERATOR);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.stop();
  await folder?.remove();
});

const address = () => `/guests/${encodeURIComponent(guest.id)}`;
const statusOf = async () => {
  const { items } = await api('GET', '/api/v1/dashboard/vms?limit=1000');
  return items.find(({ id }) => id === guest.id).status;
};
const operations = async () => (await api('GET', '/api/v1/operations')).items;

async function choose(verb) {
  await page.goto(address());
  await page.getByRole('button', { name: 'Power' }).click();
  await page
    .getByRole('group', { name: /^Power of/ })
    .getByRole('button', { name: verb, exact: true })
    .click();
  return page.getByRole('dialog');
}

test('what would be sent is shown first, and nothing is done by looking', async () => {
  await openPage(page, 'Operations');
  await page.getByText('Nothing was carried out yet').waitFor();
  const dialog = await choose('Stop');
  await dialog.getByText('Its plug is pulled').waitFor();
  await dialog.getByText(/^POST \/nodes\/.+\/status\/stop$/).waitFor();
  await dialog.getByText('Disruptive: a service is away for a while.').waitFor();
  await assertAccessible(page, 'a dry run');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(await operations(), []);
  assert.equal(await statusOf(), 'running');
});

test('a guest is stopped, its operation followed to its end, and both are seen', async () => {
  const dialog = await choose('Stop');
  await dialog.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByRole('status').getByText('done', { exact: true }).waitFor();
  await page.getByRole('cell', { name: 'it is stopped' }).waitFor();
  await page.getByRole('cell', { name: /^UPID:/ }).waitFor();
  await page.getByRole('log').getByRole('time').first().waitFor();
  await assertAccessible(page, 'an operation');
  await page.getByRole('link', { name: `Stop guest ${guest.name}` }).click();
  await page.locator('main header').getByText('stopped', { exact: true }).waitFor();
  assert.equal(await statusOf(), 'stopped');
  await page.getByRole('button', { name: 'Power' }).click();
  const offered = await page
    .getByRole('group', { name: /^Power of/ })
    .getByRole('button')
    .allTextContents();
  assert.deepEqual(
    offered.map((text) => text.trim()),
    ['Start'],
  );
  assert.deepEqual(faults, []);
});

test('it is taken back after a question that names what', async () => {
  await openPage(page, 'Operations');
  await page.getByRole('table', { name: 'Over' }).getByRole('link').click();
  await page.getByRole('button', { name: 'Undo' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`Stop guest ${guest.name}`).waitFor();
  await assertAccessible(page, 'the question before undoing');
  await dialog.getByRole('button', { name: 'Undo' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('status').getByText('undone', { exact: true }).waitFor();
  await page.getByText(`Start guest ${guest.name} (takes back step 1)`).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0);
  await until('the guest to run again', async () => (await statusOf()) === 'running');
});

test('what is so already cannot be begun', async () => {
  const dialog = await choose('Stop');
  await dialog.getByText(/^POST/).waitFor();
  await api('POST', '/api/v1/operations', { steps: [{ action: { on: 'guest', id: guest.id, do: 'stop' } }] });
  await until('the guest to stop', async () =>
    (await operations()).every(({ state }) => /^(done|undone)$/.test(state)),
  );
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  // The page offers what its figures say; the dry run asks the cluster.
  await page.route('**/api/v1/dashboard/vms*', async (route) => {
    const answer = await route.fetch();
    const listing = await answer.json();
    for (const row of listing.items) row.status = 'running';
    await route.fulfill({ response: answer, json: listing });
  });
  const second = await choose('Stop');
  await second.getByText('Nothing to do: it is stopped already.').waitFor();
  assert.equal(await second.getByRole('button', { name: 'Stop', exact: true }).isDisabled(), true);
  await second.getByRole('button', { name: 'Cancel' }).click();
  const third = await choose('Reboot');
  await third.getByText(/does not run/).waitFor();
  assert.equal(await third.getByRole('button', { name: 'Reboot', exact: true }).isDisabled(), true);
  await assertAccessible(page, 'a refusal');
  await page.unroute('**/api/v1/dashboard/vms*');
});

test('what goes on is stopped before its next step, and what is done stays done', async () => {
  const verbs = ['start', 'stop', 'start', 'stop', 'start', 'stop', 'start', 'stop'];
  const steps = verbs.map((verb, number) => ({
    action: { on: 'guest', id: guest.id, do: verb },
    after: number > 0 ? [number - 1] : [],
  }));
  const { id } = await api('POST', '/api/v1/operations', { title: 'on and off', steps });
  await page.goto('/operations');
  const link = page.getByRole('table', { name: 'Under way' }).getByRole('link', { name: 'on and off' });
  await link.click();
  await page.getByRole('cell', { name: 'it is running' }).first().waitFor();
  await page.getByRole('button', { name: 'Stop it' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This is done, and stays done:').waitFor();
  await dialog.getByText(`Start guest ${guest.name}`).first().waitFor();
  await dialog.getByText(/that nobody has begun will be left out/).waitFor();
  await dialog.getByRole('button', { name: 'Stop it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('status').getByText('stopped', { exact: true }).waitFor();
  await page.getByRole('cell', { name: 'left out' }).first().waitFor();
  const ended = (await operations()).find((each) => each.id === id);
  assert.equal(ended.state, 'cancelled');
  assert.deepEqual(faults, []);
});

test('a viewer reads, and is offered nothing to do; on a phone too', async (t) => {
  const eve = await openWindow(browser, server.url, { width: 360, height: 740 });
  t.after(() => eve.context.close());
  await logIn(eve.page, VIEWER);
  await eve.page.goto(address());
  await eve.page.getByRole('heading', { level: 1, name: guest.name }).waitFor();
  assert.equal(await eve.page.getByRole('button', { name: 'Power' }).count(), 0);
  await openPage(eve.page, 'Operations');
  await eve.page.getByRole('table', { name: 'Over' }).getByRole('link').first().click();
  await eve.page.getByRole('heading', { name: 'Steps', level: 2 }).waitFor();
  assert.equal(await eve.page.getByRole('button', { name: /^(Undo|Stop it)$/ }).count(), 0);
  await assertNoSideways(eve.page, 'an operation');
  assert.deepEqual(eve.faults, []);
});
