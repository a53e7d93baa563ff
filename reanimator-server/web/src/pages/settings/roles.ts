import type { Role } from '../../api/types';

/** The roles with what each may do. */
export const ROLES: readonly { value: Role; label: string }[] = [
  { value: 'viewer', label: 'Viewer: sees everything' },
  { value: 'operator', label: 'Operator: acts on hosts' },
  { value: 'admin', label: 'Admin: may do everything' },
];
