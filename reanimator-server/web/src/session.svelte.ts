/** Who is looking at the page, and what they may do. */
import { api, whenLoggedOut } from './api/client';
import { Problem } from './api/problem';
import type { Me, Role } from './api/types';
import { live } from './live/live.svelte';

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

type Who =
  | { state: 'asking' }
  | { state: 'nobody'; setupNeeded: boolean }
  | { state: 'somebody'; me: Me }
  | { state: 'unreachable'; problem: Problem };

class Session {
  #who = $state.raw<Who>({ state: 'asking' });

  get who(): Who {
    return this.#who;
  }
  get me(): Me | null {
    return this.#who.state === 'somebody' ? this.#who.me : null;
  }

  /** Whether the person has at least this role. What they may not do is not shown. */
  may(role: Role): boolean {
    const me = this.me;
    return me !== null && RANK[me.role] >= RANK[role];
  }

  /** Asks the server who we are, and if nobody, whether the first account is still to be made. */
  async begin(): Promise<void> {
    whenLoggedOut(() => this.#leave());
    try {
      this.enter(await api.me());
    } catch (thrown) {
      const problem = Problem.of(thrown);
      if (problem.status !== 401) {
        this.#who = { state: 'unreachable', problem };
        return;
      }
      await this.#askSetup();
    }
  }

  enter(me: Me): void {
    this.#who = { state: 'somebody', me };
    live.start();
  }

  async logOut(): Promise<void> {
    await api.logout();
    this.#leave();
  }

  async #askSetup(): Promise<void> {
    try {
      const { needed } = await api.setupNeeded();
      this.#who = { state: 'nobody', setupNeeded: needed };
    } catch (thrown) {
      this.#who = { state: 'unreachable', problem: Problem.of(thrown) };
    }
  }

  #leave(): void {
    if (this.#who.state !== 'somebody') return;
    live.stop();
    this.#who = { state: 'nobody', setupNeeded: false };
  }
}

export const session = new Session();
