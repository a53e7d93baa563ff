import type { guests as English } from '../en/guests';

export const guests: typeof English = {};
