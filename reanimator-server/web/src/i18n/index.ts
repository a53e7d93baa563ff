/** What pages say: `t.hosts.title`. Read it where it is drawn, so that it follows the language. */
import type { Format } from '../format';
import type { Messages } from './en';
import { spoken } from './language.svelte';

/** The messages of the language that is spoken now, by area. */
export const t: Readonly<Messages> = new Proxy({} as Messages, {
  get: (_, area) => spoken.messages[area as keyof Messages],
});

/** Numbers, sizes and times as they are written in it. */
export const format: Format = new Proxy({} as Format, {
  get: (_, way) => spoken.format[way as keyof Format],
});
