import type { hosts as English } from '../en/hosts';

export const hosts: typeof English = {};
