import type { shell as English } from '../en/shell';

export const shell: typeof English = {
  pages: {
    overview: 'Übersicht',
    hosts: 'Hosts',
    host: 'Host',
    guests: 'Gäste',
    guest: 'Gast',
    storage: 'Speicher',
    onestorage: 'Ein Speicher',
    network: 'Netzwerk',
    clusters: 'Cluster',
    cluster: 'Cluster',
    run: 'Ausführen',
    connections: 'Verbindungen',
    settings: 'Einstellungen',
    setting: 'Einstellungen',
    start: 'Erste Schritte',
  },
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

  keys: {
    title: 'Tasten',
  },
};
