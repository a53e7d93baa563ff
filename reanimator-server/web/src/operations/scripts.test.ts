import { expect, test } from 'vitest';
import type { Parameter, StoredScript } from '../api/types';
import { draftOfScript, given, isFilled, newParameter, newScript, scriptOf, valuesFor } from './scripts';

const parameters: Parameter[] = [
  { name: 'whom', type: 'text', required: true, max_length: 20, variable: 'WHOM' },
  { name: 'times', type: 'integer', min: -1, max: 5, default: '2' },
  { name: 'how', type: 'choice', values: ['out loud', 'softly'] },
  { name: 'twice', type: 'boolean' },
];

test('a script is the same after a form has held it', () => {
  const { name, body, ...rest } = scriptOf({ ...newScript(), name: 'greet', body: 'echo hello' });
  const stored = {
    ...rest,
    name,
    body,
    parameters,
    memory_mb: 64,
    tasks: null,
    user: 'www-data',
    version: 'a1',
    changed_at: '',
    changed_by: 'ada',
  } as StoredScript;
  const again = scriptOf(draftOfScript(stored), stored);
  expect(again).toMatchObject({ name: 'greet', body: 'echo hello', memory_mb: 64, user: 'www-data' });
  expect(again).not.toHaveProperty('tasks');
  expect(again.parameters).toEqual([
    { ...parameters[0], description: '' },
    { ...parameters[1], description: '', required: false },
    { ...parameters[2], description: '', required: false },
    { ...parameters[3], description: '', required: false },
  ]);
});

test('a new script has limits, and is for operators on all hosts', () => {
  const script = scriptOf({ ...newScript(), parameters: [{ ...newParameter(), name: 'a' }] });
  expect(script).toMatchObject({ hosts: 'all', role: 'operator', limit_seconds: 600, output_bytes: 262144 });
  expect(script.interpreter).toEqual(['/bin/sh']);
});

test('what is left empty is not given, and what is required must be there', () => {
  const values = valuesFor(parameters);
  expect(values).toEqual({ whom: '', times: '2', how: '', twice: 'false' });
  expect(isFilled(parameters, values)).toBe(false);
  const filled = { ...values, whom: '$(reboot)' };
  expect(isFilled(parameters, filled)).toBe(true);
  expect(given(parameters, filled)).toEqual({ whom: '$(reboot)', times: '2', twice: 'false' });
});
