/** Alerts by way of the page: raised while somebody looks, acknowledged, over; rules tried, added, changed and removed. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asking } from './fleet.mjs';
import {
  VIEWER,
  assertAccessible,
  assertNoSideways,
  firstStart,
  logIn,
  openPage,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

const PICTURES = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../target/screenshots');

const LOOKS = {
  light: { width: 1280, height: 900, colorScheme: 'light' },
  dark: { width: 1280, height: 900, colorScheme: 'dark' },
  phone: { width: 360, height: 740, colorScheme: 'light', isMobile: true, hasTouch: true },
};

let folder;
let server;
let browser;
let admin;
let api;
let host;

before(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
  browser = await startBrowser();
  admin = await openWindow(browser, server.url);
  await firstStart(admin.page, server);
  api = asking(admin.page);
  await api('POST', '/api/v1/users', { name: VIEWER.name, password: VIEWER.password, role: 'viewer' });
  [host] = (await api('GET', '/api/v1/status')).hosts;
  await mkdir(PICTURES, { recursive: true });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await folder?.remove();
});

const rule = (name, level, metric) => ({
  name,
  level,
  hosts: 'all',
  condition: { kind: 'threshold', metric, enter: 0, leave: -1 },
});

test('an alert is seen as it is raised, and acknowledged with a comment', async () => {
  const { page, faults } = admin;
  await openPage(page, 'Alerts');
  await api('POST', '/api/v1/alert-rules', rule('load', 'critical', 'load1'));
  await api('POST', '/api/v1/alert-rules', rule('memory-seen', 'notice', 'memory_percent'));
  const menu = page.getByRole('navigation', { name: 'Pages' });
  await menu.getByText('2 going on').waitFor({ state: 'attached' });
  const item = page.getByRole('listitem').filter({ hasText: 'rule load' });
  await item.getByText(/^\s*.*Load over 1 min is .+, the limit is 0/).waitFor();
  await page.getByPlaceholder('Name, rule, words').fill('memory');
  await item.waitFor({ state: 'detached' });
  await page.getByPlaceholder('Name, rule, words').fill('');
  await item.getByRole('button', { name: `Acknowledge the alert of ${host.name}` }).click();
  const dialog = page.getByRole('dialog');
  await assertAccessible(page, 'acknowledging an alert');
  await dialog.getByLabel('Comment').fill('a test makes load');
  await dialog.getByRole('button', { name: 'Acknowledge', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'acknowledged' }).waitFor();
  await page.getByText('admin knows since').waitFor();
  await page.getByText(': a test makes load').waitFor();
  await item.getByRole('link', { name: host.name }).click();
  await page.getByRole('heading', { name: host.name, level: 1 }).waitFor();
  await page.getByRole('heading', { name: 'Alerts' }).waitFor();
  assert.deepEqual(faults, []);
});

test('who may only look sees the alerts and cannot acknowledge them', async () => {
  const { context, page, faults } = await openWindow(browser, server.url);
  await logIn(page, VIEWER);
  await openPage(page, 'Alerts');
  await page.getByText('a test makes load').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Acknowledge/ }).count(), 0);
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('cell', { name: 'disk-filling' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Add a rule' }).count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a rule is tried, added, changed and removed; what it raised is over then', async () => {
  const { page, faults } = admin;
  await openPage(page, 'Alerts');
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('busy');
  await dialog.getByLabel('Raised at').fill('95');
  await dialog.getByLabel('Over at').fill('99');
  await dialog.getByRole('button', { name: 'Try it' }).click();
  await dialog.getByText('which is further on').waitFor();
  await dialog.getByLabel('Over at').fill('80');
  // A share of the processor's time takes two looks at the host: until then there is no past to try it on.
  await until('a rule is tried on the past', async () => {
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await dialog.getByText(/It looks at 1 thing\./).waitFor();
    return dialog.getByText(/Over the last week it would have rung 0 times for 1 thing\./).isVisible();
  });
  await assertAccessible(page, 'the form of a rule');
  await page.screenshot({ path: join(PICTURES, 'alerts-form.png') });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'CPU from 95% on, until 80%, for 10 minutes' }).waitFor();
  await page.getByRole('button', { name: 'Change the rule busy' }).click();
  await dialog.getByLabel('What for').selectOption({ label: 'Needs attention' });
  await dialog.getByLabel('failed units').check();
  await page.screenshot({ path: join(PICTURES, 'alerts-form-kinds.png') });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('cell', { name: 'failed units, for 10 minutes' }).waitFor();
  await page.getByRole('button', { name: 'Remove load' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Over', exact: true }).click();
  await page.getByText('the rule was removed or switched off').waitFor();
  assert.deepEqual(faults, []);
});

for (const [look, options] of Object.entries(LOOKS)) {
  test(`alerts can be seen and used: ${look}`, async () => {
    const { context, page, faults } = await openWindow(browser, server.url, {
      ...options,
      storageState: await admin.context.storageState(),
    });
    for (const address of ['/alerts', '/alerts/over', '/alerts/rules', `/hosts/${host.id}`]) {
      await page.goto(address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      await assertAccessible(page, `${address}, ${look}`);
      await assertNoSideways(page, `${address}, ${look}`);
      const name = address.startsWith('/hosts') ? 'alerts-host' : address.slice(1).replace('/', '-');
      await page.screenshot({ path: join(PICTURES, `${name}-${look}.png`) });
    }
    assert.deepEqual(faults, []);
    await context.close();
  });
}
