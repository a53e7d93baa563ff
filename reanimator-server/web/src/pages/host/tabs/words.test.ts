import { expect, test } from 'vitest';
import { cacheText, partText, portText, throttlingText } from './words';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

test('parts that nobody named are none', () => {
  expect(partText({ vendor: null, product: null, version: null, serial: 'x' })).toBeNull();
  expect(partText({ vendor: 'Dell Inc.', product: 'R740', version: null, serial: null })).toBe(
    'Dell Inc. R740',
  );
});

test('caches and ports read in few words', () => {
  expect(plain(cacheText({ L1d: 98_304, L2: 2_097_152 }))).toBe('L1d 96.0 KiB, L2 2.0 MiB');
  const port = { container_port: 80, protocol: 'tcp', host_address: '0.0.0.0', host_port: 8080 };
  expect(portText(port)).toBe('0.0.0.0:8080 → 80/tcp');
  expect(portText({ ...port, host_address: null, host_port: null })).toBe('80/tcp');
});

test('a Raspberry Pi says what it suffers from, and that it suffers from nothing', () => {
  const well = {
    under_voltage: false,
    frequency_capped: false,
    throttled: false,
    soft_temperature_limit: false,
  };
  expect(throttlingText(well)).toBe('nothing');
  expect(throttlingText({ ...well, under_voltage: true, throttled: true })).toBe(
    'too little voltage, throttled',
  );
  expect(throttlingText(null)).toBeNull();
});
