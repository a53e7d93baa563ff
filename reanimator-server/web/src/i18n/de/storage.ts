import { format } from '..';
import { counted } from '../counted';
import type { storage as English } from '../en/storage';

export const storage: typeof English = {
  title: 'Speicher',
  noneYet: 'Noch kein Speicher gesehen',
  noneYetText:
    'Dateisysteme der Hosts und Speicher der Cluster erscheinen hier, sobald sie abgefragt wurden.',
  useOf: (name) => `Belegung von ${name}`,
  inUse: 'aktiv',
  notActive: 'nicht aktiv',
  shared: 'gemeinsam',
  local: 'lokal',
  words: {
    label: 'Speicher',
    filter: 'Speicher filtern',
    looksAt: 'Name, Host, Typ, Inhalt, gemeinsam oder lokal',
    all: (count) => counted(count, 'Speicher', 'Speicher'),
    some: (shown, total) => `${format.count(shown)} von ${counted(total, 'Speicher', 'Speichern')}`,
    noMatch: 'Kein Speicher passt',
    showAll: 'Alle Speicher anzeigen',
    chooseAll: 'Alle angezeigten Speicher auswählen',
  },
  columns: {
    name: 'Name',
    node: 'Auf',
    type: 'Typ',
    used: 'Belegt',
    free: 'Frei',
    total: 'Größe',
    state: 'Zustand',
    shared: 'Gemeinsam',
    content: 'Enthält',
    cluster: 'Cluster',
    age: 'Gesehen',
  },
};
