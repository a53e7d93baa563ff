/** Every action by way of the page: one guest, several at once, hosts, scripts, windows, and what the trail says of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { OPERATOR, asking, fingerprintOf, startHosts } from './fleet.mjs';
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

let folder;
let cluster;
let linux;
let server;
let browser;
let api;
let page;
let faults;
let cookies;

before(async () => {
  folder = await temporaryFolder();
  cluster = await startProgram(
    besideProgram('pve-sim'),
    ['--listen', '127.0.0.1:0', '--clusters', '1', '--nodes', '3', '--guests', '12', '--seed', '7'],
    (line) => JSON.parse(line),
  );
  linux = await startHosts(1, { base: '127.78.5.1' });
  server = await startServer(folder.path);
  browser = await startBrowser();
  const admin = await openWindow(browser, server.url);
  ({ page, faults } = admin);
  await firstStart(page, server);
  await connectCluster(page, cluster.value);
  api = asking(page);
  const { name, password } = OPERATOR;
  await api('POST', '/api/v1/users', { name, password, role: 'operator' });
  const { address, port, user, key, host_key } = linux.value[0];
  await api('POST', '/api/v1/hosts', {
    name: 'web-1',
    address,
    port,
    user,
    auth: { key_file: key },
    accept_host_key: fingerprintOf(host_key),
  });
  await until('guests and nodes', async () => {
    const { hosts } = await api('GET', '/api/v1/status');
    return (await rows()).length >= 12 && hosts.length >= 5 && hosts.every(({ state }) => state === 'online');
  });
  cookies = await admin.context.storageState();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await linux?.stop();
  await cluster?.stop();
  await folder?.remove();
});

const rows = async () => (await api('GET', '/api/v1/dashboard/vms?limit=1000')).items;
const operations = async () => (await api('GET', '/api/v1/operations')).items;
const guestPath = ({ id }) => `/guests/${encodeURIComponent(id)}`;
const dialog = () => page.getByRole('dialog');

/** Opens a thing's page and one of its actions. */
async function act(path, action) {
  await page.goto(path);
  await page.getByRole('button', { name: 'Actions', exact: true }).click();
  await page
    .getByRole('group', { name: /^Actions on/ })
    .getByRole('button', { name: action, exact: true })
    .click();
  await dialog().waitFor();
}

/** Ticks the rows of these names and opens an action on all of them. */
async function actOnAll(path, names, menu, action) {
  await page.goto(path);
  for (const name of names) await page.getByRole('checkbox', { name: `Choose ${name}`, exact: true }).check();
  await page
    .getByRole('group', { name: 'Selection' })
    .getByRole('button', { name: menu, exact: true })
    .click();
  await page
    .getByRole('group', { name: new RegExp(`^${menu}`) })
    .getByRole('button', { name: action, exact: true })
    .click();
}

async function ends(title) {
  const it = await until(`“${title}” to end`, async () =>
    (await operations()).find((each) => each.title === title && /^(done|failed)$/.test(each.state)),
  );
  assert.equal(it.state, 'done', JSON.stringify(it, null, 2));
  return it;
}

test('a guest is migrated to a node that fits, and it is said why others do not', async () => {
  const guest = (await rows()).find(
    ({ kind, status, template }) => kind === 'qemu' && status === 'running' && !template,
  );
  await act(guestPath(guest), 'Migrate');
  const table = dialog().getByRole('table', { name: 'Nodes it may move to' });
  await table.getByRole('row', { name: new RegExp(`^${guest.node}.*it is here`) }).waitFor();
  await assertAccessible(page, 'the nodes that a guest may move to');
  const { targets } = await api('GET', `/api/v1/guests/${encodeURIComponent(guest.id)}/targets`);
  for (const { name, fits, current, objections } of targets) {
    const row = table.getByRole('row', { name: new RegExp(`^${name}`) });
    if (!current) await row.getByText(fits ? 'yes' : 'no', { exact: true }).waitFor();
    for (const { why } of objections) await row.getByText(why).waitFor();
  }
  const best = targets.find(({ fits, current }) => fits && !current);
  assert.ok(best, 'no node fits');
  await table.getByRole('radio', { name: best.name }).check();
  await dialog()
    .getByText(/^POST \/nodes\/.+\/migrate/)
    .waitFor();
  await dialog().getByRole('button', { name: 'Migrate', exact: true }).click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByRole('status').getByText('done', { exact: true }).waitFor();
  await until('the guest to be there', async () => {
    const now = (await rows()).find(({ id }) => id === guest.id);
    return now.node === best.name;
  });
});

test('several guests at once: what would be done, what is so already, what is refused and left out', async () => {
  const all = (await rows()).filter(({ template, kind }) => !template && kind === 'qemu');
  const running = all.filter(({ status }) => status === 'running').slice(0, 2);
  let stopped = all.find(({ status }) => status === 'stopped');
  if (!stopped) {
    stopped = all.find(({ id }) => running.every((each) => each.id !== id));
    await api('POST', '/api/v1/operations', {
      title: 'one off',
      steps: [{ action: { on: 'guest', id: stopped.id, do: 'stop' } }],
    });
    await ends('one off');
  }
  const chosen = [...running, stopped].map(({ name }) => name);
  await actOnAll('/guests', chosen, 'Power', 'Shut down');
  await dialog().getByText('2 would be done · 1 so already · 0 refused').waitFor();
  await assertAccessible(page, 'a dry run of several');
  await dialog().getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('group', { name: 'Selection' }).getByRole('button', { name: 'Power' }).click();
  await page
    .getByRole('group', { name: /^Power/ })
    .getByRole('button', { name: 'Reboot', exact: true })
    .click();
  const reboot = dialog().getByRole('button', { name: 'Reboot', exact: true });
  await dialog().getByText('2 would be done · 0 so already · 1 refused').waitFor();
  assert.equal(await reboot.isDisabled(), true);
  await dialog().getByRole('button', { name: 'Leave out the 1 refused' }).click();
  await dialog().getByText('1 left out.').waitFor();
  await until('the rest may begin', () => reboot.isEnabled());
  await reboot.click();
  await page.waitForURL(/\/operations\/.+/);
  const it = await ends('Reboot 3 guests');
  assert.deepEqual(it.steps.map(({ action }) => action.id).sort(), running.map(({ id }) => id).sort());
});

test('a guest is deleted only after its name was typed', async () => {
  const guest = (await rows()).find(
    ({ status, template, kind }) => status === 'stopped' && !template && kind === 'qemu',
  );
  await act(guestPath(guest), 'Delete');
  await dialog().getByText('Destructive: something is gone for good.').waitFor();
  const button = dialog().getByRole('button', { name: 'Delete', exact: true });
  const name = dialog().getByRole('textbox', { name: `Type ${guest.name} to go on` });
  await name.fill(`${guest.name}x`);
  await assertAccessible(page, 'a deletion');
  assert.equal(await button.isDisabled(), true);
  await name.fill(guest.name);
  await until('it may be deleted', () => button.isEnabled());
  await button.click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByRole('status').getByText('done', { exact: true }).waitFor();
  await until('the guest to be gone', async () => (await rows()).every(({ id }) => id !== guest.id));
});

test('a rule that speaks against it is overridden by an admin only, and said to be so ever after', async (t) => {
  const guest = (await rows()).find(
    ({ kind, status, template }) => kind === 'qemu' && status === 'running' && !template,
  );
  await act(guestPath(guest), 'Protect');
  await dialog().getByLabel('Why').fill('the mail of everyone');
  await dialog().getByRole('button', { name: 'Protect' }).click();
  await dialog().waitFor({ state: 'detached' });

  const olga = await openWindow(browser, server.url);
  t.after(() => olga.context.close());
  await logIn(olga.page, OPERATOR);
  await olga.page.goto(guestPath(guest));
  await olga.page.getByRole('button', { name: 'Power' }).click();
  await olga.page
    .getByRole('group', { name: /^Power/ })
    .getByRole('button', { name: 'Stop' })
    .click();
  await olga.page.getByText('What somebody has protected is left alone.').waitFor();
  await olga.page.getByText('An admin may do it in spite of this rule.').waitFor();
  assert.equal(await olga.page.getByRole('button', { name: 'Stop', exact: true }).isDisabled(), true);

  await page.goto(guestPath(guest));
  await page.getByRole('button', { name: 'Power' }).click();
  await page
    .getByRole('group', { name: /^Power/ })
    .getByRole('button', { name: 'Stop' })
    .click();
  const stop = dialog().getByRole('button', { name: 'Stop', exact: true });
  await dialog()
    .getByText(/protected by admin: the mail of everyone/)
    .waitFor();
  assert.equal(await stop.isDisabled(), true);
  await dialog().getByRole('checkbox', { name: 'Do it in spite of this rule' }).check();
  await dialog().getByText('Somebody had a reason to protect it.').waitFor();
  await until('it may begin', () => stop.isEnabled());
  await assertAccessible(page, 'a rule that is overridden');
  await stop.click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByText('Rules not kept').waitFor();
  await page.getByRole('status').getByText('done', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'In the audit trail' }).click();
  await page
    .getByText(/in spite of protected/)
    .first()
    .waitFor();

  await page.goto('/settings/windows');
  await page.getByRole('button', { name: `Protect ${guest.name} no more` }).click();
  await dialog().getByRole('button', { name: 'Protect no more' }).click();
  await page.getByText('Nothing is protected by hand.').waitFor();
  const thing = encodeURIComponent(`guest:${guest.id}`);
  await page.goto(`/operations?thing=${thing}&state=done`);
  await page.getByRole('link', { name: guest.name, exact: true }).waitFor();
  await page.getByRole('table', { name: 'Over' }).getByRole('link').first().waitFor();
  await assertAccessible(page, 'operations of one guest');
});

test('a window is made, changed and removed', async () => {
  await page.goto('/settings/windows');
  await page.getByRole('button', { name: 'Add a window' }).click();
  await dialog().getByLabel('Name').fill('nights');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().getByText('Say which hosts or which guests it covers.').waitFor();
  await dialog()
    .getByLabel(/^Hosts/)
    .fill('web-1');
  await dialog().getByLabel('Time zone').fill('Europe/Berlin');
  await assertAccessible(page, 'a new window');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().waitFor({ state: 'detached' });
  const table = page.getByRole('table', { name: 'Maintenance windows' });
  await table.getByText('daily 22:00–06:00, Europe/Berlin').waitFor();
  await table.getByRole('cell', { name: 'web-1' }).waitFor();
  await page.getByRole('button', { name: 'Change the window nights' }).click();
  await dialog().getByRole('checkbox', { name: 'Sun' }).uncheck();
  await dialog().getByLabel('Opens at').fill('23:30');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await table.getByText('Mon, Tue, Wed, Thu, Fri, Sat 23:30–06:00, Europe/Berlin').waitFor();
  await page.getByRole('button', { name: 'Remove nights' }).click();
  await dialog().getByRole('button', { name: 'Remove' }).click();
  await page.getByText('There are none: everything may be disturbed at any time.').waitFor();
});

test('the audit trail is asked by person and outcome, and taken along as a file', async () => {
  await page.goto('/settings/audit');
  await page.getByLabel('Who').fill('admin');
  await page.waitForURL(/who=admin/);
  await page.getByText('Window removed').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'As JSON lines' }).click(),
  ]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n').map(JSON.parse);
  assert.ok(lines.length > 5 && lines.every(({ who }) => who === 'admin'), JSON.stringify(lines.slice(0, 3)));
  await page.getByLabel('Outcome').selectOption({ label: 'all others' });
  await page.waitForURL(/outcome=/);
  await page.waitForLoadState('networkidle');
  assert.equal(await page.getByText('Window removed').count(), 0);
});

test('a script is defined, run with values on a host, and what it said is read', async () => {
  await page.goto('/scripts');
  await page.getByRole('button', { name: 'Define a script' }).click();
  await dialog().getByLabel('Name', { exact: true }).fill('greet');
  await dialog().getByLabel('Script', { exact: true }).fill('echo "hello $REANIMATOR_PARAM_WHOM"');
  await dialog().getByRole('button', { name: 'Add a value' }).click();
  await dialog().getByLabel('Name of the value').fill('whom');
  await dialog().getByRole('checkbox', { name: 'It must be given' }).check();
  await assertAccessible(page, 'a new script');
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Run the script greet' }).click();
  const { hosts } = await api('GET', '/api/v1/status');
  const own = hosts.find(({ via }) => via.includes('local')).name;
  await dialog().getByRole('checkbox', { name: own, exact: true }).check();
  const run = dialog().getByRole('button', { name: 'Run', exact: true });
  assert.equal(await run.isDisabled(), true);
  await dialog().getByLabel('whom').fill('$(touch /tmp/never)');
  await until('it may run', () => run.isEnabled());
  await assertAccessible(page, 'a script that is to be run');
  await run.click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByRole('log').getByText('hello $(touch /tmp/never)', { exact: true }).waitFor();
});

test('a node is taken into maintenance and out again, emptied into the nodes that were chosen', async () => {
  const { hosts } = await api('GET', '/api/v1/status');
  const node = hosts.find(({ via, name }) => via.includes('proxmox') && name !== hosts[0].name);
  await act(`/hosts/${node.id}`, 'Begin maintenance');
  await dialog().getByText('Where its guests go').waitFor();
  await dialog().getByRole('checkbox', { name: /^pve/ }).first().check();
  // What does not fit on the one that was chosen is not refused then, but stays.
  await dialog()
    .getByRole('checkbox', { name: /^Go on where guests must stay/ })
    .check();
  const begin = dialog().getByRole('button', { name: 'Begin maintenance', exact: true });
  await until('a plan', () => begin.isEnabled());
  await assertAccessible(page, 'a node before its maintenance');
  await begin.click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByRole('status').getByText('done', { exact: true }).waitFor();
  await page.goto(`/hosts/${node.id}`);
  await page.locator('main header').getByText('maintenance', { exact: true }).waitFor();
  await act(`/hosts/${node.id}`, 'End maintenance');
  const end = dialog().getByRole('button', { name: 'End maintenance', exact: true });
  await until('a plan', () => end.isEnabled());
  await end.click();
  await page.waitForURL(/\/operations\/.+/);
  await page.getByRole('status').getByText('done', { exact: true }).waitFor();
});

test('on a phone, rows are ticked and acted upon too', async (t) => {
  const small = await openWindow(browser, server.url, { width: 360, height: 740, storageState: cookies });
  t.after(() => small.context.close());
  await small.page.goto('/guests');
  await small.page
    .getByRole('checkbox', { name: /^Choose / })
    .nth(1)
    .check();
  await small.page.getByRole('group', { name: 'Selection' }).getByRole('button', { name: 'Actions' }).click();
  await small.page
    .getByRole('group', { name: /^Actions/ })
    .getByRole('button', { name: 'Change tags' })
    .click();
  await small.page
    .getByRole('dialog')
    .getByLabel(/^Tags it gets/)
    .fill('seen');
  await small.page.getByText('Low: it can be taken back.').waitFor();
  await assertNoSideways(small.page, 'an action on a phone');
  await assertAccessible(small.page, 'an action on a phone');
  assert.deepEqual(small.faults, []);
});

test('nothing was refused by policy, and nothing failed unseen', () => assert.deepEqual(faults, []));
