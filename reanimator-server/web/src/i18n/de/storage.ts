import { format } from '..';
import { counted } from '../counted';
import type { storage as English } from '../en/storage';

export const storage: typeof English = {
  title: 'Speicher',
  noneYet: 'Noch kein Speicher gesehen',
  noneYetText:
    'Dateisysteme der Hosts und Speicher der Cluster stehen hier, sobald nach ihnen gesehen wurde.',
  useOf: (name) => `Belegung von ${name}`,
  inUse: 'in Benutzung',
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
    showAll: 'Alle Speicher zeigen',
    chooseAll: 'Alle gezeigten Speicher auswählen',
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
