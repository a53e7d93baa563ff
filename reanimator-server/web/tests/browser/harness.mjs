/**
 * What every browser test needs: a real server with a data directory of its own, a real browser,
 * and a watch over all that a page does wrong on its own: foreign requests, refused by policy,
 * uncaught errors.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

const PROGRAM = process.env.REANIMATOR_BIN ?? resolve(here, '../../../../target/debug/reanimator');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Long enough for a slow machine; nothing waits for it when all is well. */
export const PATIENCE = 30_000;

export const ADMIN = { name: 'admin', password: 'correct horse battery' };
export const VIEWER = { name: 'eve', password: 'only looks at things' };

/** A program beside the server's, such as the Proxmox look-alike. */
export function besideProgram(name) {
  return join(dirname(PROGRAM), name);
}

export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'reanimator-page-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A port of this machine on which nobody listens. */
export async function closedPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a program and waits for the first line of its stdout that `wanted` understands.
 * What it says besides is kept for the error, should it end early.
 */
export async function startProgram(path, args, wanted) {
  assert.ok(existsSync(path), `${path} is missing: build it first (cargo build)`);
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said = (said + text).slice(-4000)));
  const found = new Promise((resolveLine, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      said = `${said}${line}\n`.slice(-4000);
      const value = wanted(line);
      if (value !== undefined && value !== null) resolveLine(value);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${path} ended with ${code}:\n${said}`)));
  });
  const value = await found;
  return {
    value,
    signal: (name) => child.kill(name),
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

/** `reanimator serve` on a data directory; `port` 0 takes a free one. */
export async function startServer(folder, port = 0) {
  let url = null;
  const wanted = (line) => {
    url ??= line.match(/(http:\/\/[^/\s]+)\//)?.[1] ?? null;
    const setup = line.match(/http:\/\/\S+\/setup#\S+/)?.[0];
    // Only a first start has a second line, with the link.
    return setup ? { url, setup } : port !== 0 && url ? { url } : null;
  };
  const program = await startProgram(
    PROGRAM,
    ['--data-dir', folder, 'serve', '--listen', `127.0.0.1:${port}`],
    wanted,
  );
  return { ...program.value, stop: program.stop };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  });
}

/** A browser window of its own cookies, watched. `faults` must stay empty. */
export async function openWindow(browser, url, { width = 1280, height = 900, ...options } = {}) {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height },
    locale: 'en-GB',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const faults = [];
  context.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !asked.startsWith('data:')) faults.push(`foreign request: ${asked}`);
  });
  await context.exposeBinding('reportViolation', (_, text) => faults.push(`refused by policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.stack ?? error}`));
  page.on('dialog', (dialog) => {
    faults.push(`a script dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, faults };
}

/** Makes the admin's account, with the link that the server printed. */
export async function firstStart(page, server) {
  await page.goto(server.setup);
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await page.getByLabel('Password again').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  await page.getByRole('button', { name: 'Go to the overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

export async function logIn(page, { name, password }) {
  await page.goto('/');
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** Goes to a page by way of the menu. */
export async function openPage(page, name) {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** Connects the look-alike's cluster, past the form that another test fills in. */
export async function connectCluster(page, { url, token, fingerprint }) {
  const status = await page.evaluate(
    async (body) => {
      const { csrf } = await fetch('/api/v1/me').then((answer) => answer.json());
      const answer = await fetch('/api/v1/proxmox/connect', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
        body: JSON.stringify(body),
      });
      return answer.status;
    },
    { url, auth: { token }, accept_certificate: fingerprint, name: 'berlin' },
  );
  assert.equal(status, 201);
}

const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Fails with what axe finds on the page as it is now. */
export async function assertAccessible(page, what) {
  const { violations, passes } = await page.evaluate(
    `${axe};axe.run(document).then(({ violations, passes }) => ({
      passes: passes.length,
      violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')),
    }))`,
  );
  assert.ok(passes > 5, `axe looked at nothing on ${what}`);
  assert.deepEqual(violations, [], `axe on ${what}`);
}

/** Fails where the page is wider than the window. */
export async function assertNoSideways(page, what) {
  const { scroll, window } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    window: innerWidth,
  }));
  assert.ok(scroll <= window, `${what} is ${scroll} px wide in a window of ${window} px`);
}

/** Waits until `look` gives something true; says what was awaited when it never does. */
export async function until(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const value = await look();
    if (value) return value;
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await new Promise((go) => setTimeout(go, 100));
  }
}
