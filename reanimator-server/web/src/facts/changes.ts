/** What changed, by day, as a timeline shows it. */
import type { Change } from '../api/types';

export interface Day {
  day: string;
  changes: Change[];
}

/** Changes as they come, newest first, under the day on which each was seen. */
export function byDay(changes: readonly Change[], dayOf: (at: string) => string): Day[] {
  const days: Day[] = [];
  for (const change of changes) {
    const day = dayOf(change.created_at);
    const last = days.at(-1);
    if (last?.day === day) last.changes.push(change);
    else days.push({ day, changes: [change] });
  }
  return days;
}

/** A fact's path as people read it: `system.kernel` is `system: kernel`. */
export function fieldText(field: string): string {
  const at = field.indexOf('.');
  return at < 0 ? field : `${field.slice(0, at)}: ${field.slice(at + 1)}`;
}

/** Whether a host went away or came back. */
export function isHostState({ entity, field }: Change): boolean {
  return field === 'state' && entity.startsWith('host:');
}

/** A value as people read it; the states of hosts have words of their own. */
export function valueText(change: Change, value: string, states: Readonly<Record<string, string>>): string {
  return isHostState(change) ? (states[value] ?? value) : value;
}

/** Whether something came, went or changed. */
export function changeKind({ old_value, new_value }: Change): 'came' | 'went' | 'changed' {
  if (old_value === null) return 'came';
  return new_value === null ? 'went' : 'changed';
}
