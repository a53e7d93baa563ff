/** A newcomer's way from nothing to a live view of this machine, a host over SSH and a cluster. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ADMIN,
  assertAccessible,
  assertNoSideways,
  besideProgram,
  closedPort,
  openWindow,
  startBrowser,
  startProgram,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';
import { startSshd } from './sshd.mjs';

/** So long may it take at most. */
const TWO_MINUTES = 120_000;

const OTHER_KEY = 'SHA256:DyPJ7n4V1bi3zDiKCC33X5FtXaFnIGinP+LA2lh9lBg';

let folder;
let sshd;
let cluster;
let server;
let browser;
let page;
let faults;
let began;

before(async () => {
  folder = await temporaryFolder();
  sshd = await startSshd();
  cluster = await startProgram(
    besideProgram('pve-sim'),
    ['--listen', '127.0.0.1:0', '--clusters', '1', '--nodes', '3', '--guests', '6', '--seed', '7'],
    (line) => JSON.parse(line),
  );
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url));
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.stop();
  await sshd?.stop();
  await folder?.remove();
});

const dialog = () => page.getByRole('dialog');
const gone = () => dialog().waitFor({ state: 'detached' });
const step = (name) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });
const focused = () => page.evaluate(() => document.activeElement?.id);

test('the first account leads to the first steps, and this machine is live there', async () => {
  began = Date.now();
  await page.goto(server.setup);
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await page.getByLabel('Password again').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/start');
  const machine = step('This machine is watched');
  await machine.getByRole('meter', { name: /^CPU of / }).waitFor();
  await machine.getByRole('meter', { name: /^Memory of / }).waitFor();
  await assertAccessible(page, 'the first steps');
  assert.deepEqual(faults, []);
});

test('a host that cannot be reached is told where its address stands', async () => {
  await step('Add a Linux host').getByRole('button', { name: 'Add a host' }).click();
  await dialog()
    .getByLabel('Address')
    .fill(`ssh -p ${await closedPort()} ${sshd.user}@127.0.0.1`);
  await dialog().getByRole('radio', { name: 'Key', exact: true }).check();
  await dialog().getByLabel('Private key').fill(sshd.key);
  assert.equal(await dialog().getByLabel('Address').inputValue(), '127.0.0.1');
  await dialog().getByRole('button', { name: 'Connect and add' }).click();
  await dialog().getByRole('alert').filter({ hasText: 'Check the address and the port' }).waitFor();
  await assertAccessible(page, 'a host that cannot be reached');
});

test('another key than the machine has is not trusted, and its own is', async () => {
  await dialog().getByLabel('Port').fill(String(sshd.port));
  await dialog().getByRole('button', { name: 'Connect and add' }).click();
  await dialog().getByText(sshd.fingerprint).waitFor();
  const trust = dialog().getByRole('button', { name: 'Trust this key and add' });
  await dialog().getByLabel('What the machine shows').fill(`256 ${OTHER_KEY} root@elsewhere (ED25519)`);
  await dialog()
    .getByText(/Different: this is not/)
    .waitFor();
  assert.equal(await trust.isDisabled(), true);
  await assertAccessible(page, 'another key');
  await dialog().getByLabel('What the machine shows').fill(`256 ${sshd.fingerprint} root@here (ED25519)`);
  await dialog()
    .getByText(/Equal: this is the machine/)
    .waitFor();
  assert.equal(await trust.isEnabled(), true);
  // This very machine answers there: it is in the fleet already, and that is told.
  await trust.click();
  await dialog().getByRole('alert').filter({ hasText: 'in the fleet already' }).waitFor();
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await gone();
  await step('Add a Linux host').getByRole('button', { name: 'Skip: Add a Linux host' }).click();
  await until('the focus on the next step', async () => (await focused()) === 'step-proxmox');
  await step('Add a Linux host').getByText('skipped').waitFor();
});

test('a cluster is shown before it is stored, and then lives in the steps', async () => {
  const { url, token, nodes } = cluster.value;
  await step('Connect Proxmox').getByRole('button', { name: 'Connect Proxmox', exact: true }).click();
  await dialog().getByLabel('Address of one node').fill(url);
  await dialog().getByLabel('Token id').fill(token);
  await dialog().getByLabel('Token id').blur();
  await dialog().getByRole('button', { name: 'Look what is there' }).click();
  await dialog().getByRole('button', { name: 'Trust this certificate' }).click();
  await dialog().getByText('Nothing is stored yet.').waitFor();
  await assertAccessible(page, 'what was found');
  await dialog().getByRole('button', { name: 'Connect', exact: true }).click();
  await gone();
  await until('the focus on the next step', async () => (await focused()) === 'step-import');
  for (const { name } of nodes) {
    await step('Connect Proxmox').getByRole('link', { name, exact: true }).waitFor();
    await step('Connect Proxmox')
      .getByRole('meter', { name: `CPU of ${name}` })
      .waitFor();
  }
});

test('an inventory is read, and its hosts wait for somebody to compare their keys', async () => {
  await step('Import hosts').getByRole('button', { name: 'Import hosts', exact: true }).click();
  await dialog()
    .getByLabel('Text')
    .fill(`[web]\nweb1 ansible_host=127.0.0.2 ansible_port=${sshd.port} ansible_user=${sshd.user}\n`);
  assert.equal(await dialog().getByRole('radio', { name: 'Ansible INI' }).isChecked(), true);
  await dialog().getByRole('button', { name: 'Look what is there' }).click();
  await dialog().getByRole('rowheader', { name: 'web1' }).waitFor();
  await dialog().getByRole('button', { name: 'Add 1 host' }).click();
  await gone();
  await step('Import hosts').getByRole('link', { name: 'web1' }).waitFor();
  await until('the focus at the end', async () => (await focused()) === 'step-end');
  await page.getByRole('button', { name: 'Go to the overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.ok(Date.now() - began < TWO_MINUTES, 'it took longer than two minutes');
  assert.deepEqual(faults, []);
});

test('the first steps fit a phone, in German and in the dark', async (t) => {
  const phone = await openWindow(browser, server.url, {
    width: 360,
    height: 740,
    colorScheme: 'dark',
    locale: 'de-DE',
    storageState: await page.context().storageState(),
  });
  t.after(() => phone.context.close());
  await phone.page.goto('/start');
  await phone.page.getByRole('heading', { name: 'Erste Schritte' }).waitFor();
  // The imported host waits for its key to be compared, so its step is not done.
  await phone.page.getByText('3 von 5 erledigt').waitFor();
  await assertNoSideways(phone.page, 'the first steps');
  await assertAccessible(phone.page, 'the first steps on a dark phone');
  assert.deepEqual(phone.faults, []);
});
