/** The parts of a guest's page, each with an address of its own. */
import type { Component } from 'svelte';
import type { GuestDetails, VmRow } from '../../api/types';
import Backups from './tabs/Backups.svelte';
import Configuration from './tabs/Configuration.svelte';
import Network from './tabs/Network.svelte';
import Overview from './tabs/Overview.svelte';
import Past from './tabs/Past.svelte';
import Snapshots from './tabs/Snapshots.svelte';
import Storage from './tabs/Storage.svelte';

/** All that a part of the page is given. */
export interface GuestView {
  row: VmRow;
  details: GuestDetails;
}

export const TABS: readonly { id: string; title: string; content: Component<GuestView> }[] = [
  { id: 'overview', title: 'Overview', content: Overview },
  { id: 'configuration', title: 'Configuration', content: Configuration },
  { id: 'storage', title: 'Storage', content: Storage },
  { id: 'network', title: 'Network', content: Network },
  { id: 'snapshots', title: 'Snapshots', content: Snapshots },
  { id: 'backups', title: 'Backups', content: Backups },
  { id: 'timeline', title: 'Timeline', content: Past },
];
