/** Every large table: its filter, columns, groups and selection. */
import { counted } from '../counted';

export const table = {
  choose: (name: string) => `Choose ${name}`,
  selection: 'Selection',
  selected: (count: number) => `${counted(count, 'selected', 'selected')}`,
  clear: 'Clear',
  columns: 'Columns',
  noRoom: 'no room',
  asAtFirst: 'As at first',
  groupBy: 'Group by',
  noGroups: 'Not grouped',
  by: (title: string) => `By ${title.toLowerCase()}`,
  everyWord: (looksAt: string) => `Every word of the filter has to occur: ${looksAt.toLowerCase()}.`,
  asking: 'Asking the server',
  spark: (of: string, least: string, average: string, most: string) =>
    `${of} over the last hour: least ${least}, average ${average}, most ${most}`,
  noSpark: (of: string) => `${of}: no figures for the last hour`,
};
