/** Running a command on hosts. */
import { format } from '..';
import { counted } from '../counted';

export const run = {
  title: 'Run a command',
  command: 'Command',
  commandHint: 'Read by each host’s own shell.',
  on: 'On',
  onHint:
    'Names, patterns, groups or tags, separated by commas; !name leaves one out. Or tick hosts in the fleet.',
  onChosen: (count: number) => `On ${counted(count, 'chosen host', 'chosen hosts')}:`,
  andMore: (count: number) => `and ${format.count(count)} more`,
  chooseOtherwise: 'Choose otherwise',
  seconds: 'Time limit in seconds',
  range: (longest: string) => `From 1 to ${longest}.`,
  asRoot: 'As root, with sudo',
  run: 'Run',
  stop: 'Stop waiting',
  stopped: 'Stopped waiting',
  stoppedDetail: 'Answers that had not come yet were not waited for.',
  answers: 'Answers',
  answered: (count: string) => `${count} answered`,
  failed: (count: string) => `${count} failed`,
  waitingMore: 'waiting for more',
  waitingFirst: 'Waiting for the first answer.',
  nobody: 'No host answered.',
  hostsNamed: (count: number) => `${counted(count, 'host', 'hosts')}:`,
  outputOf: (hosts: string) => `Output of ${hosts}`,
  errorsOf: (hosts: string) => `Errors of ${hosts}`,
  cutAt: (size: string) => `Cut at ${size}.`,
  noOutput: 'No output.',
  milliseconds: (count: string) => `${count} ms`,
  /** How an answer ended. */
  endings: {
    noAnswer: 'no answer',
    signal: (name: string) => `ended by signal ${name}`,
    noStatus: 'ended without a status',
    done: 'done',
    status: (status: number) => `exit status ${status}`,
  },
  /** Hosts that gave no answer. */
  silent: (count: number) => `${format.count(count)} gave no answer`,
  noCommands: 'runs no commands',
  apiOnly: 'It is known by the Proxmox API alone, which runs no commands. Add its SSH access:',
  someApiOnly: (names: string) =>
    `Known by the Proxmox API alone, which runs no commands: ${names}. Add their SSH access, or leave them out.`,
  leaveOut: 'Leave them out',
  connections: 'Connections',
};
