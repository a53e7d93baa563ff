import { t } from '../i18n';
import type { ProblemDetails } from './types';

const URN = 'urn:reanimator:';

/** A call that did not work: what the server said about it, or that it could not be reached. */
export class Problem extends Error {
  /** `host-key-unknown`, `denied`, ...; `no-connection` when no answer came at all. */
  readonly kind: string;
  readonly title: string;
  readonly status: number;
  readonly next: string | undefined;
  /** The host it happened to. */
  readonly host: string | undefined;
  readonly fingerprint: string | undefined;
  readonly keyType: string | undefined;

  constructor(details: Partial<ProblemDetails>) {
    super(details.detail ?? details.title ?? t.common.problems.something);
    this.kind = kindOf(details.type);
    this.title = details.title ?? t.common.problems.failed;
    this.status = details.status ?? 0;
    this.next = details.next ?? undefined;
    this.host = details.host ?? undefined;
    this.fingerprint = details.fingerprint ?? undefined;
    this.keyType = details.key_type ?? undefined;
  }

  /** From an answer whose status says that it failed; understands answers that are no problem details. */
  static async from(response: Response): Promise<Problem> {
    const fallback = {
      title: t.common.problems.status(response.status),
      status: response.status,
      type: response.status === 401 ? `${URN}unauthenticated` : `${URN}internal`,
    };
    try {
      const body = (await response.json()) as Partial<ProblemDetails>;
      return new Problem({ ...fallback, ...body, status: response.status });
    } catch {
      return new Problem(fallback);
    }
  }

  /** Whatever was thrown, as a problem that can be shown. */
  static of(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    return new Problem({
      type: `${URN}no-connection`,
      title: t.common.problems.noAnswer,
      detail: thrown instanceof Error ? thrown.message : String(thrown),
      next: t.common.problems.noAnswerNext,
    });
  }
}

function kindOf(type: string | undefined): string {
  return type?.startsWith(URN) ? type.slice(URN.length) : 'internal';
}
