import type { common as English } from '../en/common';

export const common: typeof English = {
  yes: 'sì',
  no: 'no',
};
