import type { start as English } from '../en/start';

export const start: typeof English = {
  logIn: 'Accedi',
  userName: 'Nome utente',
  password: 'Password',
  setupDone: 'Il primo account esiste già; questo link ha esaurito la sua funzione.',

  makeFirst: 'Crea il primo account',
  makeFirstText:
    'Questo account può fare tutto. Altre persone, con meno diritti, si possono aggiungere più tardi.',
  setupToken: 'Token di configurazione',
  setupTokenHint: 'La parte dopo il # del link che il server ha stampato all’avvio.',
  passwordHint: (least) =>
    `Almeno ${least} caratteri; alcune parole sono facili da ricordare e difficili da indovinare.`,
  passwordAgain: 'Ripeti la password',
  userNameMissing: 'Inserire un nome.',
  passwordShort: (least) => `Usare almeno ${least} caratteri.`,
  passwordsDiffer: 'Le due password sono diverse.',
  make: 'Crea l’account',

  title: 'Primi passi',
  intro: 'Ogni passo si può saltare e riprendere più tardi. Ciò che si aggiunge qui appare subito.',
  progress: (done, all) => `${done} su ${all} completati`,
  states: { done: 'fatto', now: 'adesso', later: 'più tardi', skipped: 'saltato' },
  skip: 'Salta',
  skipOf: (step) => `Salta: ${step}`,
  toOverview: 'Vai alla panoramica',
  allDone: 'Tutti i passi sono completati. La flotta è sotto osservazione.',
  added: (name) => `${name} è stato aggiunto.`,
  imported: (hosts) => `Aggiunti ${hosts}; il primo controllo è in corso.`,
  moreHosts: (count) => `E altri ${count}`,
  cpu: 'CPU',
  memory: 'Memoria',
  cpuOf: (host) => `CPU di ${host}`,
  memoryOf: (host) => `Memoria di ${host}`,
  keyWaits: 'La sua chiave è da confrontare qui sotto.',
  firstLook: 'Il primo controllo è in corso.',

  account: {
    title: 'Account creato',
    text: (name) => `Accesso effettuato come ${name}, con tutti i diritti.`,
  },
  machine: {
    title: 'Questa macchina è sotto osservazione',
    text: 'Reanimator osserva da sé la macchina su cui gira, senza alcuna connessione.',
    absent: 'Questa macchina non è nella flotta.',
  },
  host: {
    title: 'Aggiungi un host Linux',
    text: 'Qualsiasi macchina con SSH. Lì non si installa nulla; la chiave viene mostrata per il confronto prima di inviare qualsiasi cosa.',
    again: 'Aggiungi un altro host',
  },
  proxmox: {
    title: 'Collega Proxmox',
    text: 'Bastano un nodo e un token API: arrivano tutti i nodi, i guest e gli storage. Ciò che si trova è mostrato prima di essere salvato.',
    again: 'Collegane un altro',
  },
  import: {
    title: 'Importa host',
    text: 'Da ~/.ssh/config o da un inventario Ansible: si vede quali host contiene prima di aggiungerne.',
    again: 'Importane altri',
  },

  logInFailed: 'Accesso non riuscito',
  logInWrong: 'Il nome utente o la password non sono corretti.',
  importWaits: 'Nessuno di questi ha ancora risposto.',
};
