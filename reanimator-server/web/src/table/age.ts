/** How old a row's figures are, as a cell; it grows by itself while it is seen. */
import { format, t } from '../i18n';
import { OLD_AFTER_SECONDS, OLD_FACTS_AFTER_SECONDS, ageSeconds, isOld } from '../live/age';
import { live } from '../live/live.svelte';
import type { AgeCell } from './cells';

/** `slow` facts are looked at every quarter of an hour, figures every ten seconds. */
export function ageCell(at: string | null, { slow = false } = {}): AgeCell {
  const age = ageSeconds(at, live.serverNow);
  const old = isOld(age, live.fresh, slow ? OLD_FACTS_AFTER_SECONDS : OLD_AFTER_SECONDS);
  return {
    as: 'age',
    text: age === null ? t.common.never : format.age(age),
    title: at ? t.common.observed(momentText(at)) : t.common.neverObserved,
    old: old ? t.common.old : null,
  };
}

/** Whether figures that come every ten seconds must not be shown as fresh. */
export const oldFigures = (at: string | null): boolean => isOld(ageSeconds(at, live.serverNow), live.fresh);

/** The last ones written: the rows in sight tell the same moments each second. */
const moments = new Map<string, string>();
const MOST_KEPT = 500;

function momentText(at: string): string {
  const write = format.moment;
  const key = `${t.common.never} ${at}`;
  const known = moments.get(key);
  if (known !== undefined) return known;
  if (moments.size >= MOST_KEPT) moments.clear();
  const text = write(at);
  moments.set(key, text);
  return text;
}
