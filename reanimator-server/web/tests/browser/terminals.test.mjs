/** Terminals in the browser, on this very machine: typed in, pasted into, reloaded, mirrored, left and closed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  assertAccessible,
  firstStart,
  openWindow,
  startBrowser,
  startServer,
  temporaryFolder,
  until,
} from './harness.mjs';

const SHOTS = process.env.SCREENSHOTS;

let folder;
let server;
let browser;
let page;
let faults;
let host;

before(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
  browser = await startBrowser();
  ({ page, faults } = await openWindow(browser, server.url, { height: 1000 }));
  await firstStart(page, server);
  const status = await page.evaluate(async () => (await fetch('/api/v1/status')).json());
  host = status.hosts[0];
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await folder?.remove();
});

const shot = async (name) => SHOTS && page.screenshot({ path: join(SHOTS, `terminals-${name}.png`) });
const panes = () => page.getByRole('region', { name: /^Terminal / });
const shown = (pane) => pane.locator('.xterm-rows').innerText();

/** Types a line into the terminal of a pane; what its echo shows is not what it prints. */
async function typeLine(pane, line) {
  await pane.locator('.xterm').click();
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

const shows = (pane, text) => until(`${text} to be shown`, async () => (await shown(pane)).includes(text));

async function openOne() {
  const before = await panes().count();
  await page.getByLabel('Host or guest').fill(host.name);
  await page.getByRole('button', { name: 'Open a terminal' }).click();
  await until('the terminal to be there', async () => (await panes().count()) > before);
  const pane = panes().nth(before);
  await pane.getByText('open', { exact: true }).waitFor();
  await typeLine(pane, "exec env PS1='rea''dy> ' sh");
  await shows(pane, 'ready>');
  return pane;
}

test('a terminal is opened, typed in and shows letters of all kinds', async () => {
  await page.goto('/terminals');
  await page.getByText('No terminal is open.').waitFor();
  const pane = await openOne();
  await typeLine(pane, 'echo grün-$((40+2)) 漢字 😀; stty size');
  await shows(pane, 'grün-42 漢字');
  await assertAccessible(page, 'a terminal');
  await shot('one');
  assert.deepEqual(faults, []);
});

test('a page that is loaded anew comes back to the same terminal', async () => {
  await page.reload();
  const pane = panes().first();
  await shows(pane, 'grün-42');
  await typeLine(pane, 'echo ba""ck-$((1+1))');
  await shows(pane, 'back-2');
  assert.deepEqual(faults, []);
});

test('a long paste arrives whole', async () => {
  const pane = panes().first();
  const size = 3_000_000;
  const file = join(folder.path, 'came');
  await typeLine(pane, `stty raw -echo; echo go-''on; head -c ${size} > ${file}; stty sane; echo pas''ted`);
  await shows(pane, 'go-on');
  await pane.locator('.xterm-helper-textarea').evaluate((area, length) => {
    const data = new DataTransfer();
    data.setData('text/plain', 'abcdefghij'.repeat(length / 10));
    area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, size);
  await shows(pane, 'pasted');
  const pasted = await readFile(file, 'utf8');
  assert.ok(pasted === 'abcdefghij'.repeat(size / 10), 'what arrived is not what was pasted');
});

test('another size reaches what runs in it', async () => {
  const pane = panes().first();
  await typeLine(pane, 'clear; echo si""ze-$(stty size | tr " " x)-');
  await until('a size', async () => /size-\d+x\d+-/.test(await shown(pane)));
  const before = /size-(\d+x\d+)-/.exec(await shown(pane))[1];
  await page.setViewportSize({ width: 900, height: 700 });
  await until('the size to be another', async () => {
    await typeLine(pane, 'clear; echo si""ze-$(stty size | tr " " x)-');
    const now = /size-(\d+x\d+)-/.exec(await shown(pane));
    return now !== null && now[1] !== before;
  });
  await page.setViewportSize({ width: 1280, height: 1000 });
});

test('what is typed goes into all that are chosen, and into no other', async () => {
  await openOne();
  await openOne();
  await page.getByLabel('Type into all').check();
  const third = panes().nth(2);
  await third.getByLabel('Types along').uncheck();
  await typeLine(panes().first(), 'echo mir""rored');
  await shows(panes().first(), 'mirrored');
  await shows(panes().nth(1), 'mirrored');
  assert.ok(!(await shown(third)).includes('mirrored'));
  await assertAccessible(page, 'terminals side by side');
  await shot('several');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('several-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(faults, []);
});

test('a key leaves the terminal for the keys of the page, and Tab does not', async () => {
  const pane = panes().first();
  await pane.locator('.xterm').click();
  const inTerminal = () => page.evaluate(() => document.activeElement?.className.includes('xterm') ?? false);
  await page.keyboard.press('Tab');
  assert.ok(await inTerminal(), 'Tab is for what runs there');
  await page.keyboard.press('Alt+Shift+KeyX');
  assert.ok(!(await inTerminal()), 'the key leaves');
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement !== document.body));
});

test('a shell that ends says so, and a terminal is closed', async () => {
  await page.getByLabel('Type into all').uncheck();
  await typeLine(panes().nth(2), 'exit 3');
  await panes().nth(2).getByText('ended: exit status 3').waitFor();
  await panes().nth(2).getByRole('button', { name: 'Put away' }).click();
  await until('it to be gone', async () => (await panes().count()) === 2);
  await panes().nth(1).getByRole('button', { name: 'Close' }).click();
  await until('it to be gone', async () => (await panes().count()) === 1);
  assert.deepEqual(faults, []);
});

test('a host has its terminal, and the one that is open is gone on with', async () => {
  await page.goto(`/hosts/${host.id}/terminal`);
  await shows(panes().first(), 'ready>');
  await shot('host');
  await panes().first().getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Open a terminal' }).waitFor();
  assert.deepEqual(faults, []);
});
