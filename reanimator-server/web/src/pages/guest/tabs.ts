/** The parts of a guest's page, each with an address of its own. */
import { t } from '../../i18n';
import type { Component } from 'svelte';
import type { GuestDetails, VmRow } from '../../api/types';
import { session } from '../../session.svelte';
import Backups from './tabs/Backups.svelte';
import Configuration from './tabs/Configuration.svelte';
import Network from './tabs/Network.svelte';
import Overview from './tabs/Overview.svelte';
import Past from './tabs/Past.svelte';
import Snapshots from './tabs/Snapshots.svelte';
import Storage from './tabs/Storage.svelte';
import Terminal from './tabs/Terminal.svelte';

/** All that a part of the page is given. */
export interface GuestView {
  row: VmRow;
  details: GuestDetails;
}

interface Tab {
  id: string;
  title: string;
  content: Component<GuestView>;
  /** Whether the person who looks has it; all do unless said otherwise. */
  may?: () => boolean;
}

export const tabs = (): readonly Tab[] => TABS.filter(({ may }) => may?.() ?? true);

const TABS: readonly Tab[] = [
  {
    id: 'overview',
    get title() {
      return t.guest.overview;
    },
    content: Overview,
  },
  {
    id: 'configuration',
    get title() {
      return t.guest.configuration;
    },
    content: Configuration,
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
    id: 'snapshots',
    get title() {
      return t.guest.snapshots;
    },
    content: Snapshots,
  },
  {
    id: 'backups',
    get title() {
      return t.facts.backups;
    },
    content: Backups,
  },
  {
    id: 'terminal',
    get title() {
      return t.terminals.terminal;
    },
    content: Terminal,
    may: () => session.may('admin'),
  },
  {
    id: 'timeline',
    get title() {
      return t.facts.timeline;
    },
    content: Past,
  },
];
