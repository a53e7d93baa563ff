/**
 * Answers that are kept with the tag that names them, so that what has not changed is neither sent nor
 * drawn again: an equal answer is the very same object.
 */
import { withQuery } from '../query';
import { Problem } from './problem';
import type { Listing } from './types';

type Ask = (path: string, tag: string | undefined) => Promise<Response>;

/** Answers kept at once: the pages of a large fleet's tables, and some hosts and guests beside them. */
const MOST_KEPT = 200;
/** Items per request, and requests per list: enough for any list, and an end to a server that never ends. */
const PAGE_SIZE = 1000;
const MOST_PAGES = 100;

export class Tagged {
  #ask: Ask;
  #answers = new Map<string, { tag: string; body: unknown }>();
  #lists = new Map<string, { pages: readonly unknown[]; items: unknown[] }>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** What stands at a path now. */
  async read<T>(path: string): Promise<T> {
    const known = this.#answers.get(path);
    const response = await this.#ask(path, known?.tag);
    if (known && response.status === 304) return known.body as T;
    try {
      const body = (await response.json()) as T;
      const tag = response.headers.get('ETag');
      if (tag) keep(this.#answers, path, { tag, body });
      return body;
    } catch (thrown) {
      throw Problem.of(thrown);
    }
  }

  /** All items of a list, page by page; the same array as before where no page changed. */
  async all<T>(path: string): Promise<T[]> {
    const pages: Listing<T>[] = [];
    let cursor = '';
    while (pages.length < MOST_PAGES) {
      const page: Listing<T> = await this.read(withQuery(path, { limit: String(PAGE_SIZE), cursor }));
      pages.push(page);
      if (!page.next_cursor) break;
      cursor = page.next_cursor;
    }
    const known = this.#lists.get(path);
    if (known?.pages.length === pages.length && pages.every((page, index) => page === known.pages[index])) {
      return known.items as T[];
    }
    const items = pages.flatMap((page) => page.items);
    keep(this.#lists, path, { pages, items });
    return items;
  }

  /** What the next person may see is for the server to say. */
  forget(): void {
    this.#answers.clear();
    this.#lists.clear();
  }
}

/** Keeps a value; the one that was kept longest ago makes room. */
function keep<T>(map: Map<string, T>, path: string, value: T): void {
  map.delete(path);
  map.set(path, value);
  const oldest = map.keys().next().value;
  if (map.size > MOST_KEPT && oldest !== undefined) map.delete(oldest);
}
