/** The page's tables and its picture with a fleet that no test machine could hold; its server is a look-alike. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertAccessible, assertNoSideways, openWindow, startBrowser, until } from './harness.mjs';
import { Fleet, serveFleet } from './large-fleet.mjs';

const dist = resolve(dirname(fileURLToPath(import.meta.url)), '../../dist');

let server;
let browser;
let window;
let page;

before(async () => {
  server = await serveFleet(new Fleet({ hosts: 60, guests: 1000, nodesPerCluster: 10 }), dist);
  browser = await startBrowser();
  window = await openWindow(browser, server.url);
  page = window.page;
});

after(async () => {
  await browser?.close();
  server?.stop();
});

const nothingWrong = () => assert.deepEqual(window.faults, []);
const drawn = () => page.locator('tbody tr[aria-rowindex]');
const focused = () => page.evaluate(() => document.activeElement.textContent);
const scrollTo = async (y) => {
  await page.evaluate((top) => scrollTo(0, top), y);
  await page.evaluate(() => new Promise(requestAnimationFrame));
};

/** Whether drawn rows stand in the document as they do on the screen, each where its number says. */
const inPlace = () =>
  page.evaluate(() => {
    const body = document.querySelector('tbody').getBoundingClientRect().top;
    const rows = [...document.querySelectorAll('tbody tr[aria-rowindex]')];
    const numbers = rows.map((row) => Number(row.getAttribute('aria-rowindex')));
    return rows.every((row, index) => {
      const top = row.getBoundingClientRect().top - body;
      return (
        Math.abs(top - (numbers[index] - 2) * 48) < 1 && (index === 0 || numbers[index] > numbers[index - 1])
      );
    });
  });

test('wherever one scrolls, as many rows are in the document, in their order and place', async () => {
  await page.goto('/guests');
  await page.getByText('1,000 guests', { exact: true }).waitFor();
  await drawn().first().waitFor();
  const count = await drawn().count();
  assert.ok(count < 40, `${count} rows are drawn`);
  for (const y of [100, 3000, 40_000, 39_000, 200, 0]) {
    await scrollTo(y);
    assert.equal(await drawn().count(), count);
    assert.ok(await inPlace(), `rows at ${y}`);
  }
  nothingWrong();
});

test('the row that has the focus keeps it while the page is scrolled away and back, and Tab goes on from it', async () => {
  const link = drawn().nth(3).getByRole('link').first();
  const name = await link.textContent();
  await link.focus();
  for (const y of [30_000, 0]) {
    await scrollTo(y);
    assert.equal(await focused(), name);
    assert.ok(await inPlace());
  }
  for (let presses = 0; presses < 30; presses += 1) await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement.closest('tbody tr') !== null));
  assert.ok(await inPlace());
  nothingWrong();
});

test('hosts are grouped; a group is folded by keyboard and says how its hosts are', async () => {
  await page.goto('/hosts');
  await page.getByRole('combobox', { name: 'Group by' }).selectOption('By cluster');
  assert.equal(new URL(page.url()).searchParams.get('by'), 'cluster');
  const heading = page.getByRole('button', { name: /^cluster1 \d+ of 10 online/ });
  await heading.focus();
  assert.equal(await heading.getAttribute('aria-expanded'), 'true');
  await page.keyboard.press('Enter');
  assert.equal(await heading.getAttribute('aria-expanded'), 'false');
  await page.getByRole('link', { name: 'pve1', exact: true }).waitFor({ state: 'detached' });
  await assertAccessible(page, 'grouped hosts');
  await page.keyboard.press('Space');
  await page.getByRole('link', { name: 'pve1', exact: true }).waitFor();
  nothingWrong();
});

test('a range is ticked with the shift key, and labels are given to all of it', async () => {
  const box = (name) => page.getByRole('checkbox', { name: `Choose ${name}`, exact: true });
  await box('pve2').click();
  await box('pve5').click({ modifiers: ['Shift'] });
  const bar = page.getByRole('group', { name: 'Selection' });
  await bar.getByText('4 selected').waitFor();
  await bar.getByRole('button', { name: 'Labels…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Labels of 4 hosts' });
  await dialog.getByLabel('New tags').fill('fresh');
  await assertAccessible(page, 'the dialog of labels');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('searchbox', { name: 'Filter hosts' }).fill('fresh');
  await page.getByText('4 of 60 hosts').waitFor();
  await bar.getByRole('button', { name: 'Clear' }).click();
  await bar.waitFor({ state: 'detached' });
  nothingWrong();
});

test('the rows in sight have the line of their last hour, in words too', async () => {
  await page.goto('/guests');
  const line = page.getByRole('img', {
    name: /^CPU of \S+ over the last hour: least \S+, average \S+, most \S+$/,
  });
  await line.first().waitFor();
  assert.ok((await line.first().locator('path').getAttribute('d')).startsWith('M'));
  nothingWrong();
});

test('the picture of fifty hosts tells guests by number where they are many, and finds each of them', async () => {
  await page.goto('/network');
  await page.getByRole('link', { name: 'Topology' }).click();
  const picture = page.getByRole('group', { name: 'Hosts, their bridges and the guests on them' });
  await picture.getByRole('button', { name: /^cluster1 10 hosts, / }).waitFor();
  await picture
    .getByText(/^\d+ running$/)
    .first()
    .waitFor();
  await assertAccessible(page, 'the topology');
  await page.getByRole('searchbox', { name: 'Find in the picture' }).fill('100');
  await page.getByText(/^\d+ match(es)?$/).waitFor();
  await page.getByRole('searchbox', { name: 'Find in the picture' }).press('Enter');
  await until('the focus on what was found', () =>
    page.evaluate(() => document.activeElement.closest('.hit') !== null),
  );
  await picture.focus();
  await page.keyboard.press('-');
  await page.getByText('90%', { exact: true }).waitFor();
  await picture
    .getByRole('button', { name: /^vmbr1 · VLAN 20 · 10 hosts$/ })
    .first()
    .click();
  assert.equal(await picture.locator('.bridge.shown').count(), 10);
  nothingWrong();
});

test('tables and picture fit a phone', async (t) => {
  for (const colorScheme of ['light', 'dark']) {
    const phone = await openWindow(browser, server.url, {
      width: 360,
      height: 740,
      colorScheme,
      hasTouch: true,
    });
    t.after(() => phone.context.close());
    for (const path of ['/hosts?by=tag', '/guests?by=status', '/network?view=topology']) {
      await phone.page.goto(path);
      await phone.page.locator('main tbody tr[aria-rowindex], main .picture').first().waitFor();
      await assertNoSideways(phone.page, path);
      await assertAccessible(phone.page, `${path} on a ${colorScheme} phone`);
    }
    assert.deepEqual(phone.faults, []);
  }
});
