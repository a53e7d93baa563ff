/** Which hosts have most to do. */
import type { Host } from '../../api/types';

/** The hosts of the highest CPU, the busiest first; those that do not answer have no figure that is true now. */
export function busiest(hosts: readonly Host[], most: number): Host[] {
  return hosts
    .filter((host) => host.state === 'online' && host.cpu_percent !== null)
    .sort((a, b) => (b.cpu_percent ?? 0) - (a.cpu_percent ?? 0))
    .slice(0, most);
}
