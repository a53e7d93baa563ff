/** The storages of the whole fleet. */
import { format } from '..';
import { counted } from '../counted';

export const storage = {
  title: 'Storage',
  noneYet: 'No storage seen yet',
  noneYetText: 'File systems of hosts and storages of clusters stand here once they have been looked at.',
  useOf: (name: string) => `Use of ${name}`,
  inUse: 'in use',
  notActive: 'not active',
  shared: 'shared',
  local: 'local',
  words: {
    label: 'Storages',
    filter: 'Filter storages',
    looksAt: 'Name, host, type, content, shared or local',
    all: (count: number) => counted(count, 'storage', 'storages'),
    some: (shown: number, total: number) =>
      `${format.count(shown)} of ${counted(total, 'storage', 'storages')}`,
    noMatch: 'No storage matches',
    showAll: 'Show all storages',
    chooseAll: 'Choose all shown storages',
  },
  columns: {
    name: 'Name',
    node: 'On',
    type: 'Type',
    used: 'Used',
    free: 'Free',
    total: 'Size',
    state: 'State',
    shared: 'Shared',
    content: 'Holds',
    cluster: 'Cluster',
    age: 'Seen',
  },
};
