/** What the API calls `host:ID`, `guest:ID`, `storage:ID` or `cluster:ID`: where it leads, and its name. */
import { t } from '../i18n';

export function splitEntity(entity: string): { kind: string; id: string } {
  const at = entity.indexOf(':');
  return at < 0 ? { kind: '', id: entity } : { kind: entity.slice(0, at), id: entity.slice(at + 1) };
}

export function entityHref(entity: string): string | null {
  const { kind, id } = splitEntity(entity);
  switch (kind) {
    case 'host':
      return `/hosts/${encodeURIComponent(id)}`;
    case 'guest':
      return `/guests/${encodeURIComponent(id)}`;
    case 'storage':
      return `/storage/${encodeURIComponent(id)}`;
    case 'cluster':
      return `/clusters/${encodeURIComponent(id)}`;
    case 'notify':
      return '/settings/notifications';
    default:
      return null;
  }
}

/** Its name where it is known; else what it is, with the part of its id that people may know. */
export function entityName(entity: string, names: ReadonlyMap<string, string>): string {
  const { kind, id } = splitEntity(entity);
  const kinds: Readonly<Record<string, string>> = t.facts.entities;
  return (
    names.get(entity) ??
    t.facts.somethingCalled(kinds[kind] ?? kind, id.slice(id.lastIndexOf(':') + 1)).trim()
  );
}
