import { expect, test } from 'vitest';
import { placeText, wayText } from './words';

test('ways are named, and unknown ones are shown as they are', () => {
  expect(wayText(['ssh', 'proxmox'])).toBe('by SSH, the Proxmox API');
  expect(wayText(['pigeon'])).toBe('by pigeon');
  expect(wayText([])).toBe('not reached yet');
});

test('the machine the server runs on has no address and is called what it is', () => {
  expect(placeText({ address: '10.0.0.1', via: ['local', 'ssh'], cluster: null })).toBe('10.0.0.1');
  expect(placeText({ address: null, via: ['local'], cluster: null })).toBe('this machine');
  expect(placeText({ address: null, via: ['proxmox'], cluster: 'home' })).toBe('home');
});
