/**
 * Measures the page with a large fleet and prints one line of JSON. `npm run build` first.
 *
 * `node scale.mjs --serve PORT` only serves the fleet, to be looked at; HOSTS and GUESTS say how large it is.
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openWindow, startBrowser } from './harness.mjs';
import { Fleet, serveFleet } from './large-fleet.mjs';

const dist = resolve(dirname(fileURLToPath(import.meta.url)), '../../dist');
const hosts = Number(process.env.HOSTS ?? 2048);
const guests = Number(process.env.GUESTS ?? 20_000);
const print = (text) => process.stdout.write(`${text}\n`);

/** How the page is scrolled: in frames. */
const FRAMES = 240;
const CALM = (frame) => frame * 120;
const WILD = (frame, height) => ((frame * 7919) % 997) * (height / 997);

/** Work of a frame that a person waits for: script, style and layout; not paint, which has threads of its own. */
const SCRIPT = new Set([
  'FunctionCall',
  'EvaluateScript',
  'FireAnimationFrame',
  'EventDispatch',
  'TimerFire',
]);
const LAYOUT = new Set(['UpdateLayoutTree', 'Layout', 'RecalculateStyles', 'PrePaint']);
const TASKS = new Set(['RunTask', 'ThreadControllerImpl::RunTask']);

const at = (values, share) => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const median = (values) =>
  round(
    at(
      [...values].sort((a, b) => a - b),
      0.5,
    ),
  );
const round = (value) => Math.round(value * 10) / 10;

class Tracing {
  constructor(session) {
    this.session = session;
  }

  async start() {
    this.events = [];
    this.take = ({ value }) => this.events.push(...value);
    this.session.on('Tracing.dataCollected', this.take);
    await this.session.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: {
        includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel'],
      },
    });
  }

  async stop() {
    const ended = new Promise((done) => this.session.once('Tracing.tracingComplete', done));
    await this.session.send('Tracing.end');
    await ended;
    this.session.off('Tracing.dataCollected', this.take);
    return this.events;
  }
}

/** The events of the page's own main thread: the one on which its script runs. */
function mainThread(events) {
  const counts = new Map();
  for (const { name, pid, tid } of events) {
    if (name !== 'FireAnimationFrame' && name !== 'FunctionCall') continue;
    const key = `${pid} ${tid}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [busiest] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['none'];
  return events.filter(({ pid, tid, ph }) => ph === 'X' && `${pid} ${tid}` === busiest);
}

/** Milliseconds of CPU in script and layout for each frame that was drawn, outermost events counted once. */
function frames(events) {
  const work = events
    .filter(({ name }) => SCRIPT.has(name) || LAYOUT.has(name))
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const starts = events
    .filter(({ name }) => name === 'FireAnimationFrame')
    .map(({ ts }) => ts)
    .sort((a, b) => a - b);
  const sums = starts.map(() => 0);
  let end = 0;
  let frame = 0;
  for (const { ts, dur, tdur } of work) {
    if (ts < end) continue;
    end = ts + dur;
    while (frame + 1 < starts.length && starts[frame + 1] <= ts) frame += 1;
    if (starts.length > 0 && ts >= starts[0]) sums[frame] += (tdur ?? dur) / 1000;
  }
  return sums.slice(1, -1).sort((a, b) => a - b);
}

/** The longest task, as CPU time: what else runs on this machine is no fault of the page. */
const longestTask = (events) =>
  events
    .filter(({ name }) => TASKS.has(name))
    .reduce((most, { tdur, dur }) => Math.max(most, (tdur ?? dur) / 1000), 0);
const longestWall = (events) =>
  events.filter(({ name }) => TASKS.has(name)).reduce((most, { dur }) => Math.max(most, dur / 1000), 0);

/** Where the time went, for whoever wants it shorter: on stderr. */
function detail(what, events) {
  const sums = new Map();
  for (const { name, tdur, dur } of events)
    sums.set(name, (sums.get(name) ?? 0) + (tdur ?? dur) / 1000 / FRAMES);
  const most = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 16);
  process.stderr.write(`${what}: ${most.map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(', ')}\n`);
}

/** Scrolls for some frames and tells the fewest and the most rows that were in the document. */
function scroll(page, wild) {
  return page.evaluate(
    async ({ count, move }) => {
      const where = new Function('frame', 'height', `return (${move})(frame, height)`);
      const height = document.documentElement.scrollHeight - innerHeight;
      const body = document.querySelector('tbody');
      let [least, most] = [Infinity, 0];
      let holes = 0;
      for (let frame = 0; frame < count; frame += 1) {
        scrollTo(0, where(frame, height));
        await new Promise(requestAnimationFrame);
        const rows = body.childElementCount;
        least = Math.min(least, rows);
        most = Math.max(most, rows);
        // Asking what is where costs something itself.
        if (frame % 20 !== 0) continue;
        if (!document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('tr')) holes += 1;
      }
      return { least, most, holes };
    },
    { count: FRAMES, move: String(wild ? WILD : CALM) },
  );
}

/** From an action in the page to what it wanted having been painted, in milliseconds. */
function timed(page, act, done) {
  return page.evaluate(
    ([doIt, isDone]) =>
      new Promise((tell) => {
        const ready = new Function(`return ${isDone}`);
        const start = performance.now();
        const look = () => {
          if (!ready()) return requestAnimationFrame(look);
          // After the frame in which it became true was painted.
          const channel = new MessageChannel();
          channel.port1.onmessage = () => tell(performance.now() - start);
          requestAnimationFrame(() => channel.port2.postMessage(null));
        };
        new Function(doIt)();
        look();
      }),
    [act, done],
  );
}

const status = "(document.querySelector('main [role=status]')?.textContent ?? '')";
const input = (text) =>
  `const field = document.querySelector('main input[type=search]'); field.value = ${JSON.stringify(text)};
   field.dispatchEvent(new InputEvent('input', { bubbles: true }));`;
const heading = (name) =>
  `[...document.querySelectorAll('thead button')].find((b) => b.textContent.includes('${name}'))`;

const FILTERS = ['w', 'we', 'web', 'web 1', '', 'stopped', 'offline', ''];

/** Types a filter and waits until its rows are painted. */
async function filter(page, text) {
  const word = `${status}.includes(' of ') === ${text !== ''}`;
  const address = text === '' ? 'true' : `location.search.includes('=${text.replace(' ', '+')}')`;
  const took = await timed(page, input(text), `${word} && ${address}`);
  await page.waitForTimeout(150);
  return took;
}

/** Clicks a heading and waits until the rows in their new order are painted. */
async function sort(page, name) {
  const sorted = `Boolean(${heading(name)}.closest('th[aria-sort]')) && !document.querySelector('table[aria-busy=true]')`;
  const took = await timed(page, `${heading(name)}.click()`, sorted);
  await page.waitForTimeout(150);
  return took;
}

async function measureTable(browser, url, path, count, sortBy) {
  const { page, context, faults } = await openWindow(browser, url);
  const session = await context.newCDPSession(page);
  const tracing = new Tracing(session);
  await tracing.start();
  await page.goto(path);
  await page.getByText(new RegExp(`^${count.toLocaleString('en-GB').replace(',', ',?')} `)).waitFor();
  await page.locator('tbody tr a').first().waitFor();
  await page.waitForTimeout(1000);
  const arrival = mainThread(await tracing.stop());

  const figures = {};
  for (const [name, wild] of [
    ['scroll', false],
    ['jump', true],
  ]) {
    await tracing.start();
    const rows = await scroll(page, wild);
    const events = mainThread(await tracing.stop());
    if (process.env.DETAIL) detail(name, events);
    const each = frames(events);
    figures[name] = {
      rows: [rows.least, rows.most],
      holes: rows.holes,
      frames: each.length,
      frame_ms: { median: round(at(each, 0.5)), p95: round(at(each, 0.95)) },
      longest_task_ms: round(longestTask(events)),
    };
  }
  await page.evaluate(() => scrollTo(0, 0));

  // Timed without a trace, which would cost something itself; then once more for the longest task.
  const filters = [];
  for (const text of FILTERS) filters.push(await filter(page, text));
  const sorts = [];
  for (const name of [sortBy, 'Name', 'CPU', 'Name']) sorts.push(await sort(page, name));
  await tracing.start();
  for (const text of FILTERS) await filter(page, text);
  for (const name of [sortBy, 'Name']) await sort(page, name);
  const asked = mainThread(await tracing.stop());

  // Two rounds of new figures.
  const rounds = process.env.DETAIL ? 100 : 21_000;
  await tracing.start();
  await page.evaluate(async (duration) => {
    const end = performance.now() + duration;
    while (performance.now() < end) await new Promise(requestAnimationFrame);
  }, rounds);
  const polls = mainThread(await tracing.stop());
  await context.close();
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return {
    ...figures,
    filter_ms: round(Math.max(...filters)),
    filter_median_ms: median(filters),
    sort_ms: round(Math.max(...sorts)),
    sort_median_ms: median(sorts),
    asked_longest_task_ms: round(longestTask(asked)),
    arrival: { longest_task_ms: round(longestTask(arrival)), wall_ms: round(longestWall(arrival)) },
    polls: { longest_task_ms: round(longestTask(polls)), wall_ms: round(longestWall(polls)) },
  };
}

/** A year of figures, a gap in it now and then: what the server's answer would be. */
function yearOf(query) {
  const step = parseInt(query.get('step') ?? '600');
  const second = (name, otherwise) =>
    Number.isNaN(Date.parse(query.get(name))) ? otherwise : Date.parse(query.get(name)) / 1000;
  const to = second('to', Date.now() / 1000);
  const times = [];
  for (let time = Math.ceil(second('from', to - 86_400) / step) * step; time < to; time += step)
    times.push(time);
  const mean = times.map((time) =>
    Math.floor(time / 86_400) % 37 ? 50 + 30 * Math.sin(time / 300_000) : null,
  );
  const columns = {
    mean,
    min: mean.map((value) => value && value - 5),
    max: mean.map((value) => value && value + 5),
  };
  const all =
    'cpu_percent,memory_used,memory_total,disk_used,disk_total,network_received,network_sent,hosts_online,hosts_total,guests_running,guests_total';
  const metrics = (query.get('metric') || all).split(',').map((metric) => [metric, columns]);
  return {
    entity: 'fleet',
    step_seconds: step,
    times: times.map((time) => new Date(time * 1000).toISOString()),
    metrics: Object.fromEntries(metrics),
  };
}

/** Drags all charts of the overview through a year of history. */
async function measurePan(browser, url) {
  const { page, context, faults } = await openWindow(browser, url);
  await page.route('**/api/v1/telemetry/query**', (route) =>
    route.fulfill({ json: yearOf(new URL(route.request().url()).searchParams) }),
  );
  await page.goto('/?range=365d');
  const chart = page.locator('.uplot').first();
  await chart.waitFor();
  await chart.scrollIntoViewIfNeeded();
  const { x, y, width } = await chart.boundingBox();
  const tracing = new Tracing(await context.newCDPSession(page));
  await tracing.start();
  for (let turn = 0; turn < 3; turn += 1) {
    await page.mouse.move(x + 80, y + 60);
    await page.mouse.down();
    await page.mouse.move(x + width - 40, y + 60, { steps: 60 });
    await page.mouse.up();
  }
  const events = mainThread(await tracing.stop());
  const moved = new URL(page.url()).searchParams.has('at');
  await context.close();
  if (faults.length > 0) throw new Error(faults.join('\n'));
  if (!moved) throw new Error('the charts did not move');
  return round(longestTask(events));
}

/** From a key press in the palette to what it found having been painted; everything it knows was read before. */
async function measurePalette(browser, url) {
  const { page, context, faults } = await openWindow(browser, url);
  await page.goto('/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox');
  // The last guest has its number in its name.
  await box.fill(String(guests));
  await page.getByRole('option').first().waitFor();
  const first = "(document.querySelector('[role=option]')?.textContent ?? '')";
  const type = (text) =>
    `const field = document.querySelector('[role=combobox]'); field.value = ${JSON.stringify(text)};
     field.dispatchEvent(new InputEvent('input', { bubbles: true }));`;
  const times = [];
  for (const text of ['w', 'we', 'web', 'web 1', 'nothing of the kind', 'db']) {
    const before = await page.evaluate(first);
    const found = text.startsWith('nothing') ? `${first} === ''` : `${first} !== ${JSON.stringify(before)}`;
    times.push(await Promise.race([timed(page, type(text), found), page.waitForTimeout(2000)]));
  }
  await context.close();
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return round(
    at(
      times.filter((time) => time !== undefined).sort((a, b) => a - b),
      0.5,
    ),
  );
}

/** What a first visit transfers of script and style, and how soon the page stands. */
async function measureStart(browser, server) {
  const { page, context } = await openWindow(browser, server.url);
  server.sent.files.length = 0;
  const start = performance.now();
  await page.goto('/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const ready = performance.now() - start;
  await page.waitForTimeout(500);
  const code = server.sent.files.filter(({ name }) => /\.(js|css)$/.test(name));
  await context.close();
  return {
    first_load_kb: round(code.reduce((sum, { bytes }) => sum + bytes, 0) / 1024),
    ready_ms: round(ready),
  };
}

const serving = process.argv.indexOf('--serve');
const server = await serveFleet(
  new Fleet({ hosts, guests }),
  dist,
  serving > 0 ? Number(process.argv[serving + 1]) : 0,
);
if (serving > 0) {
  print(server.url);
} else {
  const browser = await startBrowser();
  try {
    const start = await measureStart(browser, server);
    const guestTable = await measureTable(browser, server.url, '/guests', guests, 'VMID');
    const hostTable = await measureTable(browser, server.url, '/hosts', hosts, 'Memory');
    const pan = await measurePan(browser, server.url);
    const paletteKey = await measurePalette(browser, server.url);
    print(
      JSON.stringify({
        hosts,
        guests,
        ...start,
        palette_key_ms: paletteKey,
        year_pan_longest_task_ms: pan,
        guest_table: guestTable,
        host_table: hostTable,
      }),
    );
  } finally {
    await browser.close();
    server.stop();
  }
}
