/**
 * Every page, in the order of the menu. A page is a folder of this one with a `Page.svelte` in it;
 * to add one, make the folder and name it here.
 */
import type { Component } from 'svelte';
import type { Role } from '../api/types';
import type { Messages } from '../i18n/en';
import type { IconName } from '../ui/Icon.svelte';

export type PageId = keyof Messages['shell']['pages'];

export interface Page {
  /** What it is called in the catalogue. */
  id: PageId;
  /** Its sign in the menu. A page of one thing has none: it stands under the list that leads to it. */
  icon?: IconName;
  under?: PageId;
  /** The path it answers, where the menu leads. One that ends in `/` takes what follows. */
  path: string;
  /** The letter that goes to it after `g`. */
  key?: string;
  needs: Role;
  load: () => Promise<{ default: Component }>;
}

export const PAGES: readonly Page[] = [
  {
    id: 'overview',
    icon: 'overview',
    path: '/',
    key: 'o',
    needs: 'viewer',
    load: () => import('./overview/Page.svelte'),
  },
  {
    id: 'hosts',
    icon: 'fleet',
    path: '/hosts',
    key: 'h',
    needs: 'viewer',
    load: () => import('./hosts/Page.svelte'),
  },
  {
    id: 'host',
    under: 'hosts',
    path: '/hosts/',
    needs: 'viewer',
    load: () => import('./host/Page.svelte'),
  },
  {
    id: 'clusters',
    under: 'hosts',
    path: '/clusters',
    key: 'l',
    needs: 'viewer',
    load: () => import('./cluster/Page.svelte'),
  },
  {
    id: 'cluster',
    under: 'hosts',
    path: '/clusters/',
    needs: 'viewer',
    load: () => import('./cluster/Page.svelte'),
  },
  {
    id: 'guests',
    icon: 'guest',
    path: '/guests',
    key: 'v',
    needs: 'viewer',
    load: () => import('./guests/Page.svelte'),
  },
  {
    id: 'guest',
    under: 'guests',
    path: '/guests/',
    needs: 'viewer',
    load: () => import('./guest/Page.svelte'),
  },
  {
    id: 'storage',
    icon: 'disk',
    path: '/storage',
    key: 's',
    needs: 'viewer',
    load: () => import('./storage/Page.svelte'),
  },
  {
    id: 'onestorage',
    under: 'storage',
    path: '/storage/',
    needs: 'viewer',
    load: () => import('./onestorage/Page.svelte'),
  },
  {
    id: 'network',
    icon: 'network',
    path: '/network',
    key: 'n',
    needs: 'viewer',
    load: () => import('./network/Page.svelte'),
  },
  {
    id: 'alerts',
    icon: 'alert',
    path: '/alerts',
    key: 'a',
    needs: 'viewer',
    load: () => import('./alerts/Page.svelte'),
  },
  {
    id: 'alertpart',
    under: 'alerts',
    path: '/alerts/',
    needs: 'viewer',
    load: () => import('./alerts/Page.svelte'),
  },
  {
    id: 'operations',
    icon: 'play',
    path: '/operations',
    key: 'p',
    needs: 'viewer',
    load: () => import('./operations/Page.svelte'),
  },
  {
    id: 'operation',
    under: 'operations',
    path: '/operations/',
    needs: 'viewer',
    load: () => import('./operations/Page.svelte'),
  },
  {
    id: 'updates',
    icon: 'update',
    path: '/updates',
    key: 'u',
    needs: 'viewer',
    load: () => import('./updates/Page.svelte'),
  },
  {
    id: 'update',
    under: 'updates',
    path: '/updates/',
    needs: 'viewer',
    load: () => import('./updates/Page.svelte'),
  },
  {
    id: 'scripts',
    icon: 'scripts',
    path: '/scripts',
    key: 'x',
    needs: 'viewer',
    load: () => import('./scripts/Page.svelte'),
  },
  {
    id: 'run',
    icon: 'run',
    path: '/run',
    key: 'r',
    needs: 'admin',
    load: () => import('./run/Page.svelte'),
  },
  {
    id: 'terminals',
    icon: 'terminal',
    path: '/terminals',
    key: 't',
    needs: 'admin',
    load: () => import('./terminals/Page.svelte'),
  },
  {
    id: 'connections',
    icon: 'plug',
    path: '/connections',
    key: 'c',
    needs: 'viewer',
    load: () => import('./connections/Page.svelte'),
  },
  {
    id: 'settings',
    icon: 'settings',
    path: '/settings',
    key: 'e',
    needs: 'viewer',
    load: () => import('./settings/Page.svelte'),
  },
  {
    id: 'setting',
    under: 'settings',
    path: '/settings/',
    needs: 'viewer',
    load: () => import('./settings/Page.svelte'),
  },
  {
    id: 'start',
    under: 'connections',
    path: '/start',
    needs: 'admin',
    load: () => import('./start/Page.svelte'),
  },
];

/** The page for a path; null where there is none for this person. */
export function findPage(pages: readonly Page[], path: string, may: (role: Role) => boolean): Page | null {
  const answers = (own: string) => path === own || (own !== '/' && own.endsWith('/') && path.startsWith(own));
  return pages.find((page) => may(page.needs) && answers(page.path)) ?? null;
}
