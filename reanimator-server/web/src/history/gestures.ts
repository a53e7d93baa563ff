/** How a chart is moved by pointer, wheel and keys. */

export interface Moves {
  /** Later by a share of what is shown; earlier where that is negative. */
  pan(share: number): void;
  /** Shows more (over 1) or less of it, about a place from 0 to 1. */
  zoom(factor: number, about?: number): void;
  /** Goes to what is now. */
  follow(): void;
}

const PAN_KEY = 0.25;
const ZOOM_KEY = 1.5;

/** What a key does; null where it is none of ours. */
export function moveOf(key: string, far: boolean, moves: Moves): (() => void) | null {
  const share = far ? 1 : PAN_KEY;
  switch (key) {
    case 'ArrowLeft':
      return () => moves.pan(-share);
    case 'ArrowRight':
      return () => moves.pan(share);
    case 'PageUp':
      return () => moves.pan(-1);
    case 'PageDown':
      return () => moves.pan(1);
    case '+':
    case '=':
      return () => moves.zoom(1 / ZOOM_KEY);
    case '-':
    case '_':
      return () => moves.zoom(ZOOM_KEY);
    case 'End':
      return () => moves.follow();
    default:
      return null;
  }
}

/** Pixels that a wheel was turned by, whatever it counts in. */
const pixels = (delta: number, mode: number) => delta * (mode === 1 ? 16 : mode === 2 ? 400 : 1);

/**
 * Lets a chart be dragged, and turned through with the wheel: sideways always; up and down zooms only while the
 * chart has the focus or with Ctrl, so that the page scrolls as any page. What comes back undoes it.
 */
export function listen(element: HTMLElement, moves: Moves): () => void {
  let at: number | null = null;
  const area = () => (element.querySelector('.u-over') ?? element).getBoundingClientRect();

  const down = (event: PointerEvent) => {
    if (event.button !== 0 || !event.isPrimary) return;
    at = event.clientX;
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    if (at === null) return;
    const by = event.clientX - at;
    if (by === 0) return;
    at = event.clientX;
    moves.pan(-by / Math.max(1, area().width));
  };
  const up = () => (at = null);
  const wheel = (event: WheelEvent) => {
    const { left, width } = area();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      moves.pan(pixels(event.deltaX, event.deltaMode) / Math.max(1, width));
    } else if (event.ctrlKey || event.metaKey || document.activeElement === element) {
      event.preventDefault();
      const about = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
      moves.zoom(1.0015 ** pixels(event.deltaY, event.deltaMode), about);
    }
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = moveOf(event.key, event.shiftKey && event.key.startsWith('Arrow'), moves);
    if (!act) return;
    event.preventDefault();
    act();
  };

  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('wheel', wheel, { passive: false });
  element.addEventListener('keydown', key);
  return () => {
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
    element.removeEventListener('wheel', wheel);
    element.removeEventListener('keydown', key);
  };
}
