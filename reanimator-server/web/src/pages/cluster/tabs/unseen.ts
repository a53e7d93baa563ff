/** Why a part of a cluster was not seen, in the server's words. */
import type { Unseen } from '../../../api/types';

/** What of a part was not seen. */
export const unseenOf = (unseen: readonly Unseen[], about: RegExp): Unseen[] =>
  unseen.filter(({ what }) => about.test(what));

export function whyUnseen(unseen: readonly Unseen[], about: RegExp): string | null {
  const reasons = unseenOf(unseen, about).map(({ why }) => why);
  return [...new Set(reasons)].filter(Boolean).join('; ') || null;
}
