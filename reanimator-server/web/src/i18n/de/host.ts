import type { host as English } from '../en/host';

export const host: typeof English = {};
