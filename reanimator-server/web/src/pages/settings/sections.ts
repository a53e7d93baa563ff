/** The sections of the settings, each with an address of its own, in the order of their list. */
import type { Role } from '../../api/types';
import type { Messages } from '../../i18n/en';
import type { IconName } from '../../ui/Icon.svelte';

export type SectionId = keyof Messages['settings']['sections'];

export interface Section {
  id: SectionId;
  path: string;
  icon: IconName;
  needs: Role;
}

const at = (id: SectionId, icon: IconName, needs: Role = 'admin'): Section => ({
  id,
  path: `/settings/${id}`,
  icon,
  needs,
});

export const SECTIONS: readonly Section[] = [
  at('language', 'sun', 'viewer'),
  at('people', 'person'),
  at('tokens', 'link'),
  { ...at('connections', 'plug', 'viewer'), path: '/connections' },
  at('credentials', 'settings'),
  at('groups', 'fleet'),
  at('windows', 'pause', 'viewer'),
  at('notifications', 'alert', 'viewer'),
  at('terminals', 'terminal'),
  at('history', 'clock'),
  at('backup', 'disk'),
  at('audit', 'columns'),
];

/** The section for a name in the address; the first where there is none, null where it is not for this person. */
export function findSection(name: string, may: (role: Role) => boolean): Section | null {
  const wanted = name || 'language';
  return SECTIONS.find(({ id, path, needs }) => id === wanted && path.endsWith(id) && may(needs)) ?? null;
}
