import type { shell as English } from '../en/shell';

export const shell: typeof English = {};
