/** Which page is shown: the browser's address, as state. Plain links work; they are caught here. */

import { readQuery, withQuery } from './query';

class Router {
  #path = $state(location.pathname);
  #query = $state.raw(readQuery(location.search));
  #hash = $state(location.hash.slice(1));

  get path(): string {
    return this.#path;
  }
  query(name: string): string {
    return this.#query[name] ?? '';
  }
  /** The part of a page that the address names, as `tokens` in `/settings#tokens`. */
  get hash(): string {
    return this.#hash;
  }
  /** One step of the path, the first being number 0; empty where there is none. */
  part(index: number): string {
    return decoded(this.#path.split('/')[index + 1] ?? '');
  }
  /** What follows a page's own path: `h1` in `/hosts/h1`; empty elsewhere. */
  after(start: string): string {
    if (!this.#path.startsWith(start)) return '';
    return decoded(this.#path.slice(start.length));
  }

  /** Goes to a page of ours. */
  go(href: string, { replace = false } = {}): void {
    history[replace ? 'replaceState' : 'pushState'](null, '', href);
    this.#read();
  }

  /** Keeps a small piece of what is shown in the address, so that a link brings it back. */
  setQuery(name: string, value: string): void {
    this.go(withQuery(this.#path, { ...this.#query, [name]: value }), { replace: true });
  }

  start(): () => void {
    const read = () => this.#read();
    addEventListener('popstate', read);
    document.addEventListener('click', this.#catch);
    return () => {
      removeEventListener('popstate', read);
      document.removeEventListener('click', this.#catch);
    };
  }

  #read(): void {
    this.#path = location.pathname;
    this.#query = readQuery(location.search);
    this.#hash = location.hash.slice(1);
  }

  #catch = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const href = link?.getAttribute('href');
    if (!link || !href?.startsWith('/') || href.startsWith('//') || link.target) return;
    event.preventDefault();
    this.go(href);
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const router = new Router();
