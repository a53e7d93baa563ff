import type { onestorage as English } from '../en/onestorage';

export const onestorage: typeof English = {
  room: 'Spazio',
  history: 'Storico',
  itCannotBeUsedNow: 'Adesso non è utilizzabile',
  thereIsNoSuchStorage: 'Questo storage non esiste',
  useOf: (name) => `Uso di ${name}`,
  usedOf: (used, total, free) => `${used} di ${total}, ${free} liberi`,
  historyOfHost: 'Lo storico di un file system è quello del suo host:',
  storageOf: (host) => `storage di ${host}`,
  removed: 'È stato rimosso, o il suo host o cluster non è più collegato.',
  allStorages: 'Tutti gli storage',
  host: 'Host',
};
