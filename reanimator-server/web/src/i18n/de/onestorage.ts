import type { onestorage as English } from '../en/onestorage';

export const onestorage: typeof English = {
  room: 'Platz',
  history: 'Verlauf',
  itCannotBeUsedNow: 'Zurzeit nicht nutzbar',
  thereIsNoSuchStorage: 'Diesen Speicher gibt es nicht',
  useOf: (name) => `Belegung von ${name}`,
  usedOf: (used, total, free) => `${used} von ${total}, ${free} frei`,
  historyOfHost: 'Der Verlauf eines Dateisystems steht beim Host:',
  storageOf: (host) => `Speicher von ${host}`,
  removed: 'Er wurde entfernt, oder sein Host oder Cluster ist nicht mehr verbunden.',
  allStorages: 'Alle Speicher',
  host: 'Host',
};
