import type { IconName } from '../ui/Icon.svelte';
import type { MenuItem } from '../ui/Menu.svelte';

/** What a table says of what it holds; each page has its own. */
export interface TableWords {
  /** What the table is of: `Hosts`. */
  label: string;
  filter: string;
  /** What a filter looks at. */
  looksAt: string;
  all: (count: number) => string;
  some: (shown: number, total: number) => string;
  noMatch: string;
  showAll: string;
  chooseAll: string;
}

/** Something to be done with the rows that are ticked. */
export interface Action {
  id: string;
  label: string;
  icon: IconName;
  act: () => void;
}

/** Several of them behind one button. */
export interface ActionMenu {
  id: string;
  label: string;
  /** What it is called whole: `Actions on 3 guests`. */
  name: string;
  items: readonly MenuItem[];
}
