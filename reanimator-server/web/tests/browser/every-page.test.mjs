/**
 * Every page and every part of one, as people see it: light, dark, and on a phone. Each is accessible, fits its window and breaks
 * no rule; its picture is kept in `target/screenshots`, to be looked at.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFleet } from './fleet.mjs';
import { assertAccessible, assertNoSideways, openWindow } from './harness.mjs';

const PICTURES = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../target/screenshots');

const LOOKS = {
  light: { width: 1280, height: 900, colorScheme: 'light' },
  dark: { width: 1280, height: 900, colorScheme: 'dark' },
  phone: { width: 360, height: 740, colorScheme: 'light', isMobile: true, hasTouch: true },
};

let fleet;
let addresses;

before(async () => {
  fleet = await startFleet();
  addresses = await everyAddress(fleet);
});
after(() => fleet?.stop());

/** One host and guest of each kind stand for all; what their pages link to as parts comes from these pages themselves. */
async function everyAddress({ admin: { page }, api }) {
  const menu = await hrefs(page, 'Pages');
  const { items: nodes } = await api('GET', '/api/v1/dashboard/nodes?limit=1000');
  const { items: guests } = await api('GET', '/api/v1/dashboard/vms?limit=1000');
  const { items: storages } = await api('GET', '/api/v1/storage?limit=1000');
  const { hosts } = await api('GET', '/api/v1/status');
  const named = (name) => hosts.find((host) => host.name === name).id;
  const things = [
    `/hosts/${named('web-1')}`,
    `/hosts/${nodes.find(({ kind }) => kind !== 'linux').id}`,
    `/hosts/${hosts.find(({ via }) => via.includes('local')).id}`,
    `/guests/${guests.find(({ kind, status }) => kind === 'qemu' && status === 'running').id}`,
    `/guests/${guests.find(({ kind, status }) => kind === 'lxc' && status === 'running').id}`,
    `/storage/${storages[0].id}`,
    '/clusters',
    '/start',
  ];
  const parts = [];
  for (const start of [...menu, ...things]) {
    await open(page, start);
    parts.push(...(await hrefs(page, /^(Parts of|Settings)/)));
  }
  return [...new Set([...menu, ...things, ...parts].map(decodeURIComponent))];
}

const hrefs = (page, name) =>
  page
    .getByRole('navigation', { name })
    .getByRole('link')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href')));

/** Goes to an address and waits until nothing on it is being asked for. */
async function open(page, address) {
  await page.goto(address);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
}

const nameOf = (address) =>
  decodeURIComponent(address)
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'one')
    .replace(/[^a-z0-9]+/gi, '-')
    .replace(/^-|-$/g, '') || 'overview';

for (const [look, options] of Object.entries(LOOKS)) {
  test(`every page can be seen and used: ${look}`, async (t) => {
    const { context, page, faults } = await openWindow(fleet.browser, fleet.server.url, {
      ...options,
      storageState: await fleet.admin.context.storageState(),
    });
    t.after(() => context.close());
    const folder = join(PICTURES, look);
    await mkdir(folder, { recursive: true });
    const seen = new Map();
    for (const address of addresses) {
      await open(page, address);
      assert.equal(await page.getByText('There is no page at this address').count(), 0, address);
      const name = nameOf(address);
      const number = (seen.get(name) ?? 0) + 1;
      seen.set(name, number);
      await page.screenshot({
        path: join(folder, `${name}${number > 1 ? `-${number}` : ''}.png`),
        fullPage: true,
      });
      await assertNoSideways(page, `${address} (${look})`);
      await assertAccessible(page, `${address} (${look})`);
    }
    assert.deepEqual(faults, []);
    t.diagnostic(`${addresses.length} addresses`);
  });
}
