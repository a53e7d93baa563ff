/**
 * Updates of many machines by way of the page, on the containers of a look-alike cluster whose packages the real apt upgrades:
 * planned, begun, followed to the report; by calendar; redundant sets. Pictures are kept in `target/screenshots/updates`.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OPERATOR, VIEWER, asking, fingerprintOf } from './fleet.mjs';
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

const PICTURES = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../target/screenshots/updates');
/** A run takes longer than what a page does at once. */
const RUN = { timeout: 180_000 };

const GUESTS = /^Guests\s*\(optional\)/;

let folder;
let cluster;
let server;
let browser;
let admin;
let api;
let page;
let faults;
/** Containers that run, by name. */
let containers;
let node;

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  folder = await temporaryFolder();
  cluster = await startProgram(
    besideProgram('pve-sim'),
    [
      '--listen',
      '127.0.0.1:0',
      '--nodes',
      '1',
      '--guests',
      '24',
      '--seed',
      '7',
      '--task-time',
      '100',
      '--ssh',
    ],
    (line) => JSON.parse(line),
  );
  server = await startServer(folder.path);
  browser = await startBrowser();
  admin = await openWindow(browser, server.url);
  await firstStart(admin.page, server);
  await connectCluster(admin.page, cluster.value);
  api = asking(admin.page);
  const { address, port, user, key, host_key } = cluster.value.nodes[0].ssh;
  const added = await api('POST', '/api/v1/hosts', {
    address,
    port,
    user,
    auth: { key },
    accept_host_key: fingerprintOf(host_key),
  });
  node = added.name;
  for (const [role, { name, password }] of Object.entries({ operator: OPERATOR, viewer: VIEWER })) {
    await api('POST', '/api/v1/users', { name, password, role });
  }
  containers = await until('running containers', async () => {
    const { items } = await api('GET', '/api/v1/dashboard/vms?limit=1000');
    const found = items.filter(
      ({ kind, status, template }) => kind === 'lxc' && status === 'running' && !template,
    );
    return found.length >= 5 && found.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
  await spoil(containers[1]);
  ({ page, faults } = await openWindow(browser, server.url));
  await logIn(page, OPERATOR);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.stop();
  await folder?.remove();
});

/** Its next upgrade brings a service that fails. */
async function spoil({ vmid }) {
  const answer = await fetch(cluster.value.control, {
    method: 'POST',
    body: JSON.stringify({ fault: 'spoil', vmid: Number(vmid) }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

const picture = (of, name) => of.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
const runs = async () => (await api('GET', '/api/v1/updates')).items;

async function planOf(names) {
  await page.goto('/updates');
  await page.getByLabel(GUESTS).fill(names.join(','));
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.getByRole('heading', { name: 'The plan' }).waitFor(RUN);
}

test('guests that are ticked come along, and the plan says all that would be done, and does nothing', async () => {
  await openPage(page, 'Guests');
  const names = containers.slice(0, 3).map(({ name }) => name);
  for (const name of names) await page.getByRole('checkbox', { name: `Choose ${name}`, exact: true }).check();
  const selection = page.getByRole('group', { name: 'Selection' });
  await selection.getByRole('button', { name: 'Actions', exact: true }).click();
  await selection.getByRole('button', { name: 'Update…' }).click();
  await page.waitForURL(/\/updates\?guests=/);
  assert.equal(await page.getByLabel(GUESTS).inputValue(), names.join(','));
  await page.getByText(`3 machines: ${names.join(', ')}`).waitFor();

  await page.getByRole('radio', { name: 'Make a snapshot' }).check();
  await page.getByLabel('At once afterwards').fill('1');
  await page.getByText('More', { exact: true }).click();
  await page.getByLabel('Within, in seconds', { exact: true }).fill('0');
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.getByText('A number from 1 to 86,400.').waitFor();
  await page.getByLabel('Within, in seconds', { exact: true }).fill('4');
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.getByRole('heading', { name: 'The plan' }).waitFor(RUN);
  await page.getByText('3 machines have something to do: 9 packages · 3 for security').waitFor();
  await page.getByRole('heading', { name: 'Wave 1: goes first, alone' }).waitFor();
  await page.getByRole('heading', { name: 'Wave 3' }).waitFor();
  const pending = page.getByRole('table', { name: '3 packages' }).first();
  await pending.getByRole('row', { name: /^libgreet security 1\.0 1\.1/ }).waitFor();
  assert.equal(await pending.getByRole('row', { name: /^web .*security/ }).count(), 0);
  await assertAccessible(page, 'a plan');
  await picture(page, 'plan');
  assert.deepEqual(await runs(), []);
});

test('a plan that is not of what is wanted any more cannot be begun', async () => {
  await page.getByLabel('Packages that stay as they are').fill('libgreet');
  await page.getByText('Something was changed since this plan was made.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Update now' }).isDisabled(), true);
  await page.getByRole('button', { name: 'Plan again' }).click();
  await page.getByText('3 machines have something to do: 6 packages').waitFor(RUN);
  await page
    .getByRole('row', { name: /^libgreet .*left out/ })
    .first()
    .waitFor();
  await page.getByLabel('Packages that stay as they are').fill('');
  await page.getByRole('button', { name: 'Plan again' }).click();
  await page.getByText('9 packages · 3 for security').waitFor(RUN);
});

test('a run is begun, followed to its end, and tells failures first, package by package', async () => {
  const [first, second, third] = containers;
  await page.getByRole('button', { name: 'Update now' }).click();
  await page.waitForURL(/\/updates\/[0-9a-f]{8}-/);
  await page
    .getByText(/^under way: /)
    .first()
    .waitFor(RUN);
  await assertAccessible(page, 'a run under way');
  await picture(page, 'run');
  await page.getByRole('status').getByText('failed', { exact: true }).waitFor(RUN);
  await page.getByRole('heading', { name: 'Report', exact: true }).waitFor();
  const failures = page.getByRole('table', { name: 'What failed' });
  await failures
    .getByRole('row', { name: new RegExp(`^${second.name} .*web\\.service has failed`) })
    .waitFor();
  assert.equal(await failures.getByRole('row').count(), 2);
  await page
    .getByText('1 machine failed · 1 machine updated · 1 machine untouched · 3 packages changed')
    .waitFor();
  await page.getByText('It is back at its snapshot: none of this holds any more.').waitFor();
  const changes = page.getByRole('table', { name: 'Package by package' });
  await changes.getByRole('row', { name: new RegExp(`^greeter .*1\\.0 1\\.1 ${first.name}`) }).waitFor();
  await page
    .getByRole('table', { name: 'Configuration files that were kept' })
    .getByRole('cell', { name: /greeter\.conf/ })
    .first()
    .waitFor();
  const machines = page.getByRole('region', { name: 'Machines' });
  await machines.getByRole('listitem').filter({ hasText: third.name }).getByText('untouched').waitFor();
  const refresh = machines
    .getByRole('listitem')
    .filter({ hasText: first.name })
    .getByRole('link', { name: 'installing' });
  assert.match(await refresh.getAttribute('href'), /^\/operations\//);
  await assertAccessible(page, 'a report');
  await picture(page, 'report');
  await refresh.click();
  await page.getByRole('heading', { level: 1, name: new RegExp(first.name) }).waitFor();
  assert.deepEqual(faults, []);
});

test('the same is wanted again without the one that failed, and ends well', async () => {
  await page.goto('/updates/runs');
  await page.getByRole('table', { name: 'Over' }).getByRole('link').first().click();
  await page.getByRole('button', { name: 'Update these again…' }).click();
  await page.waitForURL(/again=/);
  const guests = page.getByLabel(GUESTS);
  await until('the machines of that run', async () => (await guests.inputValue()) !== '');
  assert.equal(await page.getByRole('radio', { name: 'Make a snapshot' }).isChecked(), true);
  await guests.fill(`${await guests.inputValue()},!${containers[1].name}`);
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.getByText('1 machine has something to do: 3 packages').waitFor(RUN);
  await page.getByRole('button', { name: 'Update now' }).click();
  await page.waitForURL(/\/updates\/[0-9a-f]{8}-/);
  await page.getByRole('status').getByText('done', { exact: true }).waitFor(RUN);
  await page.getByText(/1 machine updated · 1 machine had nothing to install · 3 packages changed/).waitFor();
  assert.deepEqual(
    (await runs()).map(({ state }) => state),
    ['done', 'failed'],
  );
});

test('a machine that rules protect is told, and left out at a click', async () => {
  const [, , , fourth, fifth] = containers;
  const thing = encodeURIComponent(fifth.id);
  await api('PUT', `/api/v1/guests/${thing}/protection`, { reason: 'the choir sings' });
  await planOf([fourth.name, fifth.name]);
  await page.getByText('Rules speak against it').waitFor();
  await page.getByText(`What somebody has protected is left alone. (${fifth.name})`).waitFor();
  await page
    .getByText(/would be refused/)
    .first()
    .waitFor();
  assert.equal(
    await page.getByRole('checkbox', { name: 'Do it in spite of this rule' }).count(),
    0,
    'an operator may not',
  );
  await assertAccessible(page, 'a plan with a refusal');
  await picture(page, 'refused');
  await page.getByRole('button', { name: 'Leave 1 machine out and plan again' }).click();
  await page.getByText('1 machine has something to do: 3 packages').waitFor(RUN);
  assert.equal(await page.getByText('Rules speak against it').count(), 0);
  await api('DELETE', `/api/v1/guests/${thing}/protection`);
});

test('a recurring update is made, changed and removed', async () => {
  await page.goto('/updates/recurring');
  await page.getByText('No update recurs yet').waitFor();
  await page.getByRole('button', { name: 'Add a recurring update' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByLabel('Name').fill('nights');
  await dialog.getByRole('checkbox', { name: 'Sat' }).check();
  await dialog.getByLabel('At', { exact: true }).fill('02:30');
  await dialog.getByLabel('Time zone').fill('Europe/Berlin');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Say which hosts or which guests are updated.').waitFor();
  await dialog.getByLabel(GUESTS).fill('kind:lxc');
  await dialog.getByRole('checkbox', { name: 'Only what closes a security hole' }).check();
  await dialog.getByLabel('Packages that stay as they are').fill('linux-*');
  await assertAccessible(page, 'the form of a recurring update');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const row = page.getByRole('row', { name: /^nights Sat, Sun 02:30, Europe\/Berlin/ });
  await row.getByText('security only, without linux-*').waitFor();
  await picture(page, 'recurring');
  await page.getByRole('button', { name: 'Change the recurring update nights' }).click();
  await dialog.getByRole('checkbox', { name: 'It is made' }).uncheck();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'switched off' }).waitFor();
  const { items } = await api('GET', '/api/v1/update-schedules');
  assert.equal(items[0].schedule.wish.security_only, true);
  assert.equal(items[0].schedule.by, OPERATOR.name);
  await page.getByRole('button', { name: 'Remove nights' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByText('No update recurs yet').waitFor();
  assert.deepEqual(faults, []);
});

test('an admin names redundant machines, and they are planned in different waves', async () => {
  const pair = containers.slice(3, 5).map(({ name }) => name);
  await admin.page.goto('/updates/redundant');
  await admin.page.getByRole('button', { name: 'Add a set' }).click();
  const dialog = admin.page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('choir');
  await dialog.getByLabel(GUESTS).fill(pair.join(' '));
  await dialog.getByText(`2 machines: ${pair.join(', ')}`).waitFor();
  await assertAccessible(admin.page, 'the form of a redundant set');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const members = await admin.page.getByRole('row', { name: /^choir / }).innerText();
  for (const name of pair) assert.ok(members.includes(name), members);
  await page.goto('/updates/redundant');
  await page.getByRole('cell', { name: 'choir' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Add a set' }).count(), 0, 'an operator reads');
  await page.goto('/updates');
  await page.getByLabel(GUESTS).fill(pair.join(','));
  await page.getByLabel('Go first, alone').fill('0');
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.getByText('both are of the redundant set choir').waitFor(RUN);
  assert.deepEqual(admin.faults, []);
});

test('a run is stopped before its next machine', async () => {
  const four = containers.slice(3, 7).map(({ name }) => name);
  const { id } = await api('POST', '/api/v1/updates', { guests: four.join(','), wave_size: 1 });
  await page.goto(`/updates/${id}`);
  await page
    .getByText(/^under way: /)
    .first()
    .waitFor(RUN);
  await page.getByRole('button', { name: 'Stop it' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/Machines that have begun are seen through/).waitFor();
  await assertAccessible(page, 'the question before stopping');
  await dialog.getByRole('button', { name: 'Stop it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('status').getByText('stopped', { exact: true }).waitFor(RUN);
  assert.ok((await page.getByText('untouched', { exact: true }).count()) > 0);
});

test('by keyboard alone, and from the pages of a host and a guest', async () => {
  await openPage(page, 'Overview');
  await page.keyboard.press('g');
  await page.keyboard.press('u');
  await page.getByRole('heading', { level: 1, name: 'Updates' }).waitFor();
  await page.getByLabel(GUESTS).focus();
  await page.keyboard.type(containers[0].name);
  await page.keyboard.press('Enter');
  await page.getByText('Every machine is up to date.').first().waitFor(RUN);

  const { hosts } = await api('GET', '/api/v1/status');
  const host = hosts.find(({ name }) => name === node);
  await page.goto(`/hosts/${host.id}/updates`);
  await page.getByRole('button', { name: `Update ${node}…` }).click();
  await page.waitForURL(/\/updates\?hosts=/);
  await page.getByText(`1 machine: ${node}`).waitFor();
  await page.goto(`/guests/${encodeURIComponent(containers[0].id)}`);
  await page.getByRole('button', { name: `Update ${containers[0].name}…` }).click();
  await page.waitForURL(/\/updates\?guests=/);
  await page.getByText(`1 machine: ${containers[0].name}`).waitFor();
  assert.deepEqual(faults, []);
});

for (const [look, options] of Object.entries({
  dark: { colorScheme: 'dark' },
  phone: { width: 360, height: 740, isMobile: true, hasTouch: true },
})) {
  test(`a viewer reads, and is offered nothing to do: ${look}`, async (t) => {
    const eve = await openWindow(browser, server.url, options);
    t.after(() => eve.context.close());
    await logIn(eve.page, VIEWER);
    await eve.page.goto('/updates');
    await eve.page.getByRole('table', { name: 'Over' }).waitFor();
    await assertAccessible(eve.page, `the runs (${look})`);
    await assertNoSideways(eve.page, `the runs (${look})`);
    await picture(eve.page, `runs-${look}`);
    await eve.page.getByRole('table', { name: 'Over' }).getByRole('link').last().click();
    await eve.page.getByRole('heading', { name: 'Report', exact: true }).waitFor();
    assert.equal(await eve.page.getByRole('button', { name: /^(Stop it|Update)/ }).count(), 0);
    await assertAccessible(eve.page, `a report (${look})`);
    await assertNoSideways(eve.page, `a report (${look})`);
    await picture(eve.page, `report-${look}`);
    assert.deepEqual(eve.faults, []);
  });
}

test('the form and the plan fit a phone', async (t) => {
  const small = await openWindow(browser, server.url, {
    width: 360,
    height: 740,
    isMobile: true,
    hasTouch: true,
  });
  t.after(() => small.context.close());
  await logIn(small.page, OPERATOR);
  await small.page.goto(`/updates?guests=${containers[1].name}`);
  await small.page.getByRole('button', { name: 'Plan', exact: true }).click();
  await small.page.getByRole('heading', { name: 'The plan' }).waitFor(RUN);
  await assertAccessible(small.page, 'a plan on a phone');
  await assertNoSideways(small.page, 'a plan on a phone');
  await picture(small.page, 'plan-phone');
  assert.deepEqual(small.faults, []);
});
