import type { cluster as English } from '../en/cluster';

export const cluster: typeof English = {};
