import type { connections as English } from '../en/connections';

export const connections: typeof English = {};
