/** Before every unit test: the page speaks English, as it does for most who read the tests. */
import { spoken } from './language.svelte';

await spoken.choose('en');
