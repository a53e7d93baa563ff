/**
 * Which language the page speaks: the browser's, or the one that was chosen here. Its messages are a file of
 * their own, which is loaded before anything is drawn; changing it draws the page anew, without a reload.
 */
import { Format } from '../format';
import { keep, recall } from '../kept';
import type { Messages } from './en';

export const LANGUAGES = ['en', 'de', 'it'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What each language calls itself. */
export const NAMES: Record<Language, string> = { en: 'English', de: 'Deutsch', it: 'Italiano' };

const CATALOGUES: Record<Language, () => Promise<{ messages: Messages }>> = {
  en: () => import('./en'),
  de: () => import('./de'),
  it: () => import('./it'),
};

const isLanguage = (value: unknown): value is Language => LANGUAGES.some((each) => each === value);

/** The first of a person's languages that we speak; English where we speak none of them. */
export function pickLanguage(wanted: readonly string[]): Language {
  const bases = wanted.map((locale) => locale.toLowerCase().split('-')[0]);
  return bases.find(isLanguage) ?? 'en';
}

/** How dates and numbers are written: as where the person lives, if they speak that language there. */
export function pickLocale(language: Language, wanted: readonly string[]): string {
  return wanted.find((locale) => locale.toLowerCase().split('-')[0] === language) ?? language;
}

class Spoken {
  #language = $state<Language>('en');
  #messages = $state.raw<Messages | null>(null);
  #format = $state.raw(new Format('en'));
  #chosen = $state.raw(recall('language', isLanguage));

  get language(): Language {
    return this.#language;
  }
  /** What was chosen here; null follows the browser. */
  get chosen(): Language | null {
    return this.#chosen;
  }
  get messages(): Messages {
    if (!this.#messages) throw new Error('No language was loaded before the page was drawn');
    return this.#messages;
  }
  get format(): Format {
    return this.#format;
  }

  /** Loads the language of this browser. */
  begin = (): Promise<void> => this.#speak(this.#chosen ?? pickLanguage(wanted()));

  async choose(language: Language | null): Promise<void> {
    await this.#speak(language ?? pickLanguage(wanted()));
    this.#chosen = language;
    keep('language', language);
  }

  async #speak(language: Language): Promise<void> {
    const { messages } = await CATALOGUES[language]();
    this.#language = language;
    this.#messages = messages;
    this.#format = new Format(pickLocale(language, wanted()), messages.common);
    if (globalThis.document) document.documentElement.lang = language;
  }
}

const wanted = (): readonly string[] => globalThis.navigator?.languages ?? [];

export const spoken = new Spoken();
