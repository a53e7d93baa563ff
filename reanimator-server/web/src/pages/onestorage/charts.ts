/** The chart of a storage's history. */
import type { Chart } from '../../history/chart';
import { format, t } from '../../i18n';

/** How a storage fills up. */
export const fillChart = (title = t.onestorage.room): Chart => ({
  title,
  lines: [
    { metric: 'used', label: t.history.used },
    { metric: 'total', label: t.history.all },
  ],
  text: format.bytes,
  binary: true,
});
