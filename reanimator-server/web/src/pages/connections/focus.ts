import { tick } from 'svelte';

/** Takes the focus as soon as it is drawn: what a dialog shows next is read from its beginning. */
export function takeFocus(element: HTMLElement): void {
  element.focus();
}

/** Puts the focus on a field by its name, once it is drawn; the form itself may be drawn only then. */
export async function focusField(form: () => HTMLElement | null | undefined, name: string): Promise<void> {
  await tick();
  form()?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
}
