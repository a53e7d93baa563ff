/** The page by keys alone, the palette, the three languages, and the page as an app of its own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ADMIN,
  VIEWER,
  assertAccessible,
  assertNoSideways,
  firstStart,
  logIn,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
} from './harness.mjs';

let folder;
let server;
let browser;
let page;
let faults;
let context;

before(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults, context } = await openWindow(browser, server.url));
  await firstStart(page, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await folder?.remove();
});

const palette = () => page.getByRole('dialog', { name: 'Find or do something' });
const heading = (name) => page.getByRole('heading', { name, level: 1 });
const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

/** Presses Tab until what has the focus is called so. */
async function tabTo(name, most = 60) {
  for (let press = 0; press < most; press += 1) {
    await page.keyboard.press('Tab');
    if ((await focused()) === name) return;
  }
  assert.fail(`${name} cannot be reached with Tab`);
}

test('letters go to pages and announce them, a slash looks for something, a question mark tells the keys', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await heading('Hosts').waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === 'Hosts');
  await page.keyboard.press('/');
  await page.keyboard.type('gv?');
  assert.equal(await page.getByRole('searchbox', { name: 'Filter hosts' }).inputValue(), 'gv?');
  assert.match(page.url(), /\/hosts\?filter=gv%3F$/, 'letters in a field stay letters');
  await page.keyboard.press('Escape');
  await heading('Hosts').focus();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await help.getByText('Guests').waitFor();
  await assertAccessible(page, 'the list of keys');
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  assert.match(page.url(), /\/hosts/, 'a dialog has keys of its own');
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
});

test('the palette finds hosts, pages and things to do, and gives the focus back', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await heading('Overview').waitFor();
  await page.getByRole('button', { name: 'Add a host' }).focus();
  await page.keyboard.press('Control+k');
  await palette().waitFor();
  await assertAccessible(page, 'the palette');
  await page.keyboard.press('Escape');
  await palette().waitFor({ state: 'detached' });
  assert.equal(await focused(), 'Add a host');

  const [host] = await page.evaluate(async () => (await fetch('/api/v1/status').then((a) => a.json())).hosts);
  await page.keyboard.press('Control+k');
  await page.keyboard.type(host.name);
  await palette().getByRole('option', { name: host.name, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await heading(host.name).waitFor();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('colours dark');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('nothing is called that');
  await palette().getByText('Nothing is called that.').waitFor();
  await page.keyboard.press('Escape');
  assert.deepEqual(faults, []);
});

test('with the keyboard alone: out by the menu of the person, and in again', async () => {
  await page.goto('/');
  await heading('Overview').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  await tabTo('Account admin admin');
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'Account' }).waitFor();
  await assertAccessible(page, 'the menu of the person');
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'Account admin admin');
  await page.keyboard.press('Enter');
  await tabTo('Log out');
  await page.keyboard.press('Enter');
  await heading('Log in').waitFor();
  await page.getByLabel('User name').focus();
  await page.keyboard.type(ADMIN.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(ADMIN.password);
  await page.keyboard.press('Enter');
  await heading('Overview').waitFor();
  assert.deepEqual(faults, []);
});

test('the page speaks three languages, loads the words of one, and keeps the choice', async () => {
  const catalogues = new Set();
  page.on('response', (response) => {
    const name = /\/assets\/(en|de|it)-/.exec(response.url())?.[1];
    if (name) catalogues.add(name);
  });
  for (const [own, title, menu] of [
    ['Deutsch', 'Übersicht', 'Hosts'],
    ['Italiano', 'Panoramica', 'Rete'],
  ]) {
    await page.locator('header button[aria-expanded]').click();
    await page.getByRole('radio', { name: own }).check();
    await heading(title).waitFor();
    await page.keyboard.press('Escape');
    catalogues.clear();
    await page.reload();
    await heading(title).waitFor();
    assert.equal(catalogues.size, 1);
    await page.getByRole('navigation').getByRole('link', { name: menu, exact: true }).first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), own.slice(0, 2).toLowerCase());
    await assertAccessible(page, `the overview in ${own}`);
    await page.setViewportSize({ width: 360, height: 740 });
    await assertNoSideways(page, `the overview in ${own}`);
    await page.setViewportSize({ width: 1280, height: 900 });
  }
  await page.locator('header button[aria-expanded]').click();
  await page.getByRole('radio', { name: 'English' }).check();
  await heading('Overview').waitFor();
  await page.keyboard.press('Escape');
  assert.deepEqual(faults, []);
});

test('a viewer is offered nothing that a viewer may not do', async () => {
  const status = await page.evaluate(async (viewer) => {
    const { csrf } = await fetch('/api/v1/me').then((answer) => answer.json());
    const answer = await fetch('/api/v1/users', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
      body: JSON.stringify({ ...viewer, role: 'viewer' }),
    });
    return answer.status;
  }, VIEWER);
  assert.equal(status, 201);
  const other = await openWindow(browser, server.url);
  await logIn(other.page, VIEWER);
  await other.page.keyboard.press('Control+k');
  const options = other.page.getByRole('option');
  await options.first().waitFor();
  const said = (await options.allTextContents()).join('\n');
  assert.match(said, /Overview/);
  assert.doesNotMatch(said, /Add a host|Connect Proxmox|Import|\bRun\b|People|Tokens/);
  await other.page.keyboard.press('Escape');
  assert.equal(await other.page.getByRole('button', { name: /Add a host|Connect Proxmox/ }).count(), 0);
  await other.page.keyboard.press('g');
  await other.page.keyboard.press('r');
  await other.page.waitForTimeout(300);
  assert.equal(new URL(other.page.url()).pathname, '/', 'g r goes nowhere for a viewer');
  assert.deepEqual(other.faults, []);
  await other.context.close();
});

test('the page can be installed as an app', async () => {
  const devtools = await context.newCDPSession(page);
  const manifest = await devtools.send('Page.getAppManifest');
  assert.deepEqual(manifest.errors, []);
  assert.equal(new URL(manifest.url).pathname, '/manifest.webmanifest');
  const answer = await page.request.get('/manifest.webmanifest');
  assert.equal(answer.headers()['content-type'], 'application/manifest+json');
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // A window of a test keeps nothing, and is not one to install in.
  assert.deepEqual(
    installabilityErrors.map(({ errorId }) => errorId).filter((error) => error !== 'in-incognito'),
    [],
  );
});
