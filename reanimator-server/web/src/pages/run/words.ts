/** What is said of a command's run: endings, troubles, and output that is fit to be read. */
import type { CommandGroup, CommandRun, Host, Trouble } from '../../api/types';
import { format, t } from '../../i18n';

/** Whether a host is known by its cluster's API alone, which runs no commands. */
export const isApiOnly = ({ via }: Pick<Host, 'via'>): boolean =>
  via.length > 0 && via.every((way) => way === 'proxmox');

type Ending = Pick<CommandGroup, 'status' | 'signal' | 'error' | 'running'>;

/** Hosts were not asked at all: there is no way to run commands on them. */
export const wasNotAsked = ({ error }: Pick<Ending, 'error'>): boolean => error?.kind === 'invalid';

export const succeeded = ({ error, status, running }: Ending): boolean =>
  error === null && status === 0 && !running;

/** A group that answered, and otherwise than most. */
export const isOdd = ({ majority, error }: Pick<CommandGroup, 'majority' | 'error'>): boolean =>
  !majority && error === null;

/** What went wrong on a host, as the server says it, without the host's name that may stand before it. */
export function troubleText(name: string, { message, next }: Pick<Trouble, 'message' | 'next'>): string {
  const said = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
  if (!next) return said;
  const end = /[.!?]$/.test(said) ? '' : '.';
  return `${said}${end} ${next.charAt(0).toUpperCase()}${next.slice(1)}.`;
}

/** How a group ended, in words. */
export function ending(group: Ending): string {
  const { endings } = t.run;
  if (wasNotAsked(group)) return t.run.noCommands;
  if (group.error) return endings.noAnswer;
  if (group.running) return endings.running;
  if (group.signal) return endings.signal(group.signal);
  if (group.status === null) return endings.noStatus;
  return group.status === 0 ? endings.done : endings.status(group.status);
}

export const isOver = ({ state }: Pick<CommandRun, 'state'>): boolean =>
  state !== 'waiting' && state !== 'running';

/** `98 of 100 finished, 2 failed`: one that gave no answer has failed. */
export function counts({ hosts, ok, failed }: Pick<CommandRun, 'hosts' | 'ok' | 'failed'>): string {
  const finished = t.run.finished(format.count(ok + failed), format.count(hosts));
  return failed > 0 ? `${finished}, ${t.run.failed(format.count(failed))}` : finished;
}

/** The first of some names, and how many there are besides. */
export function someOf(names: readonly string[], shown = 12): string {
  const rest = names.length - shown;
  return names
    .slice(0, shown)
    .concat(rest > 0 ? [t.run.andMore(rest)] : [])
    .join(', ');
}

/** Letters that show nothing or turn what follows around, as signs that are seen. Tabs and line ends stay. */
export function visible(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '␡';
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}
