import { counted } from '../counted';
import type { connections as English } from '../en/connections';

export const connections: typeof English = {
  title: 'Connessioni',
  asking: 'Richiesta al server in corso',
  notKnown: 'Non noto.',
  firstSteps: 'Primi passi',

  importHosts: 'Importa host',
  rightMachine: 'È la macchina giusta?',
  whatWasFound: 'Ecco che cosa è stato trovato',
  lookWhatIsThere: 'Vedi che cosa c’è',
  doNotTrust: 'Rifiuta',
  more: 'Altro',
  chooseFile: 'Scegli un file',
  fileTooLarge: (size) => `Il file supera ${size}.`,
  storedEncrypted: 'Viene salvato cifrato e non viene più mostrato.',

  compare: {
    label: 'Ciò che mostra la macchina',
    hint: 'Da incollare qui: il confronto è automatico.',
    equal: 'Uguale: è questa la macchina.',
    different: 'Diversa: non è la macchina su cui si è guardato. Non accettare.',
    unclear: 'Nel testo non c’è alcuna impronta.',
  },

  address: 'Indirizzo',
  addressExample: 'web1.example.org o 192.0.2.10',
  port: 'Porta',
  portWrong: 'Da 1 a 65535.',
  user: 'Utente',
  name: 'Nome',
  nameExample: 'il nome proprio dell’host',
  logInWith: 'Accesso con',
  auth: { password: 'Password', key: 'Chiave', key_file: 'File della chiave', agent: 'Agente SSH' },
  password: 'Password',
  key: 'Chiave privata',
  keyHint: 'Il testo del file della chiave. Viene salvato cifrato e non viene più mostrato.',
  keyFile: 'File della chiave sul server',
  passphrase: 'Passphrase',
  agentHint: 'L’agente che gira accanto al server, indicato lì da SSH_AUTH_SOCK.',
  becomeRoot: 'Diventa root con',
  sudo: { none: 'Non serve', nopasswd: 'sudo', password: 'sudo con password' },
  sudoNone: 'Senza root lo stato dei dischi, i numeri di serie e alcuni log restano invisibili.',
  sudoPassword: 'Password di sudo',
  sudoPasswordHint: 'Se resta vuota, vale la password di accesso.',
  jump: 'Jump host',
  jumpHint: 'Nell’ordine in cui si attraversano.',
  groups: 'Gruppi',
  groupsExample: 'web, francoforte',
  savedAfterTest: 'Prima si prova l’accesso; nulla viene salvato finché non è riuscito.',
  connectAndAdd: 'Collega e aggiungi',
  keyUnknown: (host) =>
    `${host} risponde, ma la sua chiave non è ancora nota. Per l’accesso non è stato ancora inviato nulla.`,
  keyOf: (type) => `Chiave ${type}`,
  keyWarning:
    'Accettare solo se le due sono uguali: chi si fosse messo in mezzo mostrerebbe una chiave propria.',
  trustAndAdd: 'Accetta la chiave e aggiungi',

  nodeAddress: 'Indirizzo di un nodo',
  nodeHint: 'Gli altri nodi si trovano da soli.',
  clusterNameExample: 'quello del cluster',
  clusterAuth: { token: 'Token API', password: 'Utente e password' },
  tokenId: 'ID del token',
  tokenIdHint: 'Creato in Proxmox sotto Datacenter, Permessi, Token API.',
  tokenSecret: 'Segreto',
  tokenHow: 'Crea un token di sola lettura',
  tokenHowText:
    'In una shell di un nodo qualsiasi; stampa ID e segreto. Tralasciare la prima riga se l’utente esiste già. Perché Reanimator conosca l’età dei backup servono anche Datastore.AllocateSpace e VM.Backup: senza, Proxmox non mostra i backup a nessuno.',
  tokenCommand: 'Comandi che creano un token',
  realmHint: 'Con il realm, per esempio root@pam.',
  certificateUnknown: (url) =>
    `${url} mostra un certificato che nessuna autorità nota ha firmato, come fa di solito Proxmox. Per l’accesso non è stato ancora inviato nulla.`,
  certificateOf: 'SHA-256 del certificato',
  certificateIs: 'Certificato (SHA-256)',
  trustCertificate: 'Accetta il certificato',
  connect: 'Collega',
  foundCluster: (cluster, nodes, guests, storages) =>
    `Cluster ${cluster}: ${counted(nodes, 'nodo', 'nodi')}, ${counted(guests, 'guest', 'guest')}, ${counted(storages, 'storage', 'storage')}.`,
  foundNode: (guests, storages) =>
    `Un nodo singolo: ${counted(guests, 'guest', 'guest')}, ${counted(storages, 'storage', 'storage')}.`,
  nothingStored: 'Non è ancora stato salvato nulla.',
  willNotBeSeen: 'Questo non si vedrà:',
  node: 'Nodo',
  state: 'Stato',

  writtenAs: 'Scritto come',
  formats: { 'ssh-config': 'Config SSH', 'ansible-ini': 'Ansible INI', 'ansible-yaml': 'Ansible YAML' },
  text: 'Testo',
  textHint: 'Il contenuto dei file inclusi resta escluso. I file delle chiavi si cercano sul server.',
  textWhere: 'Per SSH si trova in ~/.ssh/config; per Ansible spesso in inventory.ini o hosts.yml.',
  importStates: { new: 'nuovo', known: 'già nella flotta', invalid: 'non utilizzabile' },
  importFound: (fresh, all) =>
    `${counted(fresh, 'host è nuovo', 'host sono nuovi')}, su ${all}. Si aggiungono senza connessione; al prossimo controllo si vede se rispondono.`,
  importNothing: 'Nel testo non è indicato alcun host.',
  hostColumn: 'Host',
  logIn: 'Accesso',
  andMore: (count) => `E altri ${count}.`,
  addHosts: (count) => `Aggiungi ${counted(count, 'host', 'host')}`,

  keysTitle: 'Chiavi da confrontare',
  keysText:
    'Questi host rispondono, ma nessuno ha ancora garantito per le loro chiavi; fino ad allora per l’accesso non viene inviato nulla.',
  trust: 'Accetta',
  trustOf: (host) => `Accetta la chiave di ${host}`,
  trustAll: (count) => `Accetta ${counted(count, 'chiave', 'chiavi')}`,
  trustAllTitle: (count) => `Accettare ${counted(count, 'chiave', 'chiavi')} senza confronto?`,
  trustAllText:
    'Solo in una rete in cui nessuno può mettersi tra qui e gli host. Da allora ogni altra chiave viene rifiutata.',

  matchTitle: 'Una macchina o due?',
  matchText:
    'Queste voci potrebbero essere la stessa macchina, raggiunta per due vie. Fino alla risposta si contano entrambe.',
  matchOf: (a, b) => `${a} e ${b}`,
  matchFor: 'A favore:',
  matchAgainst: 'Contro:',
  oneMachine: 'Una macchina',
  twoMachines: 'Due macchine',

  noProxmox: 'Ancora nessuna connessione Proxmox',
  noProxmoxText: 'Una connessione porta con sé tutti i nodi, i guest e gli storage di un cluster.',
  hosts: 'Host',
  noHosts: 'Ancora nessun host',
  noQuorum:
    'Il cluster non ha quorum: la configurazione non si può modificare finché non tornano altri nodi.',
  cluster: 'Cluster',
  singleNode: 'un nodo singolo',
  nodes: 'Nodi',
  logsInWith: 'Accede con',
  byToken: 'un token API',
  byPassword: 'utente e password',
  byAuthorities: 'verificato con le autorità di certificazione del sistema',
  removeTitle: (name) => `Rimuovere ${name}?`,
  removeConnection: 'Rimuovi la connessione',
  removeText:
    'I nodi, i guest e gli storage arrivati con questa connessione lasciano la flotta; ciò che si raggiunge anche via SSH resta. Il cluster rimane com’è.',

  refused: {
    password:
      'Controllare utente e password. Molte macchine non accettano password per root, alcune per nessuno: in tal caso usare una chiave.',
    key: 'Controllare l’utente e che la metà pubblica della chiave sia nel suo ~/.ssh/authorized_keys.',
    key_file: 'Controllare l’utente e che la metà pubblica della chiave sia nel suo ~/.ssh/authorized_keys.',
    agent: 'Controllare l’utente e che l’agente accanto al server abbia una chiave accettata per lui.',
    token: 'Controllare ID e segreto del token, e che non sia scaduto.',
    ticket: 'Controllare utente, realm e password. Con un secondo fattore usare un token API.',
  },
  advice: {
    unreachable:
      'Controllare indirizzo e porta, che la macchina sia accesa e che non ci sia un firewall in mezzo.',
    timeout:
      'Controllare che la macchina sia accesa e che nessun firewall inghiotta i pacchetti, poi riprovare.',
    'host-key-changed':
      'Se la macchina è stata reinstallata, confrontare la nuova chiave nella pagina dell’host e accettarla lì. Altrimenti qualcuno potrebbe essersi messo in mezzo.',
    'certificate-changed':
      'Se il certificato è stato rinnovato, rimuovere la connessione e connettersi di nuovo confrontando la nuova impronta. Altrimenti qualcuno potrebbe essersi messo in mezzo.',
  },
};
