import { format } from '..';
import { counted } from '../counted';
import type { run as English } from '../en/run';

export const run: typeof English = {
  title: 'Befehl ausführen',
  command: 'Befehl',
  commandHint: 'Wird von der Shell des jeweiligen Hosts gelesen.',
  on: 'Auf',
  onHint:
    'Namen, Muster, Gruppen oder Tags, durch Kommas getrennt; !name lässt einen aus. Oder in der Tabelle der Hosts auswählen.',
  onChosen: (count) => `Auf ${counted(count, 'ausgewählten Host', 'ausgewählten Hosts')}:`,
  andMore: (count) => `und ${format.count(count)} weitere`,
  chooseOtherwise: 'Anders auswählen',
  seconds: 'Zeitlimit in Sekunden',
  range: (longest) => `Von 1 bis ${longest}.`,
  asRoot: 'Als root, mit sudo',
  run: 'Ausführen',
  stop: 'Nicht länger warten',
  stopped: 'Warten beendet',
  stoppedDetail: 'Auf Antworten, die noch ausstanden, wurde nicht gewartet.',
  answers: 'Antworten',
  answered: (count) => `${count} geantwortet`,
  failed: (count) => `${count} fehlgeschlagen`,
  waitingMore: 'weitere stehen aus',
  waitingFirst: 'Die erste Antwort steht noch aus.',
  nobody: 'Kein Host hat geantwortet.',
  hostsNamed: (count) => `${counted(count, 'Host', 'Hosts')}:`,
  outputOf: (hosts) => `Ausgabe von ${hosts}`,
  errorsOf: (hosts) => `Fehlerausgabe von ${hosts}`,
  cutAt: (size) => `Abgeschnitten bei ${size}.`,
  noOutput: 'Keine Ausgabe.',
  milliseconds: (count) => `${count} ms`,
  endings: {
    noAnswer: 'keine Antwort',
    signal: (name) => `durch Signal ${name} beendet`,
    noStatus: 'ohne Status beendet',
    done: 'fertig',
    status: (status) => `Exit-Status ${status}`,
  },
  silent: (count) => `${format.count(count)} ohne Antwort`,
  noCommands: 'führt keine Befehle aus',
  apiOnly: 'Nur über die Proxmox-API bekannt, die keine Befehle ausführt. SSH-Zugang hinzufügen:',
  someApiOnly: (names) =>
    `Nur über die Proxmox-API bekannt, die keine Befehle ausführt: ${names}. SSH-Zugang hinzufügen oder weglassen.`,
  leaveOut: 'Weglassen',
  connections: 'Verbindungen',
};
