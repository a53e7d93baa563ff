/** A believable fleet: this machine, a Proxmox cluster and Linux hosts that look-alikes play, people of each role. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  besideProgram,
  firstStart,
  openWindow,
  startBrowser,
  startProgram,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

export const OPERATOR = { name: 'olga', password: 'acts with some care' };
export const VIEWER = { name: 'eve', password: 'only looks at things' };

/** Names as people give them; the look-alikes' own would tell nothing on a picture. */
const HOSTS = [
  { name: 'nas', groups: ['storage'], tags: ['backup'] },
  { name: 'pi-kitchen', groups: ['home'], tags: ['pi'] },
  { name: 'web-1', groups: ['web'], tags: ['rented'] },
  { name: 'web-2', groups: ['web'], tags: ['rented'] },
  { name: 'mail', groups: ['rented'], tags: ['rented', 'mail'] },
  { name: 'workshop', groups: ['home'], tags: [] },
];

/** Starts all of it and makes the first account; `api` asks as its admin. */
export async function startFleet({ nodes = 3, guests = 24 } = {}) {
  const started = [];
  const stop = async () => {
    for (const each of started.reverse()) await each();
  };
  try {
    const folder = await temporaryFolder();
    started.push(() => folder.remove());
    const cluster = await startProgram(
      besideProgram('pve-sim'),
      ['--listen', '127.0.0.1:0', '--nodes', String(nodes), '--guests', String(guests), '--seed', '7'],
      (line) => JSON.parse(line),
    );
    started.push(() => cluster.stop());
    const hosts = await startHosts(HOSTS.length);
    started.push(() => hosts.stop());
    const server = await startServer(folder.path);
    started.push(() => server.stop());
    const browser = await startBrowser();
    started.push(() => browser.close());
    const admin = await openWindow(browser, server.url);
    await firstStart(admin.page, server);
    const api = asking(admin.page);
    await fill(api, cluster.value, hosts.value);
    return { server, browser, admin, api, cluster: cluster.value, folder: folder.path, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Linux hosts that a look-alike plays. */
export async function startHosts(count, { base = '127.78.3.1' } = {}) {
  const told = [];
  return startProgram(besideProgram('linux-sim'), ['--hosts', String(count), '--base', base], (line) => {
    told.push(JSON.parse(line));
    return told.length === count ? told : null;
  });
}

/** Asks the API with a page's own log-in. */
export function asking(page) {
  return async (method, path, body) => {
    const { status, text } = await page.evaluate(
      async ([method, path, body]) => {
        const { csrf } = await fetch('/api/v1/me').then((answer) => answer.json());
        const answer = await fetch(path, {
          method,
          headers: { 'X-CSRF-Token': csrf, ...(body ? { 'Content-Type': 'application/json' } : {}) },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
        return { status: answer.status, text: await answer.text() };
      },
      [method, path, body],
    );
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return text ? JSON.parse(text) : null;
  };
}

/** A public key as `ssh-keygen -l` names it. */
export function fingerprintOf(key) {
  const hash = createHash('sha256').update(Buffer.from(key.split(' ')[1], 'base64'));
  return `SHA256:${hash.digest('base64').replace(/=+$/, '')}`;
}

async function fill(api, cluster, hosts) {
  await api('POST', '/api/v1/proxmox/connect', {
    url: cluster.url,
    auth: { token: cluster.token },
    accept_certificate: cluster.fingerprint,
    name: 'berlin',
  });
  for (const [index, { address, port, user, key, host_key }] of hosts.entries()) {
    await api('POST', '/api/v1/hosts', {
      ...HOSTS[index],
      address,
      port,
      user,
      auth: { key_file: key },
      accept_host_key: fingerprintOf(host_key),
    });
  }
  for (const { name, password } of [OPERATOR, VIEWER]) {
    await api('POST', '/api/v1/users', {
      name,
      password,
      role: name === OPERATOR.name ? 'operator' : 'viewer',
    });
  }
  await until('every host to be online', async () => {
    const { hosts } = await api('GET', '/api/v1/status');
    return hosts.length >= HOSTS.length + 4 && hosts.every(({ state }) => state === 'online');
  });
}
