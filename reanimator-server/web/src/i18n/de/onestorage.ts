import type { onestorage as English } from '../en/onestorage';

export const onestorage: typeof English = {
  room: 'Platz',
  history: 'Verlauf',
  itCannotBeUsedNow: 'Jetzt nicht nutzbar',
  thereIsNoSuchStorage: 'Diesen Speicher gibt es nicht',
};
