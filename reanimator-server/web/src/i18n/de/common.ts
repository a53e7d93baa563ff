import { counted } from '../counted';
import type { common as English } from '../en/common';

export const common: typeof English = {
  yes: 'ja',
  no: 'nein',

  add: 'Hinzufügen',
  back: 'Zurück',
  cancel: 'Abbrechen',
  close: 'Schließen',
  copy: 'Kopieren',
  next: 'Weiter',
  remove: 'Entfernen',
  save: 'Speichern',
  test: 'Testen',
  tryAgain: 'Erneut versuchen',
  tryNow: 'Jetzt versuchen',
  showAll: (count) => `Alle ${count} anzeigen`,
  addHost: 'Host hinzufügen',
  connectProxmox: 'Proxmox verbinden',

  optional: '(optional)',
  copied: 'Kopiert',
  copyByKeyboard: 'Markiert; bitte mit der Tastatur kopieren',
  compare: 'Bitte mit dem vergleichen, was dieser Befehl auf der Maschine selbst anzeigt:',
  whatToDo: 'Was zu tun ist:',
  connectionWorks: 'Die Verbindung funktioniert.',
  connectionFails: 'Die Verbindung funktioniert nicht.',
  worked: 'erfolgreich',
  failed: 'fehlgeschlagen',

  hosts: (count) => counted(count, 'Host', 'Hosts'),
  guests: (count) => counted(count, 'Gast', 'Gäste'),

  never: 'nie',
  old: '(veraltet)',
  seen: 'Gesehen',
  ago: (age) => `vor ${age}`,
  observed: (moment) => `Beobachtet: ${moment}`,
  neverObserved: 'Noch nie beobachtet',

  states: { online: 'online', offline: 'offline', unknown: 'unbekannt', maintenance: 'Wartung' },
  kinds: { linux: 'Linux', proxmox: 'Proxmox', both: 'Proxmox + Linux' },
  ways: { local: 'lokal', ssh: 'SSH', proxmox: 'Proxmox-API' },
  reachedBy: (ways) => `Zugang: ${ways}`,
  notReachedYet: 'noch nicht erreicht',
  thisMachine: 'diese Maschine',

  guestStates: { running: 'läuft', stopped: 'gestoppt', paused: 'pausiert', unknown: 'unbekannt' },
  guestKinds: { qemu: 'Virtuelle Maschine', lxc: 'Container' },
  template: 'Vorlage',

  roles: { viewer: 'Beobachter', operator: 'Operator', admin: 'Administrator' },

  levels: { critical: 'kritisch', warning: 'Warnung', notice: 'Hinweis' },
  health: {
    unknown: 'unbekannt',
    good: 'gut',
    warning: 'Warnung',
    degraded: 'degradiert',
    failed: 'ausgefallen',
  },

  language: 'Sprache',
  languageOfBrowser: 'Wie im Browser',
  colours: 'Farben',
  themes: { system: 'Wie im System', light: 'Hell', dark: 'Dunkel' },
  themeIs: (theme) => `Farben: ${theme}`,
  themeNext: (theme, next) => `Farben: ${theme}. Wechseln zu: ${next}`,

  problems: {
    something: 'Etwas ist schiefgegangen.',
    failed: 'Das hat nicht funktioniert',
    status: (status) => `Der Server hat mit ${status} geantwortet`,
    noAnswer: 'Keine Antwort vom Server',
    noAnswerNext:
      'Prüfen, ob „reanimator serve“ läuft und von dieser Maschine aus erreichbar ist, dann erneut versuchen.',
  },

  problemTitles: {
    unreachable: 'Nicht erreichbar',
    timeout: 'Keine Antwort innerhalb der Wartezeit',
    'auth-failed': 'Die Anmeldung wurde abgelehnt',
    'host-key-unknown': 'Der Host-Schlüssel ist noch unbekannt',
    'host-key-changed': 'Der Host-Schlüssel hat sich geändert',
    'certificate-unknown': 'Das Zertifikat ist noch unbekannt',
    'certificate-changed': 'Das Zertifikat hat sich geändert',
    denied: 'Nicht erlaubt',
    protocol: 'Die Gegenseite hat Unverständliches geantwortet',
    'not-found': 'Nicht gefunden',
    invalid: 'Ungültige Eingabe',
    conflict: 'Widerspricht dem, was schon da ist',
    busy: 'Anderweitig belegt',
    storage: 'Die Datenbank meldet einen Fehler',
    unauthenticated: 'Nicht angemeldet',
    'rate-limited': 'Zu viele Versuche',
    cancelled: 'Abgebrochen',
    internal: 'Interner Fehler',
  },
  problemSteps: {
    unreachable:
      'Prüfen, ob die Maschine läuft, ihr Netzwerk funktioniert und keine Firewall dazwischensteht; dann Adresse und Port.',
    timeout: 'Prüfen, ob die Maschine läuft und keine Firewall die Pakete verwirft, dann erneut versuchen.',
    'auth-failed': 'Benutzer und Passwort, Schlüssel oder Token prüfen.',
    'host-key-unknown':
      'Den Fingerabdruck mit dem auf der Maschine selbst vergleichen, dann dem Schlüssel vertrauen.',
    'host-key-changed':
      'Wurde die Maschine neu aufgesetzt, den neuen Schlüssel auf ihrer Seite vergleichen und ihm dort vertrauen. Wenn nicht, sitzt vielleicht jemand dazwischen.',
    'certificate-unknown':
      'Den Fingerabdruck mit dem auf dem Knoten selbst vergleichen, dann dem Zertifikat vertrauen.',
    'certificate-changed':
      'Wurde das Zertifikat erneuert, die Verbindung entfernen, neu verbinden und dabei den neuen Fingerabdruck vergleichen. Wenn nicht, sitzt vielleicht jemand dazwischen.',
    busy: 'Einen Moment warten, dann erneut versuchen.',
    storage: 'Prüfen, ob der Datenträger des Servers voll oder schreibgeschützt ist.',
    unauthenticated: 'Erneut anmelden.',
    'rate-limited': 'Etwas warten, dann erneut versuchen.',
  },
};
