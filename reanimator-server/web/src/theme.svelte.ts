/** Light, dark, or as the system has it. The choice stays in this browser. */

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** The colour of the window's own frame: that of the page's header, light and dark. */
const FRAME = { light: '#ffffff', dark: '#171b1e' } as const;

/** The frame follows the system unless a theme was chosen. */
function colourFrame(theme: Theme): void {
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.media.includes('dark') ? 'dark' : 'light';
    meta.content = FRAME[theme === 'system' ? own : theme];
  }
}

class Chosen {
  #theme = $state<Theme>((document.documentElement.dataset['theme'] as Theme | undefined) ?? 'system');

  constructor() {
    colourFrame(this.#theme);
  }

  get theme(): Theme {
    return this.#theme;
  }
  set theme(theme: Theme) {
    this.#theme = theme;
    colourFrame(theme);
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    try {
      if (theme === 'system') localStorage.removeItem('theme');
      else localStorage.setItem('theme', theme);
    } catch {
      // Storage may be forbidden; the choice then lasts until the page is left.
    }
  }
}

export const chosen = new Chosen();
