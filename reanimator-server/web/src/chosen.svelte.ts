/** What a person has ticked, kept while going from a table to a page that does something with it. */
import { SvelteSet } from 'svelte/reactivity';

export const chosenHosts = new SvelteSet<string>();
export const chosenGuests = new SvelteSet<string>();

/** Makes the choice exactly these hosts. */
export function choose(ids: Iterable<string>): void {
  const wanted = [...ids];
  chosenHosts.clear();
  for (const id of wanted) chosenHosts.add(id);
}
