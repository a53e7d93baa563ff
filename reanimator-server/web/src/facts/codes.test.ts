import { expect, test } from 'vitest';
import { codeText } from './codes';

test('a code is told in words, and one that nobody knows is shown as it is', () => {
  expect([codeText('no-link'), codeText('HEALTH_OK'), codeText(null), codeText('')]).toEqual([
    'no link',
    'HEALTH_OK',
    null,
    '',
  ]);
  expect(['constructor', '__proto__', 'toString'].map(codeText)).toEqual([
    'constructor',
    '__proto__',
    'toString',
  ]);
});
