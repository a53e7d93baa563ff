import type { onestorage as English } from '../en/onestorage';

export const onestorage: typeof English = {
  room: 'Spazio',
  history: 'Storico',
  itCannotBeUsedNow: 'Adesso non è utilizzabile',
  thereIsNoSuchStorage: 'Questo archivio non esiste',
};
