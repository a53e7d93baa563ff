import { expect, test } from 'vitest';
import { moveOf } from './gestures';

function moves() {
  const made: string[] = [];
  return {
    made,
    pan: (share: number) => made.push(`pan ${share}`),
    zoom: (factor: number) => made.push(`zoom ${factor.toFixed(2)}`),
    follow: () => made.push('follow'),
  };
}

test.each([
  ['ArrowLeft', false, 'pan -0.25'],
  ['ArrowRight', false, 'pan 0.25'],
  ['ArrowLeft', true, 'pan -1'],
  ['PageDown', false, 'pan 1'],
  ['+', false, 'zoom 0.67'],
  ['=', false, 'zoom 0.67'],
  ['-', false, 'zoom 1.50'],
  ['End', false, 'follow'],
])('%s moves the chart', (key, far, expected) => {
  const ours = moves();
  moveOf(key, far, ours)?.();
  expect(ours.made).toEqual([expected]);
});

test('other keys are left to the page', () => {
  expect(['g', '/', 'Tab', 'ArrowUp', 'Escape'].map((key) => moveOf(key, false, moves()))).toEqual(
    Array(5).fill(null),
  );
});
