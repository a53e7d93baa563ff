import type { shell as English } from '../en/shell';

export const shell: typeof English = {
  pages: {
    overview: 'Panoramica',
    hosts: 'Host',
    host: 'Host',
    guests: 'Guest',
    guest: 'Guest',
    storage: 'Storage',
    onestorage: 'Uno storage',
    network: 'Rete',
    clusters: 'Cluster',
    cluster: 'Cluster',
    run: 'Esegui',
    connections: 'Connessioni',
    settings: 'Impostazioni',
    setting: 'Impostazioni',
    start: 'Primi passi',
  },
  menu: 'Pagine',
  skip: 'Vai al contenuto',
  notFound: 'Non trovata',
  noPage: 'A questo indirizzo non c’è nessuna pagina',
  toOverview: 'Vai alla panoramica',

  live: 'In diretta',
  connecting: 'Connessione in corso',
  lost: 'Connessione persa',
  figuresOf: (time) => `; valori delle ${time}`,
  nextTry: (wait) => `prossimo tentativo fra ${wait}`,
  tryingNow: 'tentativo in corso',

  account: 'Account',
  loggedInAs: 'Accesso come',
  logOut: 'Esci',

  keys: {
    title: 'Tasti',
  },
};
