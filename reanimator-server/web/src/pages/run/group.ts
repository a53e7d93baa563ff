/** Answers to one command, equal ones together. */
import type { Answer, Host, Trouble } from '../../api/types';
import { t } from '../../i18n';

export interface AnswerGroup {
  key: string;
  /** What the hosts of this group have in common. */
  answer: Answer;
  hosts: { id: string; name: string; milliseconds: number; error: Trouble | null }[];
}

/** Groups answers that say the same: status, signal, output and error. Failures first, then the largest. */
export function groupAnswers(answers: readonly Answer[]): AnswerGroup[] {
  const groups = new Map<string, AnswerGroup>();
  for (const answer of answers) {
    const key = keyOf(answer);
    const group = groups.get(key) ?? { key, answer, hosts: [] };
    const { host_id: id, host: name, milliseconds, error } = answer;
    group.hosts.push({ id, name, milliseconds, error });
    groups.set(key, group);
  }
  return [...groups.values()].sort(
    (a, b) => Number(succeeded(a.answer)) - Number(succeeded(b.answer)) || b.hosts.length - a.hosts.length,
  );
}

export function succeeded(answer: Answer): boolean {
  return answer.error === null && answer.status === 0;
}

/** Whether a host is known by its cluster's API alone, which runs no commands. */
export const isApiOnly = ({ via }: Pick<Host, 'via'>): boolean =>
  via.length > 0 && via.every((way) => way === 'proxmox');

/** A host was not asked at all: there is no way to run commands on it. */
export const wasNotAsked = ({ error }: Answer): boolean => error?.kind === 'invalid';

/** What went wrong on a host, whose name stands before it: as the server says it, without the name. */
export function troubleText(name: string, { message, next }: Trouble): string {
  const said = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
  if (!next) return said;
  const end = /[.!?]$/.test(said) ? '' : '.';
  return `${said}${end} ${next.charAt(0).toUpperCase()}${next.slice(1)}.`;
}

/** How an answer ended, in words. */
export function ending(answer: Answer): string {
  const { endings } = t.run;
  if (wasNotAsked(answer)) return t.run.noCommands;
  if (answer.error) return endings.noAnswer;
  if (answer.signal) return endings.signal(answer.signal);
  if (answer.status === null) return endings.noStatus;
  return answer.status === 0 ? endings.done : endings.status(answer.status);
}

function keyOf(answer: Answer): string {
  const { status, signal, stdout, stderr, stdout_cut_at, stderr_cut_at, error } = answer;
  // What an error says often names the host; its kind is what hosts have in common.
  return JSON.stringify([status, signal, stdout, stderr, stdout_cut_at, stderr_cut_at, error?.kind ?? null]);
}
