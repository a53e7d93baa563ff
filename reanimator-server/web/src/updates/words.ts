/** Updates in words. */
import { t } from '../i18n';
import type { Level } from '../facts/table';
import type { UpdateWish } from './types';

const SHOWN = 8;

/** Names with commas between; many are counted after the first. */
export const namesText = (names: readonly string[], count: (value: number) => string): string =>
  names.length > SHOWN
    ? t.updates.andMore(names.slice(0, SHOWN - 1).join(', '), count(names.length - SHOWN + 1))
    : names.join(', ');

/** Whom a wish names: `group:web, tag:prod`. */
export const whomText = ({ hosts, guests }: Pick<UpdateWish, 'hosts' | 'guests'>): string =>
  [hosts && `${t.updates.hosts}: ${hosts}`, guests && `${t.updates.guests}: ${guests}`]
    .filter(Boolean)
    .join('; ');

/** What a wish is besides: `security only, without linux-image-*, with a snapshot`. */
export function wishText(wish: UpdateWish): string {
  const words = t.updates.wishWords;
  const { safety } = wish;
  return [
    wish.security_only ? words.securityOnly : words.all,
    wish.exclude.length > 0 && words.but(wish.exclude.join(', ')),
    safety.by === 'snapshot' && words.snapshot,
    safety.by === 'backup' && words.backup(safety.storage),
    wish.reboot === 'never' && words.noRestart,
    wish.on_failure === 'go-on' && words.goOn,
  ]
    .filter(Boolean)
    .join(', ');
}

/** `12 packages, 3 for security`. */
export function packagesText(
  packages: number,
  security: number | null | undefined,
  count: (value: number) => string,
): string {
  if (packages === 0) return t.updates.nothingPending;
  return [t.updates.packages(packages), security ? t.updates.forSecurity(count(security)) : '']
    .filter(Boolean)
    .join(', ');
}

/** A package that closes a security hole says so by a word and a sign. */
export const securityText = ({ security }: { security: boolean | null }): string | null =>
  security ? t.updates.security : null;
export const securityLevel = ({ security }: { security: boolean | null }): Level | null =>
  security ? 'warn' : null;
