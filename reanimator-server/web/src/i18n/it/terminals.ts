/** Terminals of hosts and guests, and what was recorded of them. */
import type { Messages } from '../en';
import { counted } from '../counted';

export const terminals: Messages['terminals'] = {
  title: 'Terminali',
  terminal: 'Terminale',
  whatItIs:
    'Una shell di accesso su questa macchina, o la sua console. Resta aperta per un po’ quando si lascia questa pagina, ed è nel registro.',
  openOne: 'Apri un terminale',
  machine: 'Host o guest',
  record: 'Registra ciò che è mostrato',
  kinds: { host: 'host', guest: 'guest' },
  ways: { ssh: 'SSH', local: 'questa macchina', console: 'console' },
  recorded: 'registrato',
  none: 'Nessun terminale è aperto.',
  typeIntoAll: 'Scrivi in tutti',
  together: 'Scrive insieme',
  typesInto: (count: number) => `Ciò che si scrive va in ${counted(count, 'terminale', 'terminali')}.`,
  openNow: (count: string) => `${count} aperti qui.`,
  of: (name: string) => `Terminale di ${name}`,
  numbered: (name: string, number: string) => `Terminale ${number} di ${name}`,
  connecting: 'connessione in corso',
  open: 'aperto',
  lost: (seconds: string) => `linea persa; prossimo tentativo tra ${seconds} s`,
  tryNow: 'Prova ora',
  ended: (why: string) => `terminato: ${why}`,
  gone: 'non c’è più',
  refused: 'sessione terminata, o non più admin',
  close: 'Chiudi',
  putAway: 'Togli',
  leaveHint: 'Alt+Maiusc+X lascia il terminale per i tasti della pagina.',
  sideBySide: 'Più terminali affiancati',
  notLoaded: 'Non è stato possibile caricare il terminale. Ricaricare la pagina.',
  recordings: 'Registrazioni',
  recordingsHint:
    'Ciò che è stato mostrato nei terminali, per i lettori di asciicast. Ciò che è stato scritto non c’è.',
  cut: 'troncata a 64 MiB; il terminale è andato avanti',
  download: 'Scarica',
  deleteIt: 'Elimina',
  deleteRecording: (name: string) => `Elimina la registrazione di ${name}`,
  deleteHint: 'Non può essere ripristinata.',
};
