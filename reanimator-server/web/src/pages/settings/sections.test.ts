import { expect, test } from 'vitest';
import type { Role } from '../../api/types';
import { SECTIONS, findSection } from './sections';

const admin = () => true;
const viewer = (role: Role) => role === 'viewer';

test('a section answers its own name, and the first one answers none', () => {
  expect(findSection('tokens', admin)?.id).toBe('tokens');
  expect(findSection('', viewer)?.id).toBe('language');
  expect(findSection('nothing', admin)).toBeNull();
});

test('a section that is not for this person is not there', () => {
  expect(findSection('people', viewer)).toBeNull();
  expect(SECTIONS.filter(({ needs }) => viewer(needs)).map(({ id }) => id)).toEqual([
    'language',
    'connections',
    'windows',
    'notifications',
  ]);
});
