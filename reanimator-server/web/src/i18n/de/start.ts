import type { start as English } from '../en/start';

export const start: typeof English = {
  logIn: 'Anmelden',
  userName: 'Benutzername',
  password: 'Passwort',
  setupDone: 'Das erste Konto gibt es bereits; dieser Link hat seinen Dienst getan.',

  makeFirst: 'Das erste Konto anlegen',
  makeFirstText:
    'Dieses Konto darf alles. Weitere Personen mit weniger Rechten lassen sich später hinzufügen.',
  setupToken: 'Einrichtungs-Token',
  setupTokenHint: 'Der Teil hinter dem # des Links, den der Server beim Start ausgegeben hat.',
  passwordHint: (least) =>
    `${least} Zeichen oder mehr; ein paar Wörter sind leicht zu merken und schwer zu erraten.`,
  passwordAgain: 'Passwort wiederholen',
  userNameMissing: 'Einen Namen eingeben.',
  passwordShort: (least) => `${least} Zeichen oder mehr verwenden.`,
  passwordsDiffer: 'Die beiden Passwörter sind verschieden.',
  make: 'Konto anlegen',

  title: 'Erste Schritte',
  intro: 'Jeder Schritt lässt sich überspringen und später nachholen. Was hier hinzukommt, erscheint sofort.',
  progress: (done, all) => `${done} von ${all} erledigt`,
  states: { done: 'erledigt', now: 'jetzt', later: 'später', skipped: 'übersprungen' },
  skip: 'Überspringen',
  skipOf: (step) => `Überspringen: ${step}`,
  toOverview: 'Zur Übersicht',
  allDone: 'Alle Schritte sind erledigt. Die Flotte wird beobachtet.',
  added: (name) => `${name} wurde hinzugefügt.`,
  imported: (hosts) => `${hosts} hinzugefügt; die erste Abfrage läuft.`,
  moreHosts: (count) => `Und ${count} weitere`,
  cpu: 'CPU',
  memory: 'RAM',
  cpuOf: (host) => `CPU von ${host}`,
  memoryOf: (host) => `RAM von ${host}`,
  keyWaits: 'Sein Schlüssel ist unten zu vergleichen.',
  firstLook: 'Die erste Abfrage läuft.',

  account: {
    title: 'Konto angelegt',
    text: (name) => `Angemeldet als ${name}, mit allen Rechten.`,
  },
  machine: {
    title: 'Diese Maschine wird beobachtet',
    text: 'Reanimator beobachtet die Maschine, auf der es läuft, von selbst und ohne Verbindung.',
    absent: 'Diese Maschine ist nicht in der Flotte.',
  },
  host: {
    title: 'Linux-Host hinzufügen',
    text: 'Jede Maschine mit SSH. Dort wird nichts installiert; der Schlüssel wird zum Vergleichen angezeigt, bevor etwas gesendet wird.',
    again: 'Weiteren Host hinzufügen',
  },
  proxmox: {
    title: 'Proxmox verbinden',
    text: 'Ein Knoten und ein API-Token genügen: Alle Knoten, Gäste und Speicher kommen mit. Was gefunden wurde, ist vor dem Speichern zu sehen.',
    again: 'Weiteres Proxmox verbinden',
  },
  import: {
    title: 'Hosts importieren',
    text: 'Aus ~/.ssh/config oder einem Ansible-Inventar: Welche Hosts darin stehen, ist zu sehen, bevor einer hinzukommt.',
    again: 'Weitere importieren',
  },

  logInFailed: 'Anmeldung fehlgeschlagen',
  logInWrong: 'Benutzername oder Passwort ist falsch.',
  importWaits: 'Noch hat keiner davon geantwortet.',
};
