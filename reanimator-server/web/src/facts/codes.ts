/** Words that hosts and Proxmox use for states and kinds, in the person's language. */
import { t } from '../i18n';

/** A code as people read it; one that is not in the catalogue is shown as it is. */
export function codeText<T extends string | null | undefined>(code: T): string | T {
  if (!code || !Object.hasOwn(t.facts.codes, code)) return code;
  return (t.facts.codes as Readonly<Record<string, string>>)[code] ?? code;
}
