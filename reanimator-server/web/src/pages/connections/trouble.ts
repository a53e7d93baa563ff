/** Where in a form a failed attempt happened, and what to do about it. */
import type { Problem } from '../../api/problem';
import { t } from '../../i18n';
import type { HostAuth, ProxmoxAuth } from './forms';

/** The part of a form that a problem is about. */
export type Place = 'address' | 'login' | 'all';

/** A far side that does not answer is a matter of its address; one that refuses, of the log-in. */
export function placeOf({ kind, message }: Pick<Problem, 'kind' | 'message'>): Place {
  switch (kind) {
    case 'unreachable':
    case 'timeout':
    case 'protocol':
    case 'host-key-changed':
    case 'certificate-changed':
      return 'address';
    case 'auth-failed':
    case 'denied':
      return 'login';
    case 'invalid':
      return /token|key|passphrase|password/i.test(message) ? 'login' : 'all';
    default:
      return 'all';
  }
}

export interface Told {
  title: string;
  message: string;
  next: string | undefined;
}

/** The problem with what to do next, in the person's language where we know it. */
export function told(problem: Problem, auth: HostAuth | ProxmoxAuth | 'ticket' | 'import'): Told {
  const { title, message, kind } = problem;
  const advice: Readonly<Record<string, string>> = t.connections.advice;
  const refused: Readonly<Record<string, string>> = t.connections.refused;
  const next = (kind === 'auth-failed' ? refused[auth] : advice[kind]) ?? problem.next;
  return { title, message, next };
}
