import type { network as English } from '../en/network';

export const network: typeof English = {};
