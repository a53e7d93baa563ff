/** Which rows are ticked: logic without a document. */

/** How the shown rows stand to the selection. */
export function selectionOf(shown: readonly string[], chosen: ReadonlySet<string>): 'none' | 'some' | 'all' {
  if (chosen.size === 0) return 'none';
  let count = 0;
  for (const id of shown) if (chosen.has(id)) count += 1;
  if (count === 0) return 'none';
  return count === shown.length ? 'all' : 'some';
}

/** The selection after the heading's box is clicked: all shown ones, or none of them; hidden ones stay as they are. */
export function toggleShown(shown: readonly string[], chosen: ReadonlySet<string>): Set<string> {
  const next = new Set(chosen);
  const all = selectionOf(shown, chosen) === 'all';
  for (const id of shown) {
    if (all) next.delete(id);
    else next.add(id);
  }
  return next;
}

/**
 * The selection after the box of line `to` is clicked. With `from`, the line that was clicked before, all between
 * become as the clicked one does. Lines that are no rows have no id.
 */
export function toggleLines(
  ids: (line: number) => string | null,
  to: number,
  from: number | null,
  chosen: ReadonlySet<string>,
): Set<string> {
  const next = new Set(chosen);
  const id = ids(to);
  if (id === null) return next;
  const on = !chosen.has(id);
  const first = Math.min(to, from ?? to);
  const last = Math.max(to, from ?? to);
  for (let line = first; line <= last; line += 1) {
    const each = ids(line);
    if (each === null) continue;
    if (on) next.add(each);
    else next.delete(each);
  }
  return next;
}
