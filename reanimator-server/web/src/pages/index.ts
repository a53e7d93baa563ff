/**
 * Every page, in the order of the menu. A page is a folder of this one with a `Page.svelte` in it;
 * to add one, make the folder and name it here.
 */
import type { Component } from 'svelte';
import type { Role } from '../api/types';
import type { IconName } from '../ui/Icon.svelte';

export interface Page {
  title: string;
  /** Its sign in the menu. A page of one thing has none: it stands under the list that leads to it. */
  icon?: IconName;
  under?: string;
  /** The path it answers, where the menu leads. One that ends in `/` takes what follows. */
  path: string;
  needs: Role;
  load: () => Promise<{ default: Component }>;
}

export const PAGES: readonly Page[] = [
  {
    title: 'Overview',
    icon: 'overview',
    path: '/',
    needs: 'viewer',
    load: () => import('./overview/Page.svelte'),
  },
  {
    title: 'Hosts',
    icon: 'fleet',
    path: '/hosts',
    needs: 'viewer',
    load: () => import('./hosts/Page.svelte'),
  },
  {
    title: 'Host',
    under: 'Hosts',
    path: '/hosts/',
    needs: 'viewer',
    load: () => import('./host/Page.svelte'),
  },
  {
    title: 'Clusters',
    under: 'Hosts',
    path: '/clusters',
    needs: 'viewer',
    load: () => import('./cluster/Page.svelte'),
  },
  {
    title: 'Cluster',
    under: 'Hosts',
    path: '/clusters/',
    needs: 'viewer',
    load: () => import('./cluster/Page.svelte'),
  },
  {
    title: 'Guests',
    icon: 'guest',
    path: '/guests',
    needs: 'viewer',
    load: () => import('./guests/Page.svelte'),
  },
  {
    title: 'Guest',
    under: 'Guests',
    path: '/guests/',
    needs: 'viewer',
    load: () => import('./guest/Page.svelte'),
  },
  {
    title: 'Storage',
    icon: 'disk',
    path: '/storage',
    needs: 'viewer',
    load: () => import('./storage/Page.svelte'),
  },
  {
    title: 'One storage',
    under: 'Storage',
    path: '/storage/',
    needs: 'viewer',
    load: () => import('./onestorage/Page.svelte'),
  },
  {
    title: 'Network',
    icon: 'network',
    path: '/network',
    needs: 'viewer',
    load: () => import('./network/Page.svelte'),
  },
  {
    title: 'Run',
    icon: 'run',
    path: '/run',
    needs: 'admin',
    load: () => import('./run/Page.svelte'),
  },
  {
    title: 'Connections',
    icon: 'plug',
    path: '/connections',
    needs: 'viewer',
    load: () => import('./connections/Page.svelte'),
  },
  {
    title: 'Settings',
    icon: 'settings',
    path: '/settings',
    needs: 'viewer',
    load: () => import('./settings/Page.svelte'),
  },
];

/** The page for a path; null where there is none for this person. */
export function findPage(pages: readonly Page[], path: string, may: (role: Role) => boolean): Page | null {
  const answers = (own: string) => path === own || (own !== '/' && own.endsWith('/') && path.startsWith(own));
  return pages.find((page) => may(page.needs) && answers(page.path)) ?? null;
}
