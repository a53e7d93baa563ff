import { t } from '../i18n';
import { spoken } from '../i18n/language.svelte';
import type { ProblemDetails } from './types';

const URN = 'urn:reanimator:';

/** A call that did not work: what the server said about it, or that it could not be reached. */
export class Problem extends Error {
  /** `host-key-unknown`, `denied`, ...; `no-connection` when no answer came at all. */
  readonly kind: string;
  readonly status: number;
  /** The host it happened to. */
  readonly host: string | undefined;
  readonly fingerprint: string | undefined;
  readonly keyType: string | undefined;
  readonly #title: string | undefined;
  readonly #next: string | null | undefined;
  /** Whether the server told of it: then its kind says what it is, in the person's language. */
  readonly #told: boolean;

  constructor(details: Partial<ProblemDetails>) {
    super(details.detail ?? details.title ?? t.common.problems.something);
    this.kind = kindOf(details.type);
    this.#title = details.title;
    this.#next = details.next;
    this.#told = details.type !== undefined;
    this.status = details.status ?? 0;
    this.host = details.host ?? undefined;
    this.fingerprint = details.fingerprint ?? undefined;
    this.keyType = details.key_type ?? undefined;
  }

  get title(): string {
    return (this.#told ? titleOf(this.kind) : undefined) ?? this.#title ?? t.common.problems.failed;
  }
  /** What to do next. */
  get next(): string | undefined {
    return this.#told ? nextOf({ kind: this.kind, next: this.#next }) : (this.#next ?? undefined);
  }

  /** From an answer whose status says that it failed; understands answers that are no problem details. */
  static async from(response: Response): Promise<Problem> {
    const fallback = {
      title: t.common.problems.status(response.status),
      status: response.status,
      ...(response.status === 401 ? { type: `${URN}unauthenticated` } : {}),
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

/** A trouble's kind in words; none where its words are its own. */
export function titleOf(kind: string): string | undefined {
  const titles: Readonly<Partial<Record<string, string>>> = t.common.problemTitles;
  return titles[kind];
}

/** Commands and documents of the server, which are of no use on this page. */
const NOT_FOR_PAGES = /`reanimator |openapi\.json/;

/** What the server says to do next, where the page speaks its language: it knows more of the matter than its kind does. */
export function toldNext(next: string | null | undefined): string | undefined {
  return spoken.language === 'en' && next && !NOT_FOR_PAGES.test(next) ? next : undefined;
}

/** What to do next about a trouble that the server told of; where neither it nor its kind says, in its own words. */
export function nextOf({
  kind,
  next,
}: {
  kind: string;
  next?: string | null | undefined;
}): string | undefined {
  const steps: Readonly<Partial<Record<string, string>>> = t.common.problemSteps;
  const foreign = next && !NOT_FOR_PAGES.test(next) ? next : undefined;
  return toldNext(next) ?? steps[kind] ?? foreign;
}

function kindOf(type: string | undefined): string {
  return type?.startsWith(URN) ? type.slice(URN.length) : 'internal';
}
