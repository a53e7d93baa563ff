import { expect, test } from 'vitest';
import { compare, printsIn, untrusted } from './identity';

const KEY = 'SHA256:QEgPWMOZE7N7Nurvw9leMiWxnP+agIhKXK9styaZbdQ';
const OTHER = 'SHA256:DyPJ7n4V1bi3zDiKCC33X5FtXaFnIGinP+LA2lh9lBg';
const CERTIFICATE =
  'EC:75:73:5F:83:9F:D1:52:EB:A5:EE:81:A3:B8:D0:BD:A4:08:A4:11:15:8B:30:20:10:AE:30:07:EF:04:E1:06';

test.each([
  ['', KEY, 'nothing'],
  ['  \n', KEY, 'nothing'],
  [KEY, KEY, 'equal'],
  [`256 ${OTHER} root@web1 (ED25519)\n3072 ${KEY} root@web1 (RSA)`, KEY, 'equal'],
  [`256 ${OTHER} root@web1 (ED25519)`, KEY, 'different'],
  [KEY.toLowerCase(), KEY, 'different'],
  ['bash: ssh-keygen: command not found', KEY, 'unclear'],
  [KEY.slice(0, -1), KEY, 'unclear'],
  [`sha256 Fingerprint=${CERTIFICATE.toLowerCase()}`, CERTIFICATE, 'equal'],
  [`sha256 Fingerprint=${CERTIFICATE.replace('EC', 'ED')}`, CERTIFICATE, 'different'],
])('%j beside %s is %s', (pasted, shown, outcome) => {
  expect(compare(pasted, shown)).toBe(outcome);
});

test('a text without end is read all the same', () => {
  expect(printsIn('a'.repeat(1_000_000))).toEqual([]);
});

test('hosts wait for their key alone', () => {
  const unknown = {
    problem: { kind: 'host-key-unknown', message: `its ssh-ed25519 key ${KEY} is not known` },
  };
  const changed = { problem: { kind: 'host-key-changed', message: `its key is ${OTHER} now` } };
  const silent = { problem: { kind: 'host-key-unknown', message: 'no print in here' } };
  expect(untrusted([unknown, changed, silent, { problem: null }])).toEqual([
    { host: unknown, fingerprint: KEY },
  ]);
});
