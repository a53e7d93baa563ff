import type { guest as English } from '../en/guest';

export const guest: typeof English = {};
