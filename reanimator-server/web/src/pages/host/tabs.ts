/** The parts of a host's page, each with an address of its own. */
import { t } from '../../i18n';
import type { Component } from 'svelte';
import type { Host, HostDetail, HostDetails } from '../../api/types';
import { session } from '../../session.svelte';
import Hardware from './tabs/Hardware.svelte';
import Guests from './tabs/Guests.svelte';
import Network from './tabs/Network.svelte';
import Licence from './tabs/Licence.svelte';
import Storage from './tabs/Storage.svelte';
import Summary from './tabs/Summary.svelte';
import Services from './tabs/Services.svelte';
import Units from './tabs/Units.svelte';
import Updates from './tabs/Updates.svelte';
import Past from './tabs/Past.svelte';
import Terminal from './tabs/Terminal.svelte';

/** All that a part of the page is given. */
export interface HostView {
  host: Host;
  details: HostDetails;
  /** What it was last asked for besides; null until it came. */
  detail: HostDetail | null;
}

export interface Tab {
  id: string;
  title: string;
  content: Component<HostView>;
  /** Whether such a host has it; all do unless said otherwise. */
  of?: (host: Host) => boolean;
}

const isNode = ({ kind }: Host) => kind !== 'linux';

export const TABS: readonly Tab[] = [
  {
    id: 'summary',
    get title() {
      return t.facts.summary;
    },
    content: Summary,
  },
  {
    id: 'hardware',
    get title() {
      return t.host.hardware;
    },
    content: Hardware,
  },
  {
    id: 'storage',
    get title() {
      return t.facts.storage;
    },
    content: Storage,
  },
  {
    id: 'network',
    get title() {
      return t.facts.network;
    },
    content: Network,
  },
  {
    id: 'guests',
    get title() {
      return t.facts.guests;
    },
    content: Guests,
    of: isNode,
  },
  {
    id: 'services',
    get title() {
      return t.host.servicesAndContainers;
    },
    content: Services,
  },
  {
    id: 'units',
    get title() {
      return t.host.units;
    },
    content: Units,
  },
  {
    id: 'updates',
    get title() {
      return t.facts.updates;
    },
    content: Updates,
  },
  {
    id: 'licence',
    get title() {
      return t.facts.licence;
    },
    content: Licence,
    of: isNode,
  },
  {
    id: 'terminal',
    get title() {
      return t.terminals.terminal;
    },
    content: Terminal,
    of: () => session.may('admin'),
  },
  {
    id: 'timeline',
    get title() {
      return t.facts.timeline;
    },
    content: Past,
  },
];

export function tabsOf(host: Host): readonly Tab[] {
  return TABS.filter(({ of }) => of?.(host) ?? true);
}
