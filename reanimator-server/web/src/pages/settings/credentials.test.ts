import { expect, test } from 'vitest';
import { credentialForm, hostCredentials } from './credentials';

const form = { ...credentialForm('root'), password: 'p', key: 'PEM', passphrase: 'x', sudo: 's' };

test('only what is replaced is sent', () => {
  expect(hostCredentials(form, 'root')).toEqual({ password: 'p' });
  expect(hostCredentials({ ...form, what: 'key' }, 'root')).toEqual({ key: 'PEM', passphrase: 'x' });
  expect(hostCredentials({ ...form, what: 'key', passphrase: '' }, 'root')).toEqual({ key: 'PEM' });
  expect(hostCredentials({ ...form, what: 'sudo' }, 'root')).toEqual({ sudo_password: 's' });
});

test('another user goes with it', () => {
  expect(hostCredentials({ ...form, user: ' me ' }, 'root')).toEqual({ user: 'me', password: 'p' });
  expect(hostCredentials({ ...form, user: '' }, 'root')).toEqual({ password: 'p' });
});
