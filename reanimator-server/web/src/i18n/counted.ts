/** For messages with a number in them. English, German and Italian know one and several. */
import { format } from '.';

/** `1 host`, `2,048 hosts`: the number as it is written in the language, and the word that goes with it. */
export function counted(count: number, one: string, several: string): string {
  return `${format.count(count)} ${count === 1 ? one : several}`;
}
