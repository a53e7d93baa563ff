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
};
