/** The settings: what is kept and how long, a backup and its restoring, the audit trail. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  ADMIN,
  assertAccessible,
  firstStart,
  logIn,
  openPage,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

const PASSPHRASE = 'a passphrase of words';

let folder;
let server;
let browser;
let page;
let faults;

before(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
  await firstStart(page, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await folder?.remove();
});

const section = async (name) => {
  await openPage(page, 'Settings');
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
};
const focusedField = () => page.evaluate(() => document.activeElement?.getAttribute('name'));

test('a section has an address, and its heading takes the focus', async () => {
  await section('People');
  assert.equal(new URL(page.url()).pathname, '/settings/people');
  await until('the focus on the heading', () =>
    page.evaluate(() => document.activeElement?.textContent === 'People'),
  );
  await page
    .getByRole('table')
    .getByRole('row', { name: /^Run commands on hosts/ })
    .waitFor();
});

test('history is kept as long as an admin says, and what cannot be is told at its field', async () => {
  await section('History');
  await page.getByLabel('Every figure, in hours').fill('200');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('At least as long as “Every figure”.').waitFor();
  assert.equal(await focusedField(), 'minutes_days');
  await assertAccessible(page, 'a wrong retention');
  await page.getByLabel('Every figure, in hours').fill('48');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await page.getByLabel('Events, in days').fill('30');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep less' }).click();
  await page.getByText('Saved.').waitFor();
  await page.reload();
  assert.equal(await page.getByLabel('Every figure, in hours').inputValue(), '48');
  assert.equal(await page.getByLabel('Events, in days').inputValue(), '30');
});

test('terminals stay as long as an admin says, and what cannot be is told at its field', async () => {
  await section('Terminals');
  await page.getByLabel('While nobody looks, in minutes').fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('From 1 to 1,440 minutes.').waitFor();
  assert.equal(await focusedField(), 'unseen_minutes');
  await assertAccessible(page, 'a wrong time for terminals');
  await page.getByLabel('While nobody looks, in minutes').fill('30');
  await page.getByLabel('Record what is shown').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await page.reload();
  assert.equal(await page.getByLabel('While nobody looks, in minutes').inputValue(), '30');
  assert.equal(await page.getByLabel('While nobody types, in hours').inputValue(), '8');
  assert.equal(await page.getByLabel('Record what is shown').isChecked(), true);
  // Who opens a terminal sees what the settings say.
  await openPage(page, 'Terminals');
  await until('the box of recordings', () => page.getByLabel('Record what is shown').isChecked());
});

test('a backup is made, looked into, and put back after a typed word', async () => {
  await section('Backup');
  await page.getByRole('button', { name: 'Download the backup' }).click();
  await page.getByText('Use 12 characters or more.').waitFor();
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  await page.getByLabel('Passphrase again').fill(PASSPHRASE);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download the backup' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^reanimator-.*\.age$/);
  const file = join(folder.path, 'backup.age');
  await download.saveAs(file);

  await page.getByLabel('Choose a file').setInputFiles(file);
  await page.getByLabel('Its passphrase').fill('not the passphrase');
  await page.getByRole('button', { name: 'Look what is in it' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Its passphrase').fill(PASSPHRASE);
  await page.getByRole('button', { name: 'Look what is in it' }).click();
  const dialog = page.getByRole('dialog', { name: 'This is in the backup' });
  await assertAccessible(page, 'what is in a backup');
  const restore = dialog.getByRole('button', { name: 'Replace everything' });
  assert.equal(await restore.isDisabled(), true);
  await dialog.getByRole('textbox').fill('restore');
  await restore.click();
  await page.getByText(/^The backup of .* is in place/).waitFor();
  await assertAccessible(page, 'the log-in after a restore');
  await logIn(page, ADMIN);
  assert.deepEqual(faults, []);
});

test('the audit trail says who did it, can be filtered, and taken along', async () => {
  await section('Audit trail');
  await page.getByRole('searchbox', { name: 'Filter the audit trail' }).fill('backup restore');
  await page.getByText('Backup restored').waitFor();
  assert.equal(await page.getByText('Log-in', { exact: true }).count(), 0);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'As CSV' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^reanimator-audit-.*\.csv$/);
  await assertAccessible(page, 'the audit trail');
});

test('every section is there in three languages', async () => {
  await section('Language and colours');
  for (const [language, heading] of [
    ['Deutsch', 'Sprache und Farben'],
    ['Italiano', 'Lingua e colori'],
    ['English', 'Language and colours'],
  ]) {
    await page.getByRole('radio', { name: language }).check();
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await assertAccessible(page, `the settings in ${language}`);
  }
  assert.deepEqual(faults, []);
});
