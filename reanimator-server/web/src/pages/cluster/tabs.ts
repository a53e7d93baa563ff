/** The parts of a cluster's page, each with an address of its own. */
import { t } from '../../i18n';
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
  {
    id: 'summary',
    get title() {
      return t.facts.summary;
    },
    content: Summary,
  },
  {
    id: 'guests',
    get title() {
      return t.facts.guests;
    },
    content: Guests,
  },
  {
    id: 'ha',
    get title() {
      return t.cluster.highAvailability;
    },
    content: HighAvailability,
  },
  {
    id: 'storage',
    get title() {
      return t.facts.storage;
    },
    content: Storage,
  },
  {
    id: 'ceph',
    get title() {
      return t.cluster.ceph;
    },
    content: Ceph,
  },
  {
    id: 'network',
    get title() {
      return t.facts.network;
    },
    content: Network,
  },
  {
    id: 'replication',
    get title() {
      return t.cluster.replication;
    },
    content: Replication,
  },
  {
    id: 'backups',
    get title() {
      return t.facts.backups;
    },
    content: Backups,
  },
  {
    id: 'tasks',
    get title() {
      return t.cluster.tasks;
    },
    content: Tasks,
  },
];
