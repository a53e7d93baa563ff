/**
 * What the keys of the page mean, without a document: `/` looks for something, `?` tells the keys, `g` and a
 * letter go to a page, and Ctrl or Cmd with `k` opens the palette from everywhere.
 */

/** What a key press asks for. */
export type Asked = { what: 'palette' } | { what: 'search' } | { what: 'help' } | { what: 'go'; key: string };

export interface Press {
  key: string;
  /** Ctrl or Cmd is held. */
  command: boolean;
  alt: boolean;
  /** It goes into a field: there a letter is a letter. */
  typing: boolean;
  at: number;
}

/** So long after `g` the letter may come. */
const PATIENCE_MS = 1500;

/** Keys that are held while another is pressed, and end no sequence. */
const HELD = new Set(['Shift', 'Control', 'Alt', 'AltGraph', 'Meta', 'CapsLock']);

export class Keys {
  #waitingSince: number | null = null;

  /** What this press asks for; null where it is nothing of ours. */
  press({ key, command, alt, typing, at }: Press): Asked | null {
    if (HELD.has(key)) return null;
    const second = this.#waitingSince !== null && at - this.#waitingSince < PATIENCE_MS;
    this.#waitingSince = null;
    if (command && !alt && key.toLowerCase() === 'k') return { what: 'palette' };
    if (command || alt || typing) return null;
    if (second) return { what: 'go', key };
    switch (key) {
      case 'g':
        this.#waitingSince = at;
        return null;
      case '/':
        return { what: 'search' };
      case '?':
        return { what: 'help' };
      default:
        return null;
    }
  }
}

/** Whether Cmd is the key that Ctrl is elsewhere. */
export const isApple = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

/** Inputs that a letter does nothing to. */
const NO_TEXT = new Set([
  'button',
  'checkbox',
  'radio',
  'submit',
  'reset',
  'file',
  'color',
  'range',
  'image',
]);

/** Whether what is pressed on something is typed into it. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !NO_TEXT.has(target.type);
  return target.isContentEditable || /^(textarea|select)$/i.test(target.tagName);
}
