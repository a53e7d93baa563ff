import { expect, test } from 'vitest';
import {
  changeOfSchedule,
  draftOfSchedule,
  newSchedule,
  scheduleOf,
  setOf,
  wrongSchedule,
  wrongSet,
} from './schedule';
import { draftOf, newWish, wishOf, wrong, type WishDraft } from './wish';

const draft = (about: Partial<WishDraft> = {}): WishDraft => ({ ...newWish('group:web'), ...about });

test('what a form holds goes to the server and comes back the same', () => {
  const whole = draft({
    guests: 'tag:prod',
    securityOnly: true,
    exclude: 'linux-image-*, vim',
    safety: 'backup',
    storage: 'pbs',
    order: 'guests-last',
    canary: '2',
    canaries: 'web-1',
    waveSize: '5',
    onFailure: 'go-on',
    reboot: 'never',
    localDisks: true,
    backupDays: '7',
    healthWithin: '60',
    units: false,
    command: 'systemctl is-active nginx',
    overrides: ['window'],
  });
  expect(wrong(whole)).toBeNull();
  expect(draftOf(wishOf(whole))).toEqual(whole);
  expect(draftOf(wishOf(draft()))).toEqual(draft());
});

test('disks are copied along only where a node is emptied', () => {
  expect(wishOf(draft({ evacuate: false, localDisks: true }))).toMatchObject({
    evacuate: false,
    local_disks: false,
  });
});

test('what was left empty is not sent', () => {
  const wish = wishOf(draft({ command: ' ', backupDays: '' }));
  expect(wish).not.toHaveProperty('guests');
  expect(wish).not.toHaveProperty('newest_backup_days');
  expect(wish).not.toHaveProperty('overrides');
  expect(wish.health).not.toHaveProperty('command');
  expect(wish.safety).toEqual({ by: 'none' });
});

test.each<[Partial<WishDraft>, string | null]>([
  [{ hosts: ' ' }, 'machines'],
  [{ hosts: '', guests: 'all' }, null],
  [{ hosts: 'a'.repeat(4001) }, 'selector'],
  [{ exclude: '$(reboot)' }, 'exclude'],
  [{ exclude: '-o' }, 'exclude'],
  [{ exclude: 'libc6:amd64, g++-12' }, null],
  [{ safety: 'backup' }, 'storage'],
  [{ canary: '0' }, null],
  [{ canary: '51' }, 'canary'],
  [{ waveSize: '0' }, 'waveSize'],
  [{ waveSize: 'three' }, 'waveSize'],
  [{ restartWithin: '86401' }, 'restartWithin'],
  [{ healthWithin: '' }, 'healthWithin'],
  [{ backupDays: '0' }, 'backupDays'],
])('a form is refused for what is wrong in it (%#)', (about, fault) => {
  expect(wrong(draft(about))).toBe(fault);
});

test('a recurring update needs a name, a day, a time and machines', () => {
  const nights = { ...newSchedule('Europe/Berlin'), name: 'nights', wish: draft() };
  expect(wrongSchedule(nights)).toBeNull();
  expect(wrongSchedule({ ...nights, name: 'two words' })).toBe('name');
  expect(wrongSchedule({ ...nights, days: { ...nights.days, sun: false } })).toBe('days');
  expect(wrongSchedule({ ...nights, at: '' })).toBe('at');
  expect(wrongSchedule({ ...nights, wish: newWish() })).toBe('machines');
  expect(draftOfSchedule(scheduleOf(nights))).toEqual(nights);
  expect(changeOfSchedule(nights)).not.toHaveProperty('name');
});

test('a redundant set names somebody', () => {
  expect(wrongSet({ name: 'dns', hosts: ' ', guests: '', comment: '' })).toBe('machines');
  expect(wrongSet({ name: '', hosts: 'all', guests: '', comment: '' })).toBe('name');
  expect(setOf({ name: ' dns ', hosts: '', guests: 'tag:dns ', comment: '' })).toEqual({
    name: 'dns',
    guests: 'tag:dns',
    comment: '',
  });
});
