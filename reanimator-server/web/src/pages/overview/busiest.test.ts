import { expect, test } from 'vitest';
import { exampleHost } from '../../live/example';
import { busiest } from './busiest';

test('the busiest hosts come first, and those that do not answer not at all', () => {
  const host = (name: string, cpu_percent: number | null, state: 'online' | 'offline' = 'online') =>
    exampleHost({ id: name, name, cpu_percent, state });
  const hosts = [
    host('low', 1),
    host('high', 90),
    host('none', null),
    host('gone', 99, 'offline'),
    host('mid', 50),
  ];
  expect(busiest(hosts, 2).map(({ name }) => name)).toEqual(['high', 'mid']);
});
