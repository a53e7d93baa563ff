import { expect, test } from 'vitest';
import {
  completeUrl,
  emptyHostForm,
  emptyProxmoxForm,
  hostRequest,
  proxmoxRequest,
  whatIsNew,
  words,
} from './forms';

test('a host form says only what was filled in', () => {
  expect(hostRequest({ ...emptyHostForm, address: ' web1 ' })).toEqual({
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
