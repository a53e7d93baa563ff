import { format } from '..';
import { counted } from '../counted';
import type { shell as English } from '../en/shell';

export const shell: typeof English = {
  pages: {
    overview: 'Übersicht',
    hosts: 'Hosts',
    host: 'Host',
    guests: 'Gäste',
    guest: 'Gast',
    storage: 'Speicher',
    onestorage: 'Speicher',
    network: 'Netzwerk',
    clusters: 'Cluster',
    cluster: 'Cluster',
    alerts: 'Meldungen',
    alertpart: 'Meldungen',
    operations: 'Vorgänge',
    operation: 'Vorgang',
    scripts: 'Skripte',
    run: 'Ausführen',
    terminals: 'Terminals',
    connections: 'Verbindungen',
    settings: 'Einstellungen',
    setting: 'Einstellungen',
    start: 'Erste Schritte',
  },
  /** Behind the name of the alerts in the menu. */
  goingOn: (count: number) => `${format.count(count)} offen`,
  menu: 'Seiten',
  skip: 'Zum Inhalt springen',
  notFound: 'Nicht gefunden',
  noPage: 'Unter dieser Adresse gibt es keine Seite',
  toOverview: 'Zur Übersicht',

  live: 'Live',
  connecting: 'Verbindung wird aufgebaut',
  lost: 'Verbindung verloren',
  figuresOf: (time) => `; Stand der Werte: ${time}`,
  nextTry: (wait) => `nächster Versuch in ${wait}`,
  tryingNow: 'Versuch läuft',

  account: 'Konto',
  loggedInAs: 'Angemeldet als',
  logOut: 'Abmelden',

  find: 'Suchen',
  palette: {
    title: 'Etwas finden oder tun',
    hint: 'Host, Gast, Adresse, Tag, Seite, Einstellung …',
    found: 'Gefunden',
    count: (count) => counted(count, 'Treffer', 'Treffer'),
    among: (count) => `${format.count(count)} Einträge durchsucht`,
    nothing: 'Nichts heißt so.',
    reading: 'Gäste und Speicher werden gelesen',
    deed: 'Ausführen',
    importHosts: 'Hosts importieren',
  },

  keys: {
    title: 'Tasten',
    control: 'Strg',
    escapeKey: 'Esc',
    everywhere: 'Überall',
    go: 'Zu einer Seite gehen',
    search: 'Auf der Seite suchen, sonst überall',
    palette: 'Host, Gast, Seite oder Einstellung finden oder etwas tun',
    help: 'Diese Tasten anzeigen',
    escape: 'Schließen, was offen ist',
    notInFields: 'Beim Schreiben in ein Feld bleiben Buchstaben Buchstaben.',
  },
};
