/** What the palette finds: every page, host, guest, storage, cluster and setting, and what a person may do. */
import type { GuestCard, StorageCard } from '../../api/client';
import type { ClusterRow, Host, Role } from '../../api/types';
import { entityHref } from '../../facts/entity';
import { t } from '../../i18n';
import { LANGUAGES, NAMES, spoken, type Language } from '../../i18n/language.svelte';
import { PAGES } from '../../pages';
import { SECTIONS } from '../../pages/settings/sections';
import { THEMES, chosen } from '../../theme.svelte';
import type { IconName } from '../../ui/Icon.svelte';
import { kindText, placeText } from '../../words';
import type { Findable } from './search';

export interface Entry extends Findable {
  /** Unlike that of every other entry. */
  id: string;
  icon: IconName;
  /** Stands after the name. */
  detail: string;
  /** Which language its name is in, where it is not the page's. */
  lang?: Language;
  /** Where it leads, or what it does. */
  go: string | (() => unknown);
}

/** What only the frame of the page can do. */
export interface Frame {
  may: (role: Role) => boolean;
  logOut: () => unknown;
  showKeys: () => unknown;
}

export function pageEntries({ may }: Frame): Entry[] {
  return PAGES.filter((page) => (page.icon ?? page.key) && may(page.needs)).map(
    ({ id, icon, path, key }) => ({
      id: `page:${id}`,
      name: t.shell.pages[id],
      detail: key ? `g ${key}` : '',
      also: [],
      icon: icon ?? 'overview',
      go: path,
    }),
  );
}

/** Things to do, and the parts of the settings. */
export function deedEntries({ may, logOut, showKeys }: Frame): Entry[] {
  const words = t.shell.palette;
  const deed = (id: string, name: string, icon: IconName, go: Entry['go'], also: string[] = []): Entry => ({
    id: `deed:${id}`,
    name,
    detail: words.deed,
    also,
    icon,
    go,
  });
  const adding = [
    deed('host', t.common.addHost, 'plus', '/connections?add=host', ['ssh linux']),
    deed('proxmox', t.common.connectProxmox, 'plug', '/connections?add=proxmox', ['pve cluster']),
    deed('start', t.start.title, 'play', '/start'),
    deed('import', words.importHosts, 'down', '/connections?add=import', ['ansible ssh config']),
  ];
  // Connections are a page of their own, and found as one.
  const sections = SECTIONS.filter(({ id, needs }) => id !== 'connections' && may(needs));
  const parts = sections.map(({ id, path, icon }) => ({
    id: `setting:${id}`,
    name: t.settings.sections[id],
    detail: t.shell.pages.settings,
    also: [t.shell.pages.settings, t.settings.about[id]],
    icon,
    go: path,
  }));
  return [
    ...(may('admin') ? adding : []),
    ...parts,
    ...THEMES.filter((theme) => theme !== chosen.theme).map((theme) =>
      deed(`theme:${theme}`, t.common.themeIs(t.common.themes[theme]), 'sun', () => (chosen.theme = theme)),
    ),
    ...LANGUAGES.filter((language) => language !== spoken.language).map((language) => ({
      ...deed(`language:${language}`, NAMES[language], 'speech', () => spoken.choose(language)),
      also: [t.common.language, language],
      detail: t.common.language,
      lang: language,
    })),
    deed('keys', t.shell.keys.title, 'keys', showKeys),
    deed('out', t.shell.logOut, 'out', logOut),
  ];
}

export function hostEntry(host: Host): Entry {
  const place = placeText(host);
  return {
    id: `host:${host.id}`,
    name: host.name,
    detail: [kindText(host.kind), place].filter(Boolean).join(', '),
    also: [place, host.cluster, ...host.groups, ...host.tags],
    icon: 'fleet',
    go: `/hosts/${encodeURIComponent(host.id)}`,
  };
}

export function guestEntry({ id, vmid, name, node, cluster, kind, ip_addresses, tags }: GuestCard): Entry {
  return {
    id: `guest:${id}`,
    name: name ?? vmid,
    detail: `${t.common.guestKinds[kind]} ${vmid}, ${node}`,
    also: [vmid, node, cluster, ...ip_addresses, ...tags],
    icon: 'guest',
    go: `/guests/${encodeURIComponent(id)}`,
  };
}

export function storageEntry({ id, name, node, type }: StorageCard): Entry {
  return {
    id: `storage:${id}`,
    name,
    detail: `${t.shell.pages.storage} ${type}, ${node}`,
    also: [node, type],
    icon: 'disk',
    go: `/storage/${encodeURIComponent(id)}`,
  };
}

export function clusterEntry({ id, name, cluster }: ClusterRow): Entry {
  return {
    id: `cluster:${id}`,
    name,
    detail: t.shell.pages.cluster,
    also: [cluster],
    icon: 'network',
    go: entityHref(`cluster:${id}`) ?? '/connections',
  };
}
