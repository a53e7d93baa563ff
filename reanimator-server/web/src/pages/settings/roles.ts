/** The roles, and what each may do. */
import type { Role } from '../../api/types';
import { t } from '../../i18n';
import type { Messages } from '../../i18n/en';
import { roleText } from '../../words';

export const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

export type Ability = keyof Messages['settings']['abilities'];

/** What there is to do, with the least role that may do it. */
export const ABILITIES: readonly { id: Ability; needs: Role }[] = [
  { id: 'see', needs: 'viewer' },
  { id: 'look', needs: 'operator' },
  { id: 'fleet', needs: 'admin' },
  { id: 'run', needs: 'admin' },
  { id: 'people', needs: 'admin' },
  { id: 'data', needs: 'admin' },
];

export function roleMay(role: Role, needs: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needs);
}

/** The roles to choose from, each with what it is for. */
export function roleOptions(): { value: Role; label: string }[] {
  return ROLES.map((role) => ({ value: role, label: `${roleText(role)}: ${t.settings.roleIs[role]}` }));
}
