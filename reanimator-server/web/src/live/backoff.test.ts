import { expect, test } from 'vitest';
import { backoff } from './backoff';

test('waits double, stay bounded, and spread over half their length', () => {
  expect(backoff(0, 1)).toBe(500);
  expect(backoff(1, 1)).toBe(1000);
  expect(backoff(3, 0)).toBe(2000);
  expect(backoff(50, 1)).toBe(15_000);
  expect(backoff(50, 0)).toBe(7_500);
  expect(backoff(5000, 0.5)).toBeLessThanOrEqual(15_000);
});
