import { counted } from '../counted';
import type { table as English } from '../en/table';

export const table: typeof English = {
  choose: (name) => `${name} auswählen`,
  selection: 'Auswahl',
  selected: (count) => counted(count, 'ausgewählt', 'ausgewählt'),
  clear: 'Aufheben',
  columns: 'Spalten',
  noRoom: 'kein Platz',
  asAtFirst: 'Zurücksetzen',
  groupBy: 'Gruppieren nach',
  noGroups: 'Nicht gruppiert',
  by: (title) => `Nach ${title}`,
  everyWord: (looksAt) => `Jedes Wort des Filters muss vorkommen: ${looksAt}.`,
  asking: 'Server wird abgefragt',
  spark: (of, least, average, most) =>
    `${of} in der letzten Stunde: mindestens ${least}, im Mittel ${average}, höchstens ${most}`,
  noSpark: (of) => `${of}: keine Werte für die letzte Stunde`,
};
