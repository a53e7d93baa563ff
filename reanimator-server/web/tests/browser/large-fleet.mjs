/**
 * A server that looks like ours to the page and has a fleet as large as one likes: it hands out `dist` and answers
 * the calls that the fleet's tables make. Its answers have the shape of the real server's; every ten seconds all
 * figures in them differ, as they do in a fleet that is alive.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const GIB = 2 ** 30;
const TICK_MS = 10_000;
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};
/** As the server's own. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; manifest-src 'self'";

/** A number from 0 up to 1 that is the same for the same seeds. */
function chance(...seeds) {
  let hash = 2166136261;
  for (const seed of seeds) hash = Math.imul(hash ^ seed, 16777619) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507) >>> 0;
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
const pick = (list, ...seeds) => list[Math.floor(chance(...seeds) * list.length)];
const figure = (...seeds) => Math.round(chance(...seeds) * 10_000) / 100;
const now = () => new Date().toISOString();

const SORTS = ['web', 'db', 'cache', 'mail', 'build', 'proxy', 'git', 'dns', 'monitor', 'backup'];
const TAGS = ['prod', 'test', 'edge', 'eu', 'us'];

export class Fleet {
  constructor({ hosts = 2048, guests = 20_000, nodesPerCluster = 16 } = {}) {
    const nodes = Math.ceil(hosts / 2);
    this.hosts = Array.from({ length: hosts }, (_, index) => {
      const proxmox = index < nodes;
      const cluster = proxmox ? `cluster${Math.floor(index / nodesPerCluster) + 1}` : null;
      return {
        index,
        id: `host-${index}`,
        name: proxmox ? `pve${index + 1}` : `${pick(SORTS, index, 1)}${index - nodes + 1}`,
        proxmox,
        cluster,
        groups: proxmox ? [] : [pick(SORTS, index, 2)],
        tags: TAGS.filter((_, tag) => chance(index, 3, tag) < 0.25),
      };
    });
    this.guests = Array.from({ length: guests }, (_, index) => {
      const node = this.hosts[index % nodes];
      return {
        index,
        node,
        id: `${node.cluster}:${100 + index}`,
        vmid: String(100 + index),
        name: `${pick(SORTS, index, 4)}${index + 1}`,
        kind: chance(index, 5) < 0.5 ? 'lxc' : 'qemu',
        status: chance(index, 6) < 0.8 ? 'running' : 'stopped',
        bridge: chance(index, 8) < 0.7 ? 'vmbr0' : 'vmbr1',
        vlan: chance(index, 9) < 0.4 ? 20 : null,
        tags: TAGS.filter((_, tag) => chance(index, 7, tag) < 0.2),
      };
    });
  }

  host({ index, id, name, proxmox, cluster, groups, tags }, tick) {
    const offline = chance(index, 10) < 0.01;
    return {
      id,
      name,
      kind: proxmox ? 'proxmox' : 'linux',
      state: offline ? 'offline' : 'online',
      address: `10.${index >> 8}.${index & 255}.1`,
      groups,
      tags,
      cluster,
      cpu_percent: figure(index, 11, tick),
      cpus: 16,
      load: [figure(index, 12, tick) / 10, 1, 1],
      memory: {
        total_bytes: 64 * GIB,
        used_bytes: Math.round(64 * GIB * chance(index, 13, tick)),
        available_bytes: 12 * GIB,
        source: 'MemAvailable',
        arc_bytes: null,
      },
      swap: { total_bytes: 0, used_bytes: 0 },
      disk: { total_bytes: 1000 * GIB, used_bytes: Math.round(900 * GIB * chance(index, 14)) },
      network: { received_bytes_per_second: 1000, sent_bytes_per_second: 2000 },
      uptime_seconds: Math.floor(chance(index, 15) * 1e7),
      os: proxmox ? 'Proxmox VE 9.1.8' : 'Debian GNU/Linux 12 (bookworm)',
      kernel: proxmox ? '6.17.4-2-pve' : '6.1.0-29-amd64',
      proxmox_version: proxmox ? '9.1.8' : null,
      guests: proxmox ? { running: 8, total: 10 } : null,
      guest_of: null,
      observed_at: now(),
      age_seconds: 1,
      via: [proxmox ? 'proxmox' : 'ssh'],
      clock_skew_seconds: null,
      problem: offline ? { kind: 'unreachable', message: 'It does not answer.', next: null } : null,
      unseen: [],
    };
  }

  nodeRow({ index, id, name, proxmox, cluster, groups, tags }, tick) {
    return {
      id,
      name,
      hostname: name,
      kind: proxmox ? 'proxmox' : 'linux',
      state: 'online',
      cluster,
      groups,
      tags,
      containers_running: proxmox ? null : 3,
      cpu_cores: 8,
      cpu_sockets: 2,
      cpu_threads: 32,
      cpu_percent: figure(index, 11, tick),
      failed_units: proxmox ? null : 0,
      guests_running: proxmox ? 8 : null,
      guests_total: proxmox ? 10 : null,
      kernel_version: '6.1.0',
      license_status: proxmox ? 'notfound' : null,
      load_1m: 1.2,
      observed_at: now(),
      os: 'Debian GNU/Linux 12 (bookworm)',
      problems: [],
      proxmox_version: proxmox ? '9.1.8' : null,
      ram_percent: 40,
      ram_total_gb: 64,
      ram_used_gb: 25,
      reboot_needed: false,
      storage_percent: 30,
      storage_total_gb: 1000,
      storage_used_gb: 300,
      temperature_highest_c: 40 + Math.round(chance(index, 16, tick) * 30),
      updates_pending: Math.floor(chance(index, 17) * 40),
      updates_security: Math.floor(chance(index, 18) * 4),
      uptime_seconds: 86_400,
    };
  }

  guestRow({ index, id, vmid, name, kind, status, node, tags }, tick) {
    const on = status === 'running';
    return {
      cluster: node.cluster,
      cpu_percent: on ? figure(index, 21, tick) : 0,
      id,
      ip_addresses: on ? [`10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`] : [],
      kind,
      name,
      node: node.name,
      node_id: node.id,
      observed_at: now(),
      ram_percent: on ? figure(index, 22, tick) : 0,
      ram_total_mb: 4096,
      ram_used_mb: 2048,
      status,
      storage_total_gb: 64,
      storage_used_gb: kind === 'lxc' ? figure(index, 23) / 2 : null,
      tags,
      template: false,
      uptime_seconds: on ? Math.floor(chance(index, 24) * 1e7) : null,
      vmid,
    };
  }

  storageRow({ id, name }, tick) {
    return {
      active: true,
      available_gb: 500,
      cluster: null,
      content: null,
      id: `${id}:/`,
      name: '/',
      node: name,
      observed_at: now(),
      shared: false,
      total_gb: 1000,
      type: 'ext4',
      used_gb: 500,
      used_percent: figure(tick, 31),
    };
  }

  interfaceRow({ id, name }) {
    return {
      addresses: ['10.0.0.1/24'],
      id: `${id}:vmbr0`,
      interface: 'vmbr0',
      mac: '02:00:00:00:00:01',
      master: null,
      mtu: 1500,
      node: name,
      node_id: id,
      observed_at: now(),
      speed_mbps: 10_000,
      state: 'up',
      type: 'bridge',
      vlan: null,
    };
  }

  totals() {
    const hosts = this.hosts.length;
    return {
      hosts: { total: hosts, online: hosts, offline: 0, unknown: 0, maintenance: 0 },
      guests: { running: this.guests.length, total: this.guests.length },
      cpus: hosts * 16,
      cpu_percent: 20,
      memory: { total_bytes: hosts * 64 * GIB, used_bytes: hosts * 20 * GIB },
      swap: { total_bytes: 0, used_bytes: 0 },
      disk: { total_bytes: hosts * 1000 * GIB, used_bytes: hosts * 300 * GIB },
      network: { received_bytes_per_second: 2000, sent_bytes_per_second: 4000 },
      observed_at: now(),
    };
  }

  overview() {
    return {
      attention: [],
      cpu: { threads: 100, used_percent: 20 },
      guests: { running: this.guests.length, stopped: 0, total: this.guests.length },
      hosts: { maintenance: 0, offline: 0, online: this.hosts.length, total: this.hosts.length, unknown: 0 },
      memory: { total_gb: 1000, used_gb: 200, used_percent: 20 },
      observed_at: now(),
      storage: { total_gb: 1000, used_gb: 200, used_percent: 20 },
      updates: { pending: 0, security: 0 },
    };
  }

  groups() {
    const count = (field) => {
      const found = new Map();
      for (const host of this.hosts)
        for (const name of host[field]) found.set(name, (found.get(name) ?? 0) + 1);
      return [...found].sort().map(([name, hosts]) => ({ name, hosts }));
    };
    return { groups: count('groups'), tags: count('tags') };
  }

  label({ hosts, add_groups = [], remove_groups = [], add_tags = [], remove_tags = [] }) {
    const wanted = new Set(hosts);
    const after = (names, add, remove) =>
      [...new Set([...names, ...add])].filter((name) => !remove.includes(name));
    for (const host of this.hosts) {
      if (!wanted.has(host.id)) continue;
      host.groups = after(host.groups, add_groups, remove_groups);
      host.tags = after(host.tags, add_tags, remove_tags);
    }
    return this.hosts.filter(({ id }) => wanted.has(id));
  }

  recent(entities) {
    const series = {};
    for (const entity of entities) {
      const seed = Number(entity.replace(/\D/g, '').slice(-9));
      series[entity] = Array.from({ length: 30 }, (_, point) => (point === 7 ? null : figure(seed, point)));
    }
    return { metric: 'cpu_percent', from: now(), to: now(), step_seconds: 120, series, unknown: [] };
  }

  topology() {
    const guests = new Map();
    for (const guest of this.guests) {
      const key = `${guest.node.id} ${guest.bridge}`;
      const { id, vmid, name, kind, status, vlan } = guest;
      const nics = [{ name: 'net0', vlan, addresses: [] }];
      guests.set(key, [...(guests.get(key) ?? []), { id, vmid, name, kind, status, nics }]);
    }
    const bridge = (host, name, ports) => ({
      name,
      kind: 'bridge',
      active: true,
      vlan_aware: name === 'vmbr1',
      ports,
      addresses: name === 'vmbr0' ? [`10.0.${host.index}.1/24`] : [],
      guests: guests.get(`${host.id} ${name}`) ?? [],
    });
    return {
      hosts: this.hosts.map((host) => ({
        id: host.id,
        name: host.name,
        kind: host.proxmox ? 'proxmox' : 'linux',
        state: chance(host.index, 10) < 0.01 ? 'offline' : 'online',
        cluster: host.cluster,
        bridges: host.proxmox ? [bridge(host, 'vmbr0', ['eno1']), bridge(host, 'vmbr1', ['eno2'])] : [],
        unplaced: [],
      })),
    };
  }
}

/** The page of a list that a cursor names, as text; made once in a tick. */
function pageOf(kept, name, items, row, { limit, cursor, tick }) {
  const from = Number(cursor || 0);
  const key = `${name} ${from} ${limit}`;
  const known = kept.get(key);
  if (known?.tick === tick) return known;
  const to = from + limit;
  const body = JSON.stringify({
    items: items.slice(from, to).map((item) => row(item, tick)),
    next_cursor: to < items.length ? String(to) : null,
    total: items.length,
  });
  const made = { tick, body, tag: `"${name.replaceAll('/', '-')}-${from}-${tick}"` };
  kept.set(key, made);
  return made;
}

/** Starts it on a free port, or on one that is named. */
export async function serveFleet(fleet, dist, port = 0) {
  const kept = new Map();
  const sent = { bytes: 0, files: [] };
  const began = Date.now();
  const tick = () => Math.floor((Date.now() - began) / TICK_MS);
  const lists = {
    '/dashboard/nodes': [fleet.hosts, (host, at) => fleet.nodeRow(host, at)],
    '/dashboard/vms': [fleet.guests, (guest, at) => fleet.guestRow(guest, at)],
    '/storage': [fleet.hosts, (host, at) => fleet.storageRow(host, at)],
    '/network': [fleet.hosts, (host) => fleet.interfaceRow(host)],
    '/proxmox/clusters': [[], () => null],
    '/changes': [[], () => null],
  };
  const single = {
    '/setup': () => ({ needed: false }),
    '/me': () => ({ name: 'admin', role: 'admin', kind: 'user', csrf: 'none' }),
    '/dashboard/overview': () => fleet.overview(),
    '/groups': () => fleet.groups(),
    '/network/topology': () => fleet.topology(),
  };

  async function answer(request, response) {
    const url = new URL(request.url, 'http://page');
    const path = url.pathname.replace(/^\/api\/v1/, '');
    const say = (status, body, headers = {}) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-security-policy': POLICY,
        'cache-control': 'private, no-cache',
        ...headers,
      });
      response.end(body);
    };
    if (path === url.pathname) return file(url.pathname, say);
    if (request.method === 'POST') {
      let text = '';
      for await (const part of request) text += part;
      if (path !== '/hosts/labels') return say(404, '{}');
      const changed = fleet.label(JSON.parse(text));
      tell(changed.map((host) => frame('host:updated', fleet.host(host, tick()))));
      kept.clear();
      return say(200, '{}');
    }
    if (path === '/telemetry/recent') {
      return say(200, JSON.stringify(fleet.recent(url.searchParams.get('entities').split(','))));
    }
    if (path in single) return say(200, JSON.stringify(single[path]()));
    if (!(path in lists)) return say(404, '{"title":"Not found","status":404}');
    const [items, row] = lists[path];
    const page = pageOf(kept, path, items, row, {
      limit: Number(url.searchParams.get('limit') ?? 100),
      cursor: url.searchParams.get('cursor'),
      tick: tick(),
    });
    if (request.headers['if-none-match'] === page.tag) return say(304, undefined, { etag: page.tag });
    return say(200, page.body, { etag: page.tag });
  }

  async function file(path, say) {
    let name = join(dist, normalize(path));
    const there = await stat(name).catch(() => null);
    if (!there?.isFile()) name = join(dist, 'index.html');
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    const packed = await readFile(`${name}.br`).catch(() => null);
    const body = packed ?? (await readFile(name));
    sent.files.push({ name: name.slice(dist.length), bytes: body.length });
    sent.bytes += body.length;
    say(200, body, { 'content-type': type, ...(packed ? { 'content-encoding': 'br' } : {}) });
  }

  const frame = (type, data) => JSON.stringify({ type, at: now(), data });
  const sockets = new Set();
  const tell = (texts) => sockets.forEach((socket) => texts.forEach((text) => socket.write(wrap(text))));

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  server.on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => sockets.delete(socket));
    socket.resume();
    const hosts = fleet.hosts.map((host) => fleet.host(host, tick()));
    socket.write(wrap(frame('connected', { hosts, totals: fleet.totals() })));
  });

  // Every host is heard of once in ten seconds.
  let turn = 0;
  const steps = 100;
  const heartbeat = setInterval(() => {
    if (sockets.size === 0) return;
    turn += 1;
    const some = fleet.hosts.filter(({ index }) => index % steps === turn % steps);
    tell(some.map((host) => frame('host:updated', fleet.host(host, turn))));
    if (turn % 20 === 0) tell([frame('totals:updated', fleet.totals())]);
  }, TICK_MS / steps);

  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** What was handed out of `dist`, as it went over the wire. */
    sent,
    stop: () => {
      clearInterval(heartbeat);
      sockets.forEach((socket) => socket.destroy());
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A text as one frame of a WebSocket. */
function wrap(text) {
  const body = Buffer.from(text);
  const head =
    body.length < 126
      ? Buffer.from([0x81, body.length])
      : body.length < 65_536
        ? Buffer.from([0x81, 126, body.length >> 8, body.length & 255])
        : Buffer.alloc(10);
  if (head.length === 10) {
    head[0] = 0x81;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  return Buffer.concat([head, body]);
}
