import { format } from '..';
import { counted } from '../counted';
import type { shell as English } from '../en/shell';

export const shell: typeof English = {
  pages: {
    overview: 'Panoramica',
    hosts: 'Host',
    host: 'Host',
    guests: 'Guest',
    guest: 'Guest',
    storage: 'Storage',
    onestorage: 'Storage',
    network: 'Rete',
    clusters: 'Cluster',
    cluster: 'Cluster',
    alerts: 'Avvisi',
    alertpart: 'Avvisi',
    operations: 'Operazioni',
    operation: 'Operazione',
    scripts: 'Script',
    run: 'Esegui',
    terminals: 'Terminali',
    connections: 'Connessioni',
    settings: 'Impostazioni',
    setting: 'Impostazioni',
    start: 'Primi passi',
  },
  /** Behind the name of the alerts in the menu. */
  goingOn: (count: number) => `${format.count(count)} in corso`,
  menu: 'Pagine',
  skip: 'Vai al contenuto',
  notFound: 'Non trovata',
  noPage: 'A questo indirizzo non c’è nessuna pagina',
  toOverview: 'Vai alla panoramica',

  live: 'In diretta',
  connecting: 'Connessione in corso',
  lost: 'Connessione persa',
  figuresOf: (time) => `; valori delle ${time}`,
  nextTry: (wait) => `prossimo tentativo tra ${wait}`,
  tryingNow: 'tentativo in corso',

  account: 'Account',
  loggedInAs: 'Accesso come',
  logOut: 'Esci',

  find: 'Cerca',
  palette: {
    title: 'Trova o esegui',
    hint: 'Host, guest, indirizzo, tag, pagina, impostazione…',
    found: 'Risultati',
    count: (count) => counted(count, 'risultato', 'risultati'),
    among: (count) => `${format.count(count)} voci esaminate`,
    nothing: 'Nessun risultato.',
    reading: 'Lettura di guest e storage',
    deed: 'Azione',
    importHosts: 'Importa host',
  },

  keys: {
    title: 'Tasti',
    control: 'Ctrl',
    escapeKey: 'Esc',
    everywhere: 'Ovunque',
    go: 'Andare a una pagina',
    search: 'Cercare nella pagina, altrimenti ovunque',
    palette: 'Trovare un host, un guest, una pagina o un’impostazione, o eseguire un’azione',
    help: 'Mostrare questi tasti',
    escape: 'Chiudere ciò che è aperto',
    notInFields: 'Mentre si scrive in un campo, le lettere restano lettere.',
  },
};
