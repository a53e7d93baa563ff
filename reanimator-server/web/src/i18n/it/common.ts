import { counted } from '../counted';
import type { common as English } from '../en/common';

export const common: typeof English = {
  yes: 'sì',
  no: 'no',

  add: 'Aggiungi',
  back: 'Indietro',
  cancel: 'Annulla',
  close: 'Chiudi',
  copy: 'Copia',
  next: 'Avanti',
  remove: 'Rimuovi',
  save: 'Salva',
  test: 'Prova',
  tryAgain: 'Riprova',
  tryNow: 'Riprova ora',
  showAll: (count) => `Mostra tutti (${count})`,
  addHost: 'Aggiungi un host',
  connectProxmox: 'Collega Proxmox',

  optional: '(facoltativo)',
  copied: 'Copiato',
  copyByKeyboard: 'Selezionato; copiarlo con la tastiera',
  compare: 'Da confrontare con ciò che questo comando mostra sulla macchina stessa:',
  whatToDo: 'Che cosa fare:',
  connectionWorks: 'La connessione funziona.',
  connectionFails: 'La connessione non funziona.',
  worked: 'riuscito',
  failed: 'non riuscito',

  hosts: (count) => counted(count, 'host', 'host'),
  guests: (count) => counted(count, 'guest', 'guest'),

  never: 'mai',
  old: '(non aggiornato)',
  seen: 'Visto',
  ago: (age) => `${age} fa`,
  observed: (moment) => `Osservato: ${moment}`,
  neverObserved: 'Mai osservato',

  states: { online: 'online', offline: 'offline', unknown: 'sconosciuto', maintenance: 'manutenzione' },
  kinds: { linux: 'Linux', proxmox: 'Proxmox', both: 'Proxmox + Linux' },
  ways: { local: 'locale', ssh: 'SSH', proxmox: 'API di Proxmox' },
  reachedBy: (ways) => `Accesso: ${ways}`,
  notReachedYet: 'non ancora raggiunto',
  thisMachine: 'questa macchina',

  guestStates: {
    running: 'in esecuzione',
    stopped: 'arrestato',
    paused: 'in pausa',
    unknown: 'sconosciuto',
  },
  guestKinds: { qemu: 'Macchina virtuale', lxc: 'Container' },
  template: 'template',

  roles: { viewer: 'osservatore', operator: 'operatore', admin: 'amministratore' },

  levels: { critical: 'critico', warning: 'avviso', notice: 'minore' },
  health: {
    unknown: 'sconosciuto',
    good: 'buono',
    warning: 'avviso',
    degraded: 'degradato',
    failed: 'guasto',
  },

  language: 'Lingua',
  languageOfBrowser: 'Come il browser',
  colours: 'Colori',
  themes: { system: 'Come il sistema', light: 'Chiaro', dark: 'Scuro' },
  themeIs: (theme) => `Colori: ${theme}`,
  themeNext: (theme, next) => `Colori: ${theme}. Passa a: ${next}`,

  problems: {
    something: 'Qualcosa è andato storto.',
    failed: 'Operazione non riuscita',
    status: (status) => `Il server ha risposto ${status}`,
    noAnswer: 'Nessuna risposta dal server',
    noAnswerNext:
      'Verificare che «reanimator serve» sia in esecuzione e raggiungibile da questa macchina, poi riprovare.',
  },
};
