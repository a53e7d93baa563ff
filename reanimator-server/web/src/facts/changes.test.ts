import { expect, test } from 'vitest';
import type { Change } from '../api/types';
import { byDay, changeKind, fieldText, isHostState, valueText } from './changes';

const change = (id: string, created_at: string, values: Partial<Change> = {}): Change => ({
  id,
  entity: 'host:h1',
  field: 'system.kernel',
  old_value: '6.1',
  new_value: '6.2',
  created_at,
  ...values,
});

test('changes stand under their days, in the order they came', () => {
  const changes = [
    change('3', '2026-02-02T09:00:00Z'),
    change('2', '2026-02-02T08:00:00Z'),
    change('1', '2026-02-01T08:00:00Z'),
  ];
  const days = byDay(changes, (at) => at.slice(0, 10));
  expect(days.map(({ day, changes: of }) => [day, of.map(({ id }) => id)])).toEqual([
    ['2026-02-02', ['3', '2']],
    ['2026-02-01', ['1']],
  ]);
});

test('what came and what went is told apart from what changed', () => {
  const at = '2026-02-02T09:00:00Z';
  expect(changeKind(change('1', at))).toBe('changed');
  expect(changeKind(change('1', at, { old_value: null }))).toBe('came');
  expect(changeKind(change('1', at, { new_value: null }))).toBe('went');
});

test('a host that went away is told in words', () => {
  const states = { offline: 'weg' };
  const went = change('1', '2026-02-02T09:00:00Z', { field: 'state' });
  expect(isHostState(went)).toBe(true);
  expect([valueText(went, 'offline', states), valueText(went, 'odd', states)]).toEqual(['weg', 'odd']);
  const other = change('2', '2026-02-02T09:00:00Z', { field: 'state', entity: 'guest:c:1' });
  expect(valueText(other, 'offline', states)).toBe('offline');
});

test('a path reads as words', () => {
  expect(fieldText('network.eth0.mtu')).toBe('network: eth0.mtu');
  expect(fieldText('cluster')).toBe('cluster');
});
