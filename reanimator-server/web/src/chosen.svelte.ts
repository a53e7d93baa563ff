/** The hosts a person has ticked, kept while going from the fleet to a page that does something with them. */
import { SvelteSet } from 'svelte/reactivity';

export const chosenHosts = new SvelteSet<string>();

/** Makes the choice exactly these. */
export function choose(ids: Iterable<string>): void {
  const wanted = [...ids];
  chosenHosts.clear();
  for (const id of wanted) chosenHosts.add(id);
}
