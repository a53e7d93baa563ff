/** Why a part of a cluster was not seen, in the server's words. */
import type { Unseen } from '../../../api/types';

export function whyUnseen(unseen: readonly Unseen[], about: RegExp): string | null {
  const reasons = unseen.filter(({ what }) => about.test(what)).map(({ why }) => why);
  return [...new Set(reasons)].filter(Boolean).join('; ') || null;
}
