/** What the palette knows of guests, storages and clusters: read when it is first opened, and again when that is old. */
import { api } from '../../api/client';
import { Problem } from '../../api/problem';
import { clusterEntry, guestEntry, storageEntry, type Entry } from './entries';
import { byName, ready, type Prepared } from './search';

const OLD_AFTER_MS = 30_000;

/** Work of many parts, so long at a time that nobody who types notices. */
const TURN_MS = 8;

async function inTurns<T, U>(parts: readonly T[], work: (part: T) => U): Promise<U[]> {
  const done: U[] = [];
  let begun = performance.now();
  for (const part of parts) {
    done.push(work(part));
    if (performance.now() - begun < TURN_MS) continue;
    await new Promise((go) => setTimeout(go));
    begun = performance.now();
  }
  return done;
}

class Known {
  #things = $state.raw<readonly Prepared<Entry>[]>([]);
  #problem = $state.raw<Problem | null>(null);
  #busy = $state(false);
  #readAt = 0;
  #of = '';

  get things(): readonly Prepared<Entry>[] {
    return this.#things;
  }
  get problem(): Problem | null {
    return this.#problem;
  }
  get busy(): boolean {
    return this.#busy;
  }

  /** Reads what is missing or old. `whose` is the person and the language: another's is never shown. */
  async refresh(whose: string): Promise<void> {
    if (this.#of !== whose) {
      this.#things = [];
      this.#readAt = 0;
      this.#of = whose;
    }
    if (this.#busy || Date.now() - this.#readAt < OLD_AFTER_MS) return;
    this.#busy = true;
    try {
      const [guests, storages, clusters] = await Promise.all([
        api.guestCards(),
        api.storageCards(),
        api.clusters(),
      ]);
      if (this.#of !== whose) return;
      const made = [
        ...clusters.map((row) => () => clusterEntry(row)),
        ...guests.map((row) => () => guestEntry(row)),
        // What a Linux host mounts is found on its page; names such as `/` find nothing.
        ...storages.filter(({ content }) => content !== null).map((row) => () => storageEntry(row)),
      ];
      const things = await inTurns(made, (make) => ready(make()));
      if (this.#of !== whose) return;
      this.#things = byName(things);
      this.#problem = null;
      this.#readAt = Date.now();
    } catch (thrown) {
      this.#problem = Problem.of(thrown);
    } finally {
      this.#busy = false;
    }
  }
}

export const known = new Known();
