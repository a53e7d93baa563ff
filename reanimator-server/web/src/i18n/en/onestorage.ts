export const onestorage = {
  room: 'Room',
  history: 'History',
  itCannotBeUsedNow: 'It cannot be used now',
  thereIsNoSuchStorage: 'There is no such storage',
  useOf: (name: string) => `Use of ${name}`,
  usedOf: (used: string, total: string, free: string) => `${used} of ${total}, ${free} free`,
  historyOfHost: 'A file system’s history is its host’s:',
  storageOf: (host: string) => `storage of ${host}`,
  removed: 'It has been removed, or its host or cluster is no longer connected.',
  allStorages: 'All storages',
  host: 'Host',
};
