/** The parts of a cluster's page, each with an address of its own. */
import type { Component } from 'svelte';
import type { ClusterDetails, ClusterRow } from '../../api/types';
import Backups from './tabs/Backups.svelte';
import Ceph from './tabs/Ceph.svelte';
import Guests from './tabs/Guests.svelte';
import HighAvailability from './tabs/HighAvailability.svelte';
import Network from './tabs/Network.svelte';
import Replication from './tabs/Replication.svelte';
import Storage from './tabs/Storage.svelte';
import Summary from './tabs/Summary.svelte';
import Tasks from './tabs/Tasks.svelte';

/** All that a part of the page is given. */
export interface ClusterView {
  cluster: ClusterRow;
  details: ClusterDetails;
}

export interface Tab {
  id: string;
  title: string;
  content: Component<ClusterView>;
}

export const TABS: readonly Tab[] = [
  { id: 'summary', title: 'Summary', content: Summary },
  { id: 'guests', title: 'Guests', content: Guests },
  { id: 'ha', title: 'High availability', content: HighAvailability },
  { id: 'storage', title: 'Storage', content: Storage },
  { id: 'ceph', title: 'Ceph', content: Ceph },
  { id: 'network', title: 'Network', content: Network },
  { id: 'replication', title: 'Replication', content: Replication },
  { id: 'backups', title: 'Backups', content: Backups },
  { id: 'tasks', title: 'Tasks', content: Tasks },
];
