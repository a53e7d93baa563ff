import type { onestorage as English } from '../en/onestorage';

export const onestorage: typeof English = {
  room: 'Platz',
};
