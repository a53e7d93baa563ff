import { counted } from '../counted';
import type { table as English } from '../en/table';

export const table: typeof English = {
  choose: (name) => `Seleziona ${name}`,
  selection: 'Selezione',
  selected: (count) => counted(count, 'selezionato', 'selezionati'),
  clear: 'Deseleziona',
  columns: 'Colonne',
  noRoom: 'non c’è spazio',
  asAtFirst: 'Ripristina',
  groupBy: 'Raggruppa per',
  noGroups: 'Senza gruppi',
  by: (title) => `Per ${title.toLowerCase()}`,
  everyWord: (looksAt) => `Ogni parola del filtro deve comparire: ${looksAt.toLowerCase()}.`,
  asking: 'Richiesta al server in corso',
  spark: (of, least, average, most) =>
    `${of} nell’ultima ora: minimo ${least}, media ${average}, massimo ${most}`,
  noSpark: (of) => `${of}: nessun dato per l’ultima ora`,
};
