import { format } from '..';
import { counted } from '../counted';
import type { run as English } from '../en/run';

export const run: typeof English = {
  title: 'Esegui un comando',
  command: 'Comando',
  commandHint: 'Letto dalla shell di ciascun host.',
  on: 'Su',
  onHint:
    'Nomi, modelli, gruppi o tag, separati da virgole; !nome ne esclude uno. Oppure selezionarli nella tabella degli host.',
  onChosen: (count) => `Su ${counted(count, 'host selezionato', 'host selezionati')}:`,
  andMore: (count) => (count === 1 ? 'e un altro' : `e altri ${format.count(count)}`),
  chooseOtherwise: 'Cambia selezione',
  seconds: 'Limite di tempo in secondi',
  range: (longest) => `Da 1 a ${longest}.`,
  asRoot: 'Come root, con sudo',
  run: 'Esegui',
  stop: 'Smetti di attendere',
  stopped: 'Attesa interrotta',
  stoppedDetail: 'Le risposte non ancora arrivate non sono state attese.',
  answers: 'Risposte',
  answered: (count) => `risposte: ${count}`,
  failed: (count) => `non riuscite: ${count}`,
  waitingMore: 'in attesa di altre',
  waitingFirst: 'In attesa della prima risposta.',
  nobody: 'Nessun host ha risposto.',
  hostsNamed: (count) => `${counted(count, 'host', 'host')}:`,
  outputOf: (hosts) => `Output di ${hosts}`,
  errorsOf: (hosts) => `Errori di ${hosts}`,
  cutAt: (size) => `Troncato a ${size}.`,
  noOutput: 'Nessun output.',
  milliseconds: (count) => `${count} ms`,
  endings: {
    noAnswer: 'nessuna risposta',
    signal: (name) => `terminato dal segnale ${name}`,
    noStatus: 'terminato senza stato',
    done: 'completato',
    status: (status) => `stato di uscita ${status}`,
  },
  silent: (count) => `${format.count(count)} senza risposta`,
  noCommands: 'non esegue comandi',
  apiOnly: 'È noto solo tramite l’API di Proxmox, che non esegue comandi. Aggiungi l’accesso SSH:',
  someApiOnly: (names) =>
    `Noti solo tramite l’API di Proxmox, che non esegue comandi: ${names}. Aggiungi l’accesso SSH o escludili.`,
  leaveOut: 'Escludi',
  connections: 'Connessioni',
};
