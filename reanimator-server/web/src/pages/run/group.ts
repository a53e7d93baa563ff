/** Answers to one command, equal ones together. */
import type { Answer, Trouble } from '../../api/types';
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

/** How an answer ended, in words. */
export function ending(answer: Answer): string {
  const { endings } = t.run;
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
