import { counted } from '../counted';

/** How hosts and clusters are reached, and how more of them come in. */
export const connections = {
  title: 'Connections',
  asking: 'Asking the server',
  notKnown: 'Not known.',
  firstSteps: 'First steps',

  importHosts: 'Import hosts',
  rightMachine: 'Is this the right machine?',
  whatWasFound: 'This is what was found',
  lookWhatIsThere: 'Look what is there',
  doNotTrust: 'Do not trust it',
  more: 'More',
  chooseFile: 'Choose a file',
  fileTooLarge: (size: string) => `The file is larger than ${size}.`,
  storedEncrypted: 'It is stored encrypted and never shown again.',

  // A key or a certificate that nobody has vouched for.
  compare: {
    label: 'What the machine shows',
    hint: 'Paste it here, and it is compared for you.',
    equal: 'Equal: this is the machine.',
    different: 'Different: this is not the machine you looked at. Do not trust it.',
    unclear: 'No fingerprint is in that text.',
  },

  // A host to add.
  address: 'Address',
  addressExample: 'web1.example.org or 192.0.2.10',
  port: 'Port',
  portWrong: 'From 1 to 65535.',
  user: 'User',
  name: 'Name',
  nameExample: 'its own host name',
  logInWith: 'Log in with',
  auth: { password: 'Password', key: 'Key', key_file: 'Key file', agent: 'SSH agent' },
  password: 'Password',
  key: 'Private key',
  keyHint: 'The text of the key file. It is stored encrypted and never shown again.',
  keyFile: 'Key file on the server',
  passphrase: 'Passphrase',
  agentHint: 'The agent that runs beside the server, as SSH_AUTH_SOCK names it there.',
  becomeRoot: 'Become root with',
  sudo: { none: 'Not needed', nopasswd: 'sudo', password: 'sudo with password' },
  sudoNone: 'Without root, the health of disks, serial numbers and some logs stay unseen.',
  sudoPassword: 'sudo password',
  sudoPasswordHint: 'Left empty, it is the password of the log-in.',
  jump: 'Jump hosts',
  jumpHint: 'In the order they are passed.',
  groups: 'Groups',
  groupsExample: 'web, frankfurt',
  savedAfterTest: 'The log-in is tried first; nothing is stored before it has worked.',
  connectAndAdd: 'Connect and add',
  keyUnknown: (host: string) =>
    `${host} answers, but its key has not been seen before. Nothing has been sent to log in yet.`,
  keyOf: (type: string) => `${type} key`,
  keyWarning:
    'Trust it only if the two are equal: somebody between here and there would show a key of their own.',
  trustAndAdd: 'Trust this key and add',

  // A cluster to connect.
  nodeAddress: 'Address of one node',
  nodeHint: 'The other nodes are found by themselves.',
  clusterNameExample: "the cluster's own",
  clusterAuth: { token: 'API token', password: 'User and password' },
  tokenId: 'Token id',
  tokenIdHint: 'Made in Proxmox under Datacenter, Permissions, API Tokens.',
  tokenSecret: 'Secret',
  tokenHow: 'Make a token that may only look',
  tokenHowText:
    'In a shell of any node; it prints the id and the secret. Leave the first line out where the user exists. For Reanimator to tell how old backups are, it also needs Datastore.AllocateSpace and VM.Backup: Proxmox shows backups to nobody without them.',
  tokenCommand: 'Commands that make a token',
  realmHint: 'With its realm, such as root@pam.',
  certificateUnknown: (url: string) =>
    `${url} shows a certificate that no known authority has signed, as Proxmox does unless told otherwise. Nothing has been sent to log in yet.`,
  certificateOf: 'SHA-256 of the certificate',
  certificateIs: 'Certificate (SHA-256)',
  trustCertificate: 'Trust this certificate',
  connect: 'Connect',
  foundCluster: (cluster: string, nodes: number, guests: number, storages: number) =>
    `Cluster ${cluster}: ${counted(nodes, 'node', 'nodes')}, ${counted(guests, 'guest', 'guests')}, ${counted(storages, 'storage', 'storages')}.`,
  foundNode: (guests: number, storages: number) =>
    `A single node: ${counted(guests, 'guest', 'guests')}, ${counted(storages, 'storage', 'storages')}.`,
  nothingStored: 'Nothing is stored yet.',
  willNotBeSeen: 'This will not be seen:',
  node: 'Node',
  state: 'State',

  // An inventory.
  writtenAs: 'Written as',
  formats: { 'ssh-config': 'SSH config', 'ansible-ini': 'Ansible INI', 'ansible-yaml': 'Ansible YAML' },
  text: 'Text',
  textHint: 'What other files hold that it includes is left out. Key files are looked for on the server.',
  textWhere: 'SSH keeps it in ~/.ssh/config; Ansible often in inventory.ini or hosts.yml.',
  importStates: { new: 'new', known: 'in the fleet', invalid: 'cannot be used' },
  importFound: (fresh: number, all: string) =>
    `${counted(fresh, 'host is', 'hosts are')} new, of ${all}. They are added without a connection; the next look tells whether they answer.`,
  importNothing: 'No host is named in this text.',
  hostColumn: 'Host',
  logIn: 'Log-in',
  andMore: (count: string) => `And ${count} more.`,
  addHosts: (count: number) => `Add ${counted(count, 'host', 'hosts')}`,

  // Hosts whose key waits for somebody.
  keysTitle: 'Keys to compare',
  keysText:
    'These hosts answer, but nobody has vouched for their keys yet; until then nothing is sent to log in.',
  trust: 'Trust',
  trustOf: (host: string) => `Trust the key of ${host}`,
  trustAll: (count: number) => `Trust ${counted(count, 'key', 'keys')}`,
  trustAllTitle: (count: number) => `Trust ${counted(count, 'key', 'keys')} without comparing?`,
  trustAllText:
    'Do this only in a network in which nobody can stand between here and the hosts. From then on every other key is refused.',

  // Two records that may be one machine.
  matchTitle: 'One machine or two?',
  matchText:
    'These records may be the same machine, reached in two ways. Until it is answered both are counted.',
  matchOf: (a: string, b: string) => `${a} and ${b}`,
  matchFor: 'For:',
  matchAgainst: 'Against:',
  oneMachine: 'One machine',
  twoMachines: 'Two machines',

  // What is connected.
  noProxmox: 'No Proxmox connection yet',
  noProxmoxText: 'One connection brings in every node, guest and storage of a cluster.',
  hosts: 'Hosts',
  noHosts: 'No hosts yet',
  noQuorum: 'The cluster has no quorum: its configuration cannot be changed until more nodes are back.',
  cluster: 'Cluster',
  singleNode: 'a single node',
  nodes: 'Nodes',
  logsInWith: 'Logs in with',
  byToken: 'an API token',
  byPassword: 'a user and password',
  byAuthorities: "checked against the system's certificate authorities",
  removeTitle: (name: string) => `Remove ${name}?`,
  removeConnection: 'Remove the connection',
  removeText:
    'The nodes, guests and storages that came in by this connection leave the fleet; what is also reached over SSH stays. The cluster itself is left as it is.',

  // What to do when a log-in was refused, by how it was tried.
  refused: {
    password:
      'Check user and password. Many machines take no password for root, or none at all: then use a key.',
    key: "Check the user, and that the key's public half is in ~/.ssh/authorized_keys of that user there.",
    key_file:
      "Check the user, and that the key's public half is in ~/.ssh/authorized_keys of that user there.",
    agent: 'Check the user, and that the agent beside the server holds a key that this user accepts.',
    token: "Check the token's id and secret, and that it has not expired.",
    ticket: 'Check user, realm and password. With a second factor, use an API token.',
  },
  // The same for other failures.
  advice: {
    unreachable:
      'Check the address and the port, that the machine is on, and that no firewall stands in between.',
    timeout: 'Check that the machine is on and that no firewall swallows the packets, then try again.',
    'host-key-changed':
      'If the machine was set up anew, compare its new key on the host’s page and trust it there. If not, somebody may be in between.',
    'certificate-changed':
      'If the certificate was renewed, remove the connection and connect again, comparing the new fingerprint. If not, somebody may be in between.',
  },
};
