import { expect, test } from 'vitest';
import { guestsMeant, hostsMeant, selectorOf, without, type GuestLike, type HostLike } from './selectors';

const host = (id: string, name: string, about: Partial<HostLike> = {}): HostLike => ({
  id,
  name,
  groups: [],
  tags: [],
  cluster: null,
  kind: 'linux',
  state: 'online',
  ...about,
});
const HOSTS = [
  host('h1', 'web-1', { groups: ['web'], tags: ['prod'] }),
  host('h2', 'web-2', { groups: ['web'], state: 'offline' }),
  host('h3', 'db1', { tags: ['prod'] }),
  host('h4', 'pve1', { kind: 'both', cluster: 'berlin' }),
];

const guest = (vmid: string, name: string | null, about: Partial<GuestLike> = {}): GuestLike => ({
  id: `c1:${vmid}`,
  vmid,
  name,
  node: 'pve1',
  cluster: 'berlin',
  kind: 'lxc',
  tags: [],
  ...about,
});
const GUESTS = [
  guest('101', 'mail', { tags: ['prod'] }),
  guest('102', 'db1', { kind: 'qemu' }),
  guest('103', null, { node: 'pve2' }),
];

test.each([
  ['web-1', ['web-1']],
  ['h3', ['db1']],
  ['group:web', ['web-1', 'web-2']],
  ['group:web&tag:prod', ['web-1']],
  ['group:web, !web-2', ['web-1']],
  ['all !kind:both', ['web-1', 'web-2', 'db1']],
  ['!group:web', ['db1', 'pve1']],
  ['web*,cluster:berlin', ['web-1', 'web-2', 'pve1']],
  ['web-?', ['web-1', 'web-2']],
  ['state:offline', ['web-2']],
  ['name:db1', ['db1']],
  ['nobody', []],
  [' , ', []],
])('%s means those hosts', (text, names) => {
  expect(hostsMeant(HOSTS, text)?.map(({ name }) => name)).toEqual(names);
});

test.each([
  ['101', ['101']],
  ['mail db1', ['101', '102']],
  ['c1:103', ['103']],
  ['kind:lxc', ['101', '103']],
  ['tag:prod&node:pve1', ['101']],
  ['all', ['101', '102', '103']],
  ['*a*', ['101']],
])('%s means those guests', (text, numbers) => {
  expect(guestsMeant(GUESTS, text)?.map(({ vmid }) => vmid)).toEqual(numbers);
});

test('what only the server can read is not guessed', () => {
  expect(hostsMeant(HOSTS, 'web-[12]')).toBeNull();
  expect(hostsMeant(HOSTS, '{web,db}*')).toBeNull();
});

test('what is chosen becomes words that mean exactly that', () => {
  const twin = host('h5', 'db1');
  const odd = host('h6', 'a b');
  const keyed = host('h7', 'group:web');
  const all = [...HOSTS, twin, odd, keyed];
  for (const chosen of [[HOSTS[0]], [twin], [odd, keyed], all, all.slice(1)]) {
    const wanted = chosen.filter((each) => each !== undefined);
    const text = selectorOf(wanted, all);
    expect(hostsMeant(all, text), text).toEqual(wanted);
  }
  expect(selectorOf(HOSTS.slice(0, 2), HOSTS)).toBe('web-1,web-2');
  expect(selectorOf(HOSTS.slice(0, 2), null), 'names that may be others’ too').toBe('h1,h2');
  const many = Array.from({ length: 500 }, (_, number) => host(`h${number}`, `machine-${number}`));
  expect(selectorOf(many, many)).toBe('all');
  expect(selectorOf(many.slice(1), many), 'never more than was chosen').not.toBe('all');
  const numbered = [guest('101', 'mail'), guest('102', '101')];
  expect(guestsMeant(numbered, selectorOf(numbered.slice(1), numbered))).toEqual([numbered[1]]);
});

test('machines are taken away again by their ids', () => {
  const text = without('group:web', ['h2']);
  expect(hostsMeant(HOSTS, text)?.map(({ id }) => id)).toEqual(['h1']);
});
