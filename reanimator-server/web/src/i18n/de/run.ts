import type { run as English } from '../en/run';

export const run: typeof English = {};
