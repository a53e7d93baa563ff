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

  problemTitles: {
    unreachable: 'Non raggiungibile',
    timeout: 'Nessuna risposta entro il tempo previsto',
    'auth-failed': 'L’accesso è stato rifiutato',
    'host-key-unknown': 'La chiave dell’host non è ancora nota',
    'host-key-changed': 'La chiave dell’host è cambiata',
    'certificate-unknown': 'Il certificato non è ancora noto',
    'certificate-changed': 'Il certificato è cambiato',
    denied: 'Non consentito',
    protocol: 'La controparte ha dato una risposta incomprensibile',
    'not-found': 'Non trovato',
    invalid: 'Dato non valido',
    conflict: 'In contrasto con quanto già esiste',
    busy: 'Occupato da altro',
    storage: 'Errore del database',
    unauthenticated: 'Accesso non effettuato',
    'rate-limited': 'Troppi tentativi',
    cancelled: 'Annullato',
    internal: 'Errore interno',
  },
  problemSteps: {
    unreachable:
      'Controlla che la macchina sia accesa, che la sua rete funzioni e che non ci sia un firewall in mezzo; poi indirizzo e porta.',
    timeout: 'Controlla che la macchina sia accesa e che nessun firewall scarti i pacchetti, poi riprova.',
    'auth-failed': 'Controlla l’utente e la password, la chiave o il token.',
    'host-key-unknown': 'Confronta l’impronta con quella sulla macchina stessa, poi accetta la chiave.',
    'host-key-changed':
      'Se la macchina è stata reinstallata, confronta la nuova chiave nella sua pagina e accettala lì. Altrimenti qualcuno potrebbe essersi messo in mezzo.',
    'certificate-unknown': 'Confronta l’impronta con quella sul nodo stesso, poi accetta il certificato.',
    'certificate-changed':
      'Se il certificato è stato rinnovato, rimuovi la connessione e connettiti di nuovo confrontando la nuova impronta. Altrimenti qualcuno potrebbe essersi messo in mezzo.',
    busy: 'Aspetta un momento, poi riprova.',
    storage: 'Controlla se il disco del server è pieno o in sola lettura.',
    unauthenticated: 'Accedi di nuovo.',
    'rate-limited': 'Aspetta un po’, poi riprova.',
  },
};
