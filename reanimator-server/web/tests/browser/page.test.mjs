/** The page in a real browser against a real server that watches this very machine. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ADMIN,
  VIEWER,
  assertAccessible,
  assertNoSideways,
  closedPort,
  logIn,
  openPage,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

/** A name that would be markup, and a script, in a page that trusted it. Names have no blanks; HTML needs none. */
const HOSTILE = '<img/src=x/onerror=alert(1)>';

let folder;
let server;
let browser;
/** The admin's window, used by one test after the other. */
let admin;
let page;

before(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
  browser = await startBrowser();
  admin = await openWindow(browser, server.url);
  page = admin.page;
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await folder?.remove();
});

const row = (name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
const nothingWrong = () => assert.deepEqual(admin.faults, []);

/** The first host there is: this machine. */
const thisMachine = () =>
  page
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader') })
    .first();

test('the first start makes an account, once', async () => {
  await page.goto(server.setup);
  await page.getByRole('heading', { name: 'Make the first account' }).waitFor();
  await assertAccessible(page, 'the first start');

  await page.getByLabel('User name').fill(ADMIN.name);
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByText('Use 10 characters or more.').waitFor();

  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await page.getByLabel('Password again').fill(`${ADMIN.password}!`);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByText('The two passwords differ.').waitFor();

  await page.getByLabel('Password again').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token left the address');
  await page.getByRole('meter', { name: /^CPU of / }).waitFor();
  await assertAccessible(page, 'the first steps');
  await page.getByRole('button', { name: 'Go to the overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  const late = await openWindow(browser, server.url);
  await late.page.goto(server.setup);
  await late.page.getByText('The first account has been made already').waitFor();
  assert.deepEqual(late.faults, []);
  await late.context.close();
});

test('a wrong password is told, and a right one lets in', async () => {
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await page.getByLabel('User name').fill(ADMIN.name);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
  await assertAccessible(page, 'the log-in');
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  await logIn(page, ADMIN);
  nothingWrong();
});

test('this machine is live, and its figures move without a reload', async () => {
  await page.evaluate(() => (window.notReloaded = true));
  const sums = page.getByRole('region', { name: 'The whole fleet' });
  await sums.getByText('of 1 online').waitFor();
  await assertAccessible(page, 'the overview');
  await openPage(page, 'Hosts');
  const machine = thisMachine();
  await machine.getByText('online', { exact: true }).first().waitFor();
  const observed = () => machine.locator('td.age [title]').getAttribute('title');
  await until('a first observation', async () => (await observed()).startsWith('Observed'));
  const first = await observed();
  await until('a second observation', async () => (await observed()) !== first);
  assert.match(await machine.locator('td.memory').innerText(), /\d+%/);
  assert.match(await machine.locator('td.load').innerText(), /\d\.\d\d/);
  assert.equal(await page.evaluate(() => window.notReloaded), true);
  await assertAccessible(page, 'the hosts');
  nothingWrong();
});

test('a host has a page and an address of its own, and can be tested there', async () => {
  await thisMachine().getByRole('link').click();
  await page.getByRole('heading', { name: 'Identity' }).waitFor();
  assert.match(new URL(page.url()).pathname, /^\/hosts\/.+/);
  await page.reload();
  await page.getByRole('heading', { name: 'Identity' }).waitFor();
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await page.getByText('The connection works.').waitFor();
  await assertAccessible(page, 'a host');
  await page.getByRole('main').getByRole('link', { name: 'Hosts' }).click();
  await page.getByRole('heading', { name: 'Hosts', level: 1 }).waitFor();
  nothingWrong();
});

test('adding a host on a closed port says why not and what to do', async () => {
  const port = await closedPort();
  await page.getByRole('button', { name: 'Add a host' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Add a host' });
  await dialog.getByLabel('Address').fill('127.0.0.1');
  await dialog.getByLabel('Port').fill(String(port));
  await assertAccessible(page, 'adding a host');
  await dialog.getByRole('textbox', { name: 'Password' }).fill('never sent');
  await dialog.getByRole('button', { name: 'Connect and add' }).click();
  const alert = dialog.getByRole('alert');
  await alert.waitFor();
  const text = await alert.innerText();
  assert.match(text, /127\.0\.0\.1/);
  assert.match(text, /What to do:\s*\S+/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  nothingWrong();
});

test('a hostile name is text everywhere', async () => {
  const port = await closedPort();
  const { csrf } = await page.evaluate(() => fetch('/api/v1/me').then((answer) => answer.json()));
  const status = await page.evaluate(
    ([body, token]) =>
      fetch('/api/v1/hosts', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': token },
        body: JSON.stringify(body),
      }).then((answer) => answer.status),
    [
      {
        address: '127.0.0.1',
        port,
        name: HOSTILE,
        auth: { agent: true },
        tags: ['<b>x'],
        unchecked: true,
      },
      csrf,
    ],
  );
  assert.equal(status, 201);
  await page.goto('/hosts');
  await row(HOSTILE).getByRole('link').click();
  await page.getByRole('heading', { name: HOSTILE }).waitFor();
  await page.getByText('<b>x', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog', { name: `Remove ${HOSTILE}?` }).waitFor();
  await assertAccessible(page, 'a question');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.goto('/connections');
  await page.getByRole('link', { name: HOSTILE }).waitFor();
  assert.equal(await page.locator('img').count(), 0);
  nothingWrong();
});

test('a host that does not answer is told with its problem, and the others stay fresh', async () => {
  await page.goto('/hosts');
  await row(HOSTILE).getByText('offline', { exact: true }).first().waitFor();
  await row(HOSTILE).getByText('has a problem').waitFor();
  await page.getByRole('searchbox', { name: 'Filter hosts' }).fill('offline');
  await page.getByText(/^1 of \d+ hosts$/).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'offline');
  await page.reload();
  await page.getByText(/^1 of \d+ hosts$/).waitFor();
  await page.getByRole('searchbox', { name: 'Filter hosts' }).fill('');
  await page.getByRole('searchbox', { name: 'Filter hosts' }).press('Tab');
  nothingWrong();
});

test('columns are chosen, sorted by, and stay in this browser', async () => {
  await page.getByRole('button', { name: 'Columns' }).click();
  for (const name of ['CPU, 1 h', 'Updates', 'Load', 'Warmest', 'Guests', 'Cores', 'Version']) {
    await page.getByRole('checkbox', { name, exact: true }).uncheck();
  }
  await page.getByRole('checkbox', { name: 'Kernel' }).check();
  await assertAccessible(page, 'the choice of columns');
  await page.keyboard.press('Escape');
  await page.getByRole('columnheader', { name: 'Kernel' }).waitFor();
  await page.getByRole('button', { name: 'State' }).click();
  await page.locator('th[aria-sort=ascending]', { hasText: 'State' }).waitFor();
  await thisMachine().getByRole('link', { name: HOSTILE }).waitFor();
  await page.reload();
  await page.getByRole('columnheader', { name: 'Kernel' }).waitFor();
  assert.equal(await page.getByRole('columnheader', { name: 'Load' }).count(), 0);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('button', { name: 'As at first' }).click();
  await page.getByRole('columnheader', { name: 'Load' }).waitFor();
  await page.getByRole('button', { name: 'Name' }).click();
  nothingWrong();
});

test('one command runs on chosen hosts, and answers come back grouped', async () => {
  await page.goto('/hosts');
  await page.getByRole('checkbox', { name: 'Choose all shown hosts' }).check();
  await page.getByRole('button', { name: /Run a command on \d/ }).click();
  await page.getByRole('textbox', { name: 'Command' }).fill('echo "it works"; echo "<b>bad</b>" >&2');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  // The command itself stands there too, among the last ones.
  await page.getByText('it works', { exact: true }).waitFor();
  await page.getByText('<b>bad</b>', { exact: true }).waitFor();
  await page.getByText(/^Done: 2 of 2 finished, 1 failed$/).waitFor();
  await page.getByText(/^no answer/).waitFor();
  await assertAccessible(page, 'answers');
  nothingWrong();
});

test('a viewer sees everything and no control that is not theirs', async (t) => {
  await page.goto('/settings/people');
  await page.getByRole('button', { name: 'Add a person' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a person' });
  await dialog.getByLabel('User name').fill(VIEWER.name);
  await dialog.getByLabel('Password').fill(VIEWER.password);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByLabel(`Role of ${VIEWER.name}`).waitFor();

  const viewer = await openWindow(browser, server.url);
  t.after(() => viewer.context.close());
  const seen = viewer.page;
  await logIn(seen, VIEWER);
  await seen.goto('/hosts');
  await seen.getByRole('link', { name: HOSTILE }).waitFor();
  const controls = () =>
    seen.getByRole('button', {
      name: /Add|Connect|Remove|Run|Look now|Test|maintenance|password|Make|machine/,
    });
  assert.equal(await controls().count(), 0, 'the hosts');
  assert.equal(await seen.getByRole('checkbox').count(), 0);
  assert.equal(await seen.getByRole('link', { name: 'Run' }).count(), 0);
  await seen.getByRole('link', { name: HOSTILE }).click();
  await seen.getByRole('heading', { name: HOSTILE }).waitFor();
  assert.equal(await controls().count(), 0, 'a host');
  for (const path of ['/connections?add=host', '/settings']) {
    await seen.goto(path);
    await seen.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await controls().count(), 0, path);
    assert.equal(await seen.getByRole('dialog').count(), 0, path);
  }
  await seen.goto('/settings/people');
  await seen.getByText('This section is for admins').waitFor();
  for (const path of ['/run', '/start']) {
    await seen.goto(path);
    await seen.getByRole('heading', { name: 'Not found' }).waitFor();
  }
  assert.deepEqual(viewer.faults, []);
});

test('a token is shown once and can be taken back', async () => {
  await page.goto('/settings/tokens');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make a token' });
  await dialog.getByLabel('Name').fill('graphs');
  await dialog.getByRole('button', { name: 'Make it' }).click();
  const token = await page.getByLabel('Token graphs').inputValue();
  const answer = await fetch(`${server.url}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  assert.deepEqual([answer.status, (await answer.json()).role], [200, 'viewer']);
  await assertAccessible(page, 'the settings');
  await page.reload();
  await page.getByText('graphs', { exact: true }).waitFor();
  assert.equal(await page.getByText('rnm_').count(), 0);
  await page
    .getByRole('listitem')
    .filter({ hasText: 'graphs' })
    .getByRole('button', { name: 'Remove' })
    .click();
  await page.getByRole('button', { name: 'Remove the token' }).click();
  await page.getByText('graphs', { exact: true }).waitFor({ state: 'detached' });
  const refused = await fetch(`${server.url}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(refused.status, 401);
  nothingWrong();
});

test('every page fits a phone and is accessible there, light and dark', async (t) => {
  const state = await admin.context.storageState();
  for (const colorScheme of ['light', 'dark']) {
    const phone = await openWindow(browser, server.url, {
      width: 360,
      height: 740,
      colorScheme,
      storageState: state,
      hasTouch: true,
    });
    t.after(() => phone.context.close());
    for (const [path, heading] of [
      ['/', 'Overview'],
      ['/hosts', 'Hosts'],
      ['/guests', 'Guests'],
      ['/storage', 'Storage'],
      ['/network', 'Network'],
      ['/connections', 'Connections'],
      ['/connections?add=host', 'Connections'],
      ['/connections?add=proxmox', 'Connections'],
      ['/run', 'Run a command'],
      ['/settings', 'Settings'],
      ['/settings/language', 'Language and colours'],
      ['/settings/people', 'People'],
      ['/settings/tokens', 'Tokens'],
      ['/settings/credentials', 'Credentials'],
      ['/settings/groups', 'Groups and tags'],
      ['/settings/history', 'History'],
      ['/settings/backup', 'Backup'],
      ['/settings/audit', 'Audit trail'],
      ['/start', 'First steps'],
      ['/nowhere', 'Not found'],
    ]) {
      await phone.page.goto(path);
      // A dialog hides what lies under it from the accessibility tree.
      await phone.page.getByRole('heading', { name: heading, level: 1, includeHidden: true }).waitFor();
      await phone.page.getByText('Live', { exact: true }).waitFor();
      await assertNoSideways(phone.page, path);
      await assertAccessible(phone.page, `${path} on a ${colorScheme} phone`);
    }
    await phone.page.goto('/hosts');
    await phone.page.getByRole('link', { name: HOSTILE }).click();
    await phone.page.getByRole('heading', { name: HOSTILE }).waitFor();
    await assertNoSideways(phone.page, 'a host');
    await assertAccessible(phone.page, `a host on a ${colorScheme} phone`);
    assert.deepEqual(phone.faults, []);
  }
});

test('the theme is chosen and stays', async () => {
  await page.goto('/settings');
  await page.getByRole('radio', { name: 'Dark' }).check();
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await page.reload();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  assert.equal(await ground(), dark);
  await page.getByRole('radio', { name: 'Light' }).check();
  assert.notEqual(await ground(), dark);
  await page.getByRole('radio', { name: 'As the system' }).check();
  nothingWrong();
});

test('the keyboard alone reaches a host and comes back', async () => {
  await page.goto('/hosts');
  const link = thisMachine().getByRole('link');
  await link.waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await link.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Identity' }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.tagName);
  await until('the focus on the heading', async () => (await focused()) === 'H1');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Hosts', level: 1 }).waitFor();
  await until('the focus on the heading', async () => (await focused()) === 'H1');
  nothingWrong();
});

test('a lost connection is told, figures count as old, and it heals by itself', async () => {
  await page.goto('/hosts');
  await page.getByText('Live', { exact: true }).waitFor();
  await thisMachine().waitFor();
  await page.evaluate(() => (window.notReloaded = true));
  const { port } = new URL(server.url);
  await server.stop('SIGKILL');
  await page.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await page.locator('tr.old').first().waitFor();
  assert.equal(await page.locator('tbody tr[aria-rowindex]:not(.old)').count(), 0);
  await assertAccessible(page, 'a lost connection');
  server = await startServer(folder.path, Number(port));
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('tbody tr[aria-rowindex]:not(.old)').first().waitFor();
  assert.equal(await page.evaluate(() => window.notReloaded), true);
  nothingWrong();
});

test('the first load is small', async (t) => {
  const fresh = await openWindow(browser, server.url);
  t.after(() => fresh.context.close());
  const session = await fresh.context.newCDPSession(fresh.page);
  await session.send('Network.enable');
  const code = new Set();
  let bytes = 0;
  session.on('Network.responseReceived', ({ requestId, type }) => {
    if (type === 'Script' || type === 'Stylesheet') code.add(requestId);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (code.has(requestId)) bytes += encodedDataLength;
  });
  await logIn(fresh.page, ADMIN);
  assert.ok(bytes > 10_000, `the count of ${bytes} bytes cannot be right`);
  assert.ok(bytes < 200 * 1024, `the script and style of a first load took ${bytes} bytes`);
  t.diagnostic(`first load with log-in and overview: ${Math.round(bytes / 1024)} KiB on the wire`);
});
