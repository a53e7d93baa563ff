/** Light, dark, or as the system has it. The choice stays in this browser. */

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

class Chosen {
  #theme = $state<Theme>((document.documentElement.dataset['theme'] as Theme | undefined) ?? 'system');

  get theme(): Theme {
    return this.#theme;
  }
  set theme(theme: Theme) {
    this.#theme = theme;
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
