import { counted } from '../counted';
import type { operations as English } from '../en/operations';

export const operations: typeof English = {
  title: 'Vorgänge',
  operation: 'Vorgang',
  underWay: 'In Arbeit',
  over: 'Abgeschlossen',
  nothingUnderWay: 'Zurzeit wird nichts ausgeführt.',
  noneYet: 'Bisher wurde nichts ausgeführt',
  noneYetHint:
    'Was auf der Seite eines Gasts oder eines Hosts gestartet wird, lässt sich hier verfolgen und bleibt hier stehen.',
  showOlder: 'Ältere anzeigen',
  asking: 'Der Server wird gefragt',
  toAll: 'Zu allen Vorgängen',
  thereIsNone: 'Diesen Vorgang gibt es nicht.',

  what: 'Was',
  state: 'Zustand',
  note: 'Hinweis',
  askedBy: 'Angefordert von',
  from: 'Von',
  askedAt: 'Angefordert',
  began: 'Begonnen',
  ended: 'Beendet',
  took: 'Dauer',
  done: 'Fortschritt',
  carriedOutBy: 'Ausgeführt von',
  steps: 'Schritte',
  about: 'Betrifft',
  outcome: 'Ergebnis',
  handle: 'Wiederzufinden als',
  log: 'Protokoll',
  noLog: 'Noch keine Ausgabe.',
  step: (number) => `Schritt ${number}`,
  progress: (title) => `Fortschritt von „${title}“`,

  states: {
    waiting: 'wartet',
    running: 'läuft',
    done: 'erledigt',
    failed: 'fehlgeschlagen',
    cancelled: 'angehalten',
    undoing: 'wird rückgängig gemacht',
    undone: 'rückgängig gemacht',
  },
  willStop: 'hält vor dem nächsten Schritt an',
  willBeUndone: 'wird rückgängig gemacht',
  stepStates: {
    pending: 'steht aus',
    intended: 'beginnt',
    begun: 'läuft',
    done: 'erledigt',
    already: 'war schon so',
    failed: 'fehlgeschlagen',
    skipped: 'ausgelassen',
  },
  takesBack: (number) => `nimmt Schritt ${number} zurück`,

  guestSteps: {
    start: (name) => `Gast ${name} starten`,
    stop: (name) => `Gast ${name} hart ausschalten`,
    shutdown: (name) => `Gast ${name} herunterfahren`,
    reboot: (name) => `Gast ${name} neu starten`,
    suspend: (name) => `Gast ${name} anhalten`,
    resume: (name) => `Gast ${name} fortsetzen`,
  },
  snapshotSteps: {
    create: (name, guest) => `Snapshot ${name} von Gast ${guest} anlegen`,
    delete: (name, guest) => `Snapshot ${name} von Gast ${guest} löschen`,
    'roll-back': (name, guest) => `Gast ${guest} auf den Snapshot ${name} zurücksetzen`,
  },
  snapshotConsequences: {
    create: 'Der Gast läuft weiter; der jetzige Stand lässt sich wiederherstellen.',
    delete: 'Was nur dieser Snapshot enthält, ist endgültig weg.',
    'roll-back': 'Alles, was der Gast seit dem Snapshot geschrieben hat, ist endgültig weg.',
  },
  unitSteps: {
    start: (unit, host) => `${unit} auf ${host} starten`,
    stop: (unit, host) => `${unit} auf ${host} stoppen`,
    restart: (unit, host) => `${unit} auf ${host} neu starten`,
    enable: (unit, host) => `${unit} auf ${host} aktivieren`,
    disable: (unit, host) => `${unit} auf ${host} deaktivieren`,
  },

  stop: 'Anhalten',
  stopTitle: 'Diesen Vorgang anhalten?',
  stopText: 'Er endet vor dem nächsten Schritt. Ein Schritt, der bereits läuft, wird zu Ende geführt.',
  stays: 'Das ist erledigt und bleibt so:',
  nothingDone: 'Noch ist kein Schritt erledigt.',
  leftOut: (count) =>
    count === 1
      ? '1 noch nicht begonnener Schritt entfällt.'
      : `${counted(count, 'Schritt', 'noch nicht begonnene Schritte')} entfallen.`,
  undo: 'Rückgängig machen',
  undoTitle: 'Diesen Vorgang rückgängig machen?',
  undoText: 'Zurückgenommen wird, der letzte Schritt zuerst:',
  undoLimits: 'Was sich nicht zurücknehmen lässt, etwa ein Neustart, bleibt, wie es ist.',
  undoOutage: 'Einen Start zurückzunehmen heißt, das Gestartete zu stoppen.',

  power: 'Ein/Aus',
  powerOf: (name) => `Ein/Aus von ${name}`,
  verbs: {
    start: 'Starten',
    stop: 'Hart ausschalten',
    shutdown: 'Herunterfahren',
    reboot: 'Neu starten',
    suspend: 'Anhalten',
    resume: 'Fortsetzen',
    restart: 'Neu starten',
    enable: 'Aktivieren',
    disable: 'Deaktivieren',
  },
  guestConsequences: {
    start: 'Der Gast wird eingeschaltet. Was schon läuft, bleibt unberührt.',
    stop: 'Der Stecker wird gezogen. Was das Gastsystem noch nicht geschrieben hat, geht verloren; seine Dienste fehlen bis zum nächsten Start.',
    shutdown:
      'Das Gastsystem wird gebeten herunterzufahren. Seine Dienste fehlen bis zum nächsten Start. Folgt es nicht innerhalb von 60 Sekunden, läuft der Gast weiter und der Schritt schlägt fehl.',
    shutdownThenStop:
      'Das Gastsystem wird gebeten herunterzufahren. Folgt es nicht innerhalb von 60 Sekunden, wird der Stecker gezogen, und noch nicht Geschriebenes geht verloren. Seine Dienste fehlen bis zum nächsten Start.',
    reboot:
      'Das Gastsystem wird gebeten, neu zu starten. Seine Dienste fehlen, bis es wieder da ist. Ist es nach 60 Sekunden nicht heruntergefahren, läuft der Gast weiter und der Schritt schlägt fehl.',
    suspend:
      'Der Gast wird eingefroren, sein Arbeitsspeicher bleibt auf dem Knoten. Seine Dienste antworten nicht, bis er fortgesetzt wird.',
    resume: 'Der Gast läuft dort weiter, wo er eingefroren wurde.',
  },
  unitConsequences: {
    start: 'Die Unit wird gestartet. Was schon läuft, bleibt unberührt.',
    stop: 'Die Unit wird gestoppt. Was sie bereitstellt, fehlt bis zum nächsten Start.',
    restart:
      'Die Unit wird gestoppt und gestartet. Was sie bereitstellt, fehlt währenddessen; laufende Arbeit bricht ab.',
    enable: 'Sie startet künftig mit dem System. Jetzt wird sie nicht gestartet.',
    disable: 'Sie startet künftig nicht mehr mit dem System. Jetzt wird sie nicht gestoppt.',
  },
  thenStop: 'Stecker ziehen, wenn es länger als 60 Sekunden dauert',
  risk: 'Risiko',
  risks: {
    none: 'Keines: niemand merkt etwas.',
    low: 'Gering: lässt sich zurücknehmen.',
    disruptive: 'Störend: ein Dienst fehlt eine Zeit lang.',
    destructive: 'Zerstörend: etwas ist endgültig weg.',
  },
  looking: 'Es wird geprüft, was geschehen würde. Noch passiert nichts.',
  wouldBeSent: 'Was gesendet würde',
  wouldBeRefused: 'Das würde abgelehnt:',
  alreadySo: (why) => `Nichts zu tun: ${why}.`,
  cannotBegin: 'So, wie es steht, lässt es sich nicht ausführen.',
  lookAgain: 'Erneut prüfen',

  unitPower: 'Unit starten oder stoppen',
  unit: 'Unit',
  unitHint: 'Mit Endung: nginx.service. Zuerst erscheint, was geschehen würde; noch passiert nichts.',
};
