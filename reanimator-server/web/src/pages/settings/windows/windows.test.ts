import { expect, test } from 'vitest';
import { changeOf, draftOf, newDraft, windowOf, wrong } from './windows';

test('a new window opens every night, and what is empty is absent', () => {
  const draft = { ...newDraft('Europe/Berlin'), name: ' nights ', guests: 'tag:prod' };
  expect(windowOf(draft)).toEqual({
    name: 'nights',
    guests: 'tag:prod',
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '22:00',
    to: '06:00',
    zone: 'Europe/Berlin',
    enabled: true,
    comment: '',
  });
});

test('a change takes away what was emptied', () => {
  const window = { ...windowOf({ ...newDraft('UTC'), name: 'n', hosts: 'web*' }), last_day: '2026-12-24' };
  const draft = { ...draftOf(window), hosts: '', guests: 'mail', lastDay: '' };
  expect(changeOf(draft)).toMatchObject({ hosts: '', guests: 'mail', last_day: '' });
  expect(changeOf(draft)).not.toHaveProperty('name');
});

test('a window has a name, covers something and opens on some day', () => {
  const draft = { ...newDraft('UTC'), name: 'nights', hosts: 'all' };
  expect(wrong(draft)).toBeNull();
  expect(wrong({ ...draft, name: 'two words' })).toBe('name');
  expect(wrong({ ...draft, hosts: ' ' })).toBe('covers');
  const none = { mon: false, tue: false, wed: false, thu: false, fri: false, sat: false, sun: false };
  expect(wrong({ ...draft, days: none })).toBe('days');
});
