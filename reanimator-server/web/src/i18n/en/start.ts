/** Log-in and the way from nothing to a watched fleet. */
export const start = {
  logIn: 'Log in',
  userName: 'User name',
  password: 'Password',
  setupDone: 'The first account has been made already; this link has done its work.',

  // The first account.
  makeFirst: 'Make the first account',
  makeFirstText: 'This account may do everything. More people, with fewer rights, can be added later.',
  setupToken: 'Setup token',
  setupTokenHint: 'The part behind the # of the link that the server printed when it started.',
  passwordHint: (least: number) =>
    `${least} characters or more; a few words are easy to remember and hard to guess.`,
  passwordAgain: 'Password again',
  userNameMissing: 'Enter a name.',
  passwordShort: (least: number) => `Use ${least} characters or more.`,
  passwordsDiffer: 'The two passwords differ.',
  make: 'Make the account',

  // First steps.
  title: 'First steps',
  intro: 'Each step can be skipped and taken later. What you add here appears at once.',
  progress: (done: number, all: number) => `${done} of ${all} done`,
  states: { done: 'done', now: 'next', later: 'later', skipped: 'skipped' },
  skip: 'Skip',
  skipOf: (step: string) => `Skip: ${step}`,
  toOverview: 'Go to the overview',
  allDone: 'All steps are done. The fleet is being watched.',
  added: (name: string) => `${name} was added.`,
  imported: (hosts: string) => `${hosts} added; the first look is under way.`,
  moreHosts: (count: string) => `And ${count} more`,
  cpu: 'CPU',
  memory: 'Memory',
  cpuOf: (host: string) => `CPU of ${host}`,
  memoryOf: (host: string) => `Memory of ${host}`,
  keyWaits: 'Its key is to be compared below.',
  firstLook: 'The first look is under way.',

  account: {
    title: 'Account made',
    text: (name: string) => `You are logged in as ${name} and may do everything.`,
  },
  machine: {
    title: 'This machine is watched',
    text: 'Reanimator watches the machine it runs on by itself, without any connection.',
    absent: 'This machine is not in the fleet.',
  },
  host: {
    title: 'Add a Linux host',
    text: 'Any machine with SSH. Nothing is installed there; its key is shown for you to compare before anything is sent.',
    again: 'Add another host',
  },
  proxmox: {
    title: 'Connect Proxmox',
    text: 'One node and an API token are enough: all nodes, guests and storages come in. What was found is shown before it is stored.',
    again: 'Connect another one',
  },
  import: {
    title: 'Import hosts',
    text: 'From ~/.ssh/config or an Ansible inventory: you see which hosts are in it before any is added.',
    again: 'Import more',
  },

  // A log-in that did not work.
  logInFailed: 'Log-in failed',
  logInWrong: 'The user name or the password is wrong.',
  // How far an import has come.
  importWaits: 'None of them has answered yet.',
};
