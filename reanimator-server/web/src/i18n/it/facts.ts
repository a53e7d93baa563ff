import type { facts as English } from '../en/facts';

export const facts: typeof English = {};
