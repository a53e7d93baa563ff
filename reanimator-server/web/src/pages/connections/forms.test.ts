import { expect, test } from 'vitest';
import {
  completeUrl,
  emptyHostForm,
  emptyProxmoxForm,
  guessFormat,
  hostRequest,
  isPort,
  proxmoxRequest,
  readAddress,
  readToken,
  whatIsNew,
  words,
} from './forms';

test('a host form says only what was filled in', () => {
  expect(hostRequest({ ...emptyHostForm, address: ' web1 ', auth: 'agent' })).toEqual({
    address: 'web1',
    port: 22,
    user: 'root',
    auth: { agent: true },
    sudo: 'none',
  });
});

test('only the chosen way to log in is sent', () => {
  const form = { ...emptyHostForm, address: 'web1', password: 'left over', key: 'PEM', passphrase: 'x' };
  expect(hostRequest({ ...form, auth: 'key' }).auth).toEqual({ key: 'PEM', passphrase: 'x' });
  expect(hostRequest({ ...form, auth: 'password' }).auth).toEqual({ password: 'left over' });
  expect(hostRequest({ ...form, auth: 'key_file', keyFile: ' /k ', passphrase: '' }).auth).toEqual({
    key_file: '/k',
  });
});

test('jumps, groups, sudo and an accepted key are carried', () => {
  const request = hostRequest(
    {
      ...emptyHostForm,
      address: 'web1',
      user: 'me',
      jump: 'a@b:22, c',
      groups: 'web  prod',
      sudo: 'password',
      sudoPassword: 's',
    },
    'SHA256:abc',
  );
  expect(request).toMatchObject({
    jump: ['a@b:22', 'c'],
    groups: ['web', 'prod'],
    sudo: { password: 's' },
    accept_host_key: 'SHA256:abc',
  });
});

test('a Proxmox form looks before it stores', () => {
  const form = { ...emptyProxmoxForm, url: 'pve1', tokenId: 'root@pam!r', tokenSecret: ' s ' };
  expect(proxmoxRequest(form, true)).toEqual({
    url: 'https://pve1:8006',
    auth: { token: 'root@pam!r=s' },
    dry_run: true,
  });
  expect(proxmoxRequest({ ...form, auth: 'password', password: 'p' }, false, 'AA:BB')).toEqual({
    url: 'https://pve1:8006',
    auth: { user: 'root@pam', password: 'p' },
    accept_certificate: 'AA:BB',
    dry_run: false,
  });
});

test.each([
  ['pve1', 'https://pve1:8006'],
  ['pve1:443', 'https://pve1:443'],
  ['https://10.0.0.1/', 'https://10.0.0.1:8006'],
  ['https://[::1]:8007', 'https://[::1]:8007'],
  ['https://[fd00::1]', 'https://[fd00::1]:8006'],
])('the address %s is %s', (text, url) => {
  expect(completeUrl(text)).toBe(url);
});

test('only what is new is counted', () => {
  const host = { name: 'a', address: 'a', port: 22, user: 'root', groups: [], why: null };
  const found = [
    { ...host, state: 'new' as const },
    { ...host, state: 'known' as const },
    { ...host, state: 'invalid' as const, why: 'no port' },
  ];
  expect(whatIsNew({ found, added: 0 })).toBe(1);
});

test('lists are separated by commas or white space', () => {
  expect(words(' a, b\nc ,, ')).toEqual(['a', 'b', 'c']);
});

test('root does not become root', () => {
  const form = { ...emptyHostForm, address: 'web1', sudo: 'password' as const, sudoPassword: 's' };
  expect(hostRequest(form).sudo).toBe('none');
});

test('sudo takes the password of the log-in where none of its own is given', () => {
  const form = { ...emptyHostForm, address: 'web1', user: 'me', password: 'p', sudo: 'password' as const };
  expect(hostRequest(form).sudo).toEqual({ password: 'p' });
});

test.each([
  ['web1', { address: 'web1' }],
  [' root@web1:2222 ', { address: 'web1', user: 'root', port: '2222' }],
  ['ssh -p 2222 me@web1', { address: 'web1', user: 'me', port: '2222' }],
  ['ssh web1 -l me', { address: 'web1', user: 'me' }],
  ['ssh://me@web1:22', { address: 'web1', user: 'me', port: '22' }],
  ['[fd00::1]:2222', { address: 'fd00::1', port: '2222' }],
  ['me@fd00::1', { address: 'fd00::1', user: 'me' }],
  ['', { address: '' }],
])('%j is the address %j', (text, found) => {
  expect(readAddress(text)).toEqual(found);
});

test.each([
  ['22', true],
  ['65535', true],
  ['0', false],
  ['65536', false],
  ['2 2', false],
  ['', false],
])('%j is a port: %s', (text, is) => {
  expect(isPort(text)).toBe(is);
});

test('a token is taken apart only where it is whole', () => {
  expect(readToken(' root@pam!r=12-34 ')).toEqual({ tokenId: 'root@pam!r', tokenSecret: '12-34' });
  expect(readToken('PVEAPIToken=root@pam!r=12-34')).toEqual({ tokenId: 'root@pam!r', tokenSecret: '12-34' });
  expect(readToken('root@pam!r')).toBeNull();
  expect(readToken('12-34=')).toBeNull();
});

test('what a browser shows in its address bar is an address', () => {
  expect(completeUrl('https://pve1:8006/#v1:0:18:4')).toBe('https://pve1:8006');
});

test.each([
  ['# mine\nHost web1\n  HostName 10.0.0.1', 'ssh-config'],
  ['[web]\nweb1 ansible_host=10.0.0.1', 'ansible-ini'],
  ['all:\n  hosts:\n    web1:', 'ansible-yaml'],
  ['web1', null],
  ['', null],
])('%j is written as %s', (text, format) => {
  expect(guessFormat(text)).toBe(format);
});
