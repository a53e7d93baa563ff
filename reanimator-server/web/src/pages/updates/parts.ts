/** The parts of the page of updates, each with an address of its own; what is none of them is the id of a run. */
import type { Component } from 'svelte';
import type { Role } from '../../api/types';
import { t } from '../../i18n';
import Recurring from './Recurring.svelte';
import Redundant from './Redundant.svelte';
import Runs from './Runs.svelte';
import Start from './Start.svelte';

export interface Part {
  id: string;
  title: string;
  needs: Role;
  content: Component;
}

const PARTS: readonly Part[] = [
  {
    id: 'now',
    get title() {
      return t.updates.now;
    },
    needs: 'operator',
    content: Start,
  },
  {
    id: 'runs',
    get title() {
      return t.updates.runs;
    },
    needs: 'viewer',
    content: Runs,
  },
  {
    id: 'recurring',
    get title() {
      return t.updates.recurring;
    },
    needs: 'viewer',
    content: Recurring,
  },
  {
    id: 'redundant',
    get title() {
      return t.updates.redundant;
    },
    needs: 'viewer',
    content: Redundant,
  },
];

/** Those that a person may use; the first of them is where the menu leads. */
export const partsFor = (may: (role: Role) => boolean): readonly Part[] =>
  PARTS.filter(({ needs }) => may(needs));
