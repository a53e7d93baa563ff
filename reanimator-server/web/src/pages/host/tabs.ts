/** The parts of a host's page, each with an address of its own. */
import type { Component } from 'svelte';
import type { Host, HostDetail, HostDetails } from '../../api/types';
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
  { id: 'summary', title: 'Summary', content: Summary },
  { id: 'hardware', title: 'Hardware', content: Hardware },
  { id: 'storage', title: 'Storage', content: Storage },
  { id: 'network', title: 'Network', content: Network },
  { id: 'guests', title: 'Guests', content: Guests, of: isNode },
  { id: 'services', title: 'Services and containers', content: Services },
  { id: 'units', title: 'Units', content: Units },
  { id: 'updates', title: 'Updates', content: Updates },
  { id: 'licence', title: 'Licence', content: Licence, of: isNode },
  { id: 'timeline', title: 'Timeline', content: Past },
];

export function tabsOf(host: Host): readonly Tab[] {
  return TABS.filter(({ of }) => of?.(host) ?? true);
}
