import type { storage as English } from '../en/storage';

export const storage: typeof English = {};
