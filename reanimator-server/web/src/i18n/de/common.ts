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
};
