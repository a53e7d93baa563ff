/**
 * Every page, in the order of the menu. A page is a folder of this one with a `Page.svelte` in it;
 * to add one, make the folder and name it here.
 */
import type { Component } from 'svelte';
import type { Role } from '../api/types';
import type { IconName } from '../ui/Icon.svelte';

export interface Page {
  title: string;
  icon: IconName;
  /** Paths it answers; the first is where the menu leads. One that ends in `/` takes what follows. */
  paths: readonly [string, ...string[]];
  needs: Role;
  load: () => Promise<{ default: Component }>;
}

export const PAGES: readonly Page[] = [
  {
    title: 'Fleet',
    icon: 'fleet',
    paths: ['/', '/hosts/'],
    needs: 'viewer',
    load: () => import('./fleet/Page.svelte'),
  },
  {
    title: 'Connections',
    icon: 'plug',
    paths: ['/connections'],
    needs: 'viewer',
    load: () => import('./connections/Page.svelte'),
  },
  {
    title: 'Run',
    icon: 'run',
    paths: ['/run'],
    needs: 'admin',
    load: () => import('./run/Page.svelte'),
  },
  {
    title: 'Settings',
    icon: 'settings',
    paths: ['/settings'],
    needs: 'viewer',
    load: () => import('./settings/Page.svelte'),
  },
];

/** The page for a path; null where there is none for this person. */
export function findPage(pages: readonly Page[], path: string, may: (role: Role) => boolean): Page | null {
  const answers = (own: string) => path === own || (own !== '/' && own.endsWith('/') && path.startsWith(own));
  return pages.find((page) => may(page.needs) && page.paths.some(answers)) ?? null;
}
