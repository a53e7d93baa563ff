/** What the palette knows of guests, storages and clusters: read when it is first opened, and again when that is old. */
import { api } from '../../api/client';
import { Problem } from '../../api/problem';
import { clusterEntry, guestEntry, storageEntry, type Entry } from './entries';
import { prepareByName, type Prepared } from './search';

const OLD_AFTER_MS = 30_000;

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
      this.#things = prepareByName([
        ...clusters.map(clusterEntry),
        ...guests.map(guestEntry),
        // What a Linux host mounts is found on its page; names such as `/` find nothing.
        ...storages.filter(({ content }) => content !== null).map(storageEntry),
      ]);
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
