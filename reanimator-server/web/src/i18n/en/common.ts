/** Words that every page uses. */
import { counted } from '../counted';

export const common = {
  yes: 'yes',
  no: 'no',

  // What buttons say.
  add: 'Add',
  back: 'Back',
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  next: 'Next',
  remove: 'Remove',
  save: 'Save',
  test: 'Test',
  tryAgain: 'Try again',
  tryNow: 'Try now',
  showAll: (count: string) => `Show all ${count}`,
  addHost: 'Add a host',
  connectProxmox: 'Connect Proxmox',

  // What fields and their notes say.
  optional: '(optional)',
  copied: 'Copied',
  copyByKeyboard: 'Selected; copy it with the keyboard',
  compare: 'Compare it with what this shows on the machine itself:',
  whatToDo: 'What to do:',
  connectionWorks: 'The connection works.',
  connectionFails: 'The connection does not work.',
  worked: 'worked',
  failed: 'failed',

  // Counts.
  hosts: (count: number) => counted(count, 'host', 'hosts'),
  guests: (count: number) => counted(count, 'guest', 'guests'),

  // Ages.
  never: 'never',
  old: '(old)',
  seen: 'Seen',
  ago: (age: string) => `${age} ago`,
  observed: (moment: string) => `Observed ${moment}`,
  neverObserved: 'Never observed',

  // Hosts.
  states: { online: 'online', offline: 'offline', unknown: 'unknown', maintenance: 'maintenance' },
  kinds: { linux: 'Linux', proxmox: 'Proxmox', both: 'Proxmox + Linux' },
  ways: { local: 'itself', ssh: 'SSH', proxmox: 'the Proxmox API' },
  reachedBy: (ways: string) => `by ${ways}`,
  notReachedYet: 'not reached yet',
  thisMachine: 'this machine',

  // Guests.
  guestStates: { running: 'running', stopped: 'stopped', paused: 'paused', unknown: 'unknown' },
  guestKinds: { qemu: 'Virtual machine', lxc: 'Container' },
  template: 'template',

  // People.
  roles: { viewer: 'viewer', operator: 'operator', admin: 'admin' },

  // How bad something is.
  levels: { critical: 'critical', warning: 'warning', notice: 'notice' },
  health: { unknown: 'unknown', good: 'good', warning: 'warning', degraded: 'degraded', failed: 'failed' },

  // What a person may choose.
  language: 'Language',
  languageOfBrowser: 'As the browser',
  colours: 'Colours',
  themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
  themeIs: (theme: string) => `Colours: ${theme}`,
  themeNext: (theme: string, next: string) => `Colours: ${theme}. Change to: ${next}`,

  // A call that did not work.
  problems: {
    something: 'Something went wrong.',
    failed: 'This did not work',
    status: (status: number) => `The server answered ${status}`,
    noAnswer: 'No answer from the server',
    noAnswerNext:
      'Check that “reanimator serve” is running and that this machine can reach it, then try again.',
  },

  // What went wrong, by its kind; the server's own sentence stands below.
  problemTitles: {
    unreachable: 'Cannot be reached',
    timeout: 'No answer in time',
    'auth-failed': 'The log-in was refused',
    'host-key-unknown': 'The host key is not known yet',
    'host-key-changed': 'The host key has changed',
    'certificate-unknown': 'The certificate is not known yet',
    'certificate-changed': 'The certificate has changed',
    denied: 'Not allowed',
    protocol: 'The far side answered nonsense',
    'not-found': 'Not found',
    invalid: 'Not valid',
    conflict: 'Contradicts what is there',
    busy: 'Held by something else',
    storage: 'The store failed',
    unauthenticated: 'Not logged in',
    'rate-limited': 'Too many attempts',
    cancelled: 'Cancelled',
    internal: 'A fault of our own',
  },
  // What to do next about it.
  problemSteps: {
    unreachable:
      'Check that the machine is on and its network works, and that no firewall stands in between; then the address and the port.',
    timeout: 'Check that the machine is on and that no firewall swallows the packets, then try again.',
    'auth-failed': 'Check the user and the password, key or token.',
    'host-key-unknown': 'Compare its fingerprint with the machine’s own, then trust the key.',
    'host-key-changed':
      'If the machine was set up anew, compare its new key on its page and trust it there. If not, somebody may be in between.',
    'certificate-unknown': 'Compare its fingerprint with the node’s own, then trust the certificate.',
    'certificate-changed':
      'If the certificate was renewed, remove the connection and connect again, comparing the new fingerprint. If not, somebody may be in between.',
    busy: 'Wait a moment, then try again.',
    storage: 'See whether the disk of the server is full or read-only.',
    unauthenticated: 'Log in again.',
    'rate-limited': 'Wait a little, then try again.',
  },
};
