import { counted } from '../counted';
import type { connections as English } from '../en/connections';

export const connections: typeof English = {
  title: 'Verbindungen',
  asking: 'Server wird abgefragt',
  notKnown: 'Nicht bekannt.',
  firstSteps: 'Erste Schritte',

  importHosts: 'Hosts importieren',
  rightMachine: 'Ist das die richtige Maschine?',
  whatWasFound: 'Das wurde gefunden',
  lookWhatIsThere: 'Nachsehen, was da ist',
  doNotTrust: 'Nicht vertrauen',
  more: 'Mehr',
  chooseFile: 'Datei wählen',
  fileTooLarge: (size) => `Die Datei ist größer als ${size}.`,
  storedEncrypted: 'Wird verschlüsselt gespeichert und nie wieder angezeigt.',

  compare: {
    label: 'Was die Maschine anzeigt',
    hint: 'Hier einfügen, dann wird es verglichen.',
    equal: 'Gleich: Das ist die Maschine.',
    different: 'Verschieden: Das ist nicht die Maschine, auf der nachgesehen wurde. Nicht vertrauen.',
    unclear: 'In diesem Text steht kein Fingerabdruck.',
  },

  address: 'Adresse',
  addressExample: 'web1.example.org oder 192.0.2.10',
  port: 'Port',
  portWrong: 'Von 1 bis 65535.',
  user: 'Benutzer',
  name: 'Name',
  nameExample: 'der eigene Hostname',
  logInWith: 'Anmelden mit',
  auth: { password: 'Passwort', key: 'Schlüssel', key_file: 'Schlüsseldatei', agent: 'SSH-Agent' },
  password: 'Passwort',
  key: 'Privater Schlüssel',
  keyHint: 'Der Text der Schlüsseldatei. Wird verschlüsselt gespeichert und nie wieder angezeigt.',
  keyFile: 'Schlüsseldatei auf dem Server',
  passphrase: 'Passphrase',
  agentHint: 'Der Agent, der neben dem Server läuft, wie SSH_AUTH_SOCK ihn dort nennt.',
  becomeRoot: 'Zu root werden mit',
  sudo: { none: 'Nicht nötig', nopasswd: 'sudo', password: 'sudo mit Passwort' },
  sudoNone: 'Ohne root bleiben der Zustand der Datenträger, Seriennummern und manche Protokolle ungesehen.',
  sudoPassword: 'sudo-Passwort',
  sudoPasswordHint: 'Bleibt es leer, gilt das Passwort der Anmeldung.',
  jump: 'Jump-Hosts',
  jumpHint: 'In der Reihenfolge, in der sie durchlaufen werden.',
  groups: 'Gruppen',
  groupsExample: 'web, frankfurt',
  savedAfterTest: 'Die Anmeldung wird zuerst getestet; gespeichert wird erst, wenn sie gelungen ist.',
  connectAndAdd: 'Verbinden und hinzufügen',
  keyUnknown: (host) =>
    `${host} antwortet, aber der Schlüssel ist noch unbekannt. Für die Anmeldung wurde noch nichts gesendet.`,
  keyOf: (type) => `${type}-Schlüssel`,
  keyWarning:
    'Nur vertrauen, wenn beide gleich sind: Wer sich dazwischengesetzt hat, würde einen eigenen Schlüssel zeigen.',
  trustAndAdd: 'Schlüssel vertrauen und hinzufügen',

  nodeAddress: 'Adresse eines Knotens',
  nodeHint: 'Die anderen Knoten werden von selbst gefunden.',
  clusterNameExample: 'der des Clusters',
  clusterAuth: { token: 'API-Token', password: 'Benutzer und Passwort' },
  tokenId: 'Token-ID',
  tokenIdHint: 'In Proxmox unter Rechenzentrum, Berechtigungen, API-Token angelegt.',
  tokenSecret: 'Secret',
  tokenHow: 'Einen Token anlegen, der nur lesen darf',
  tokenHowText:
    'In einer Shell eines beliebigen Knotens; ausgegeben werden ID und Secret. Die erste Zeile weglassen, wenn es den Benutzer schon gibt. Damit Reanimator das Alter von Backups kennt, braucht er auch Datastore.AllocateSpace und VM.Backup: ohne sie zeigt Proxmox niemandem Backups.',
  tokenCommand: 'Befehle, die einen Token anlegen',
  realmHint: 'Mit dem Realm, etwa root@pam.',
  certificateUnknown: (url) =>
    `${url} zeigt ein Zertifikat, das keine bekannte Stelle signiert hat, wie es bei Proxmox üblich ist. Für die Anmeldung wurde noch nichts gesendet.`,
  certificateOf: 'SHA-256 des Zertifikats',
  certificateIs: 'Zertifikat (SHA-256)',
  trustCertificate: 'Diesem Zertifikat vertrauen',
  connect: 'Verbinden',
  foundCluster: (cluster, nodes, guests, storages) =>
    `Cluster ${cluster}: ${counted(nodes, 'Knoten', 'Knoten')}, ${counted(guests, 'Gast', 'Gäste')}, ${counted(storages, 'Speicher', 'Speicher')}.`,
  foundNode: (guests, storages) =>
    `Ein einzelner Knoten: ${counted(guests, 'Gast', 'Gäste')}, ${counted(storages, 'Speicher', 'Speicher')}.`,
  nothingStored: 'Noch ist nichts gespeichert.',
  willNotBeSeen: 'Das wird nicht zu sehen sein:',
  node: 'Knoten',
  state: 'Zustand',

  writtenAs: 'Geschrieben als',
  formats: { 'ssh-config': 'SSH-Config', 'ansible-ini': 'Ansible INI', 'ansible-yaml': 'Ansible YAML' },
  text: 'Text',
  textHint:
    'Was in eingebundenen Dateien steht, bleibt außen vor. Schlüsseldateien werden auf dem Server gesucht.',
  textWhere: 'Bei SSH liegt er in ~/.ssh/config, bei Ansible oft in inventory.ini oder hosts.yml.',
  importStates: { new: 'neu', known: 'schon in der Flotte', invalid: 'nicht verwendbar' },
  importFound: (fresh, all) =>
    `${counted(fresh, 'neuer Host', 'neue Hosts')} von ${all}. Hinzugefügt wird ohne Verbindung; die nächste Abfrage zeigt, ob sie antworten.`,
  importNothing: 'In diesem Text wird kein Host genannt.',
  hostColumn: 'Host',
  logIn: 'Anmeldung',
  andMore: (count) => `Und ${count} weitere.`,
  addHosts: (count) => `${counted(count, 'Host', 'Hosts')} hinzufügen`,

  keysTitle: 'Schlüssel zum Vergleichen',
  keysText:
    'Diese Hosts antworten, aber für ihre Schlüssel hat sich noch niemand verbürgt; bis dahin wird für die Anmeldung nichts gesendet.',
  trust: 'Vertrauen',
  trustOf: (host) => `Dem Schlüssel von ${host} vertrauen`,
  trustAll: (count) => `${counted(count, 'Schlüssel', 'Schlüsseln')} vertrauen`,
  trustAllTitle: (count) => `${counted(count, 'Schlüssel', 'Schlüsseln')} ohne Vergleich vertrauen?`,
  trustAllText:
    'Nur in einem Netzwerk, in dem sich niemand zwischen hier und die Hosts setzen kann. Von da an wird jeder andere Schlüssel abgewiesen.',

  matchTitle: 'Eine Maschine oder zwei?',
  matchText:
    'Diese Einträge sind vielleicht dieselbe Maschine, auf zwei Wegen erreicht. Bis zur Antwort werden beide gezählt.',
  matchOf: (a, b) => `${a} und ${b}`,
  matchFor: 'Dafür:',
  matchAgainst: 'Dagegen:',
  oneMachine: 'Eine Maschine',
  twoMachines: 'Zwei Maschinen',

  noProxmox: 'Noch keine Proxmox-Verbindung',
  noProxmoxText: 'Eine Verbindung bringt alle Knoten, Gäste und Speicher eines Clusters mit.',
  hosts: 'Hosts',
  noHosts: 'Noch keine Hosts',
  noQuorum:
    'Der Cluster hat kein Quorum: Seine Konfiguration lässt sich erst ändern, wenn mehr Knoten zurück sind.',
  cluster: 'Cluster',
  singleNode: 'ein einzelner Knoten',
  nodes: 'Knoten',
  logsInWith: 'Meldet sich an mit',
  byToken: 'einem API-Token',
  byPassword: 'Benutzer und Passwort',
  byAuthorities: 'geprüft gegen die Zertifizierungsstellen des Systems',
  removeTitle: (name) => `${name} entfernen?`,
  removeConnection: 'Verbindung entfernen',
  removeText:
    'Knoten, Gäste und Speicher, die über diese Verbindung kamen, verlassen die Flotte; was auch über SSH erreicht wird, bleibt. Der Cluster selbst bleibt, wie er ist.',

  refused: {
    password:
      'Benutzer und Passwort prüfen. Viele Maschinen nehmen für root kein Passwort an, manche gar keines: dann einen Schlüssel verwenden.',
    key: 'Den Benutzer prüfen, und ob die öffentliche Hälfte des Schlüssels dort in seiner ~/.ssh/authorized_keys steht.',
    key_file:
      'Den Benutzer prüfen, und ob die öffentliche Hälfte des Schlüssels dort in seiner ~/.ssh/authorized_keys steht.',
    agent:
      'Den Benutzer prüfen, und ob der Agent neben dem Server einen Schlüssel hat, der für ihn angenommen wird.',
    token: 'ID und Secret des Tokens prüfen, und ob er noch gültig ist.',
    ticket: 'Benutzer, Realm und Passwort prüfen. Bei einem zweiten Faktor einen API-Token verwenden.',
  },
  advice: {
    unreachable: 'Adresse und Port prüfen, und ob die Maschine läuft und keine Firewall dazwischensteht.',
    timeout:
      'Prüfen, ob die Maschine läuft und keine Firewall die Pakete verschluckt, dann erneut versuchen.',
    'host-key-changed':
      'Wurde die Maschine neu aufgesetzt, den neuen Schlüssel auf der Seite des Hosts vergleichen und ihm dort vertrauen. Wenn nicht, sitzt vielleicht jemand dazwischen.',
    'certificate-changed':
      'Wurde das Zertifikat erneuert, die Verbindung entfernen, neu verbinden und dabei den neuen Fingerabdruck vergleichen. Wenn nicht, sitzt vielleicht jemand dazwischen.',
  },
};
