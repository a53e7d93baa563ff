/** The storages' table: of clusters, shared ones once, and the file systems of hosts. */
import type { StorageRow } from '../../api/types';
import { NONE } from '../../format';
import { format, t } from '../../i18n';
import type { Column } from '../../table/table';

export const COLUMNS: readonly Column<StorageRow>[] = [
  {
    id: 'name',
    get title() {
      return t.storage.columns.name;
    },
    key: ({ name }) => name,
    width: 11,
  },
  {
    id: 'node',
    get title() {
      return t.storage.columns.node;
    },
    key: ({ node }) => node,
    text: ({ node }) => node.replaceAll(',', ', '),
    width: 9,
    rank: 2,
  },
  {
    id: 'type',
    get title() {
      return t.storage.columns.type;
    },
    key: ({ type }) => type,
    text: ({ type }) => type,
    width: 6,
    rank: 3,
  },
  {
    id: 'used',
    get title() {
      return t.storage.columns.used;
    },
    key: (row) => row.used_percent,
    numeric: true,
    meter: true,
    width: 9,
  },
  {
    id: 'free',
    get title() {
      return t.storage.columns.free;
    },
    key: (row) => row.available_gb,
    text: (row) => format.gib(row.available_gb),
    numeric: true,
    width: 6,
    rank: 1,
  },
  {
    id: 'total',
    get title() {
      return t.storage.columns.total;
    },
    key: (row) => row.total_gb,
    text: (row) => format.gib(row.total_gb),
    numeric: true,
    width: 6,
    rank: 4,
  },
  {
    id: 'state',
    get title() {
      return t.storage.columns.state;
    },
    key: ({ active }) => (active ? 1 : 0),
    width: 8,
    rank: 5,
  },
  {
    id: 'shared',
    get title() {
      return t.storage.columns.shared;
    },
    key: ({ shared }) => (shared ? 0 : 1),
    text: ({ shared }) => format.yes(shared),
    width: 4.5,
    rank: 7,
  },
  {
    id: 'content',
    get title() {
      return t.storage.columns.content;
    },
    key: ({ content }) => content,
    text: ({ content }) => content?.replaceAll(',', ', ') || NONE,
    width: 10,
    rank: 6,
  },
  {
    id: 'cluster',
    get title() {
      return t.storage.columns.cluster;
    },
    key: ({ cluster }) => cluster,
    text: ({ cluster }) => cluster ?? NONE,
    width: 6,
    rank: 8,
    extra: true,
  },
  {
    id: 'age',
    get title() {
      return t.storage.columns.age;
    },
    key: (row) => (row.observed_at ? -Date.parse(row.observed_at) : null),
    numeric: true,
    smallFirst: true,
    width: 4.5,
    rank: 9,
  },
];

export const searchable = (row: StorageRow) => [
  row.name,
  row.node,
  row.cluster,
  row.type,
  row.content,
  row.shared ? 'shared' : 'local',
  row.shared ? t.storage.shared : t.storage.local,
];
