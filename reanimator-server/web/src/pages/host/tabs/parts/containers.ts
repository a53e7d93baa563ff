/** Containers as they are controlled: each by itself, and by project of Compose. */
import type { ContainerVerb, HostDetails } from '../../../../api/types';

type Container = NonNullable<HostDetails['containers']>['containers'][number];

/** What makes sense for one that runs, or does not. */
export const containerVerbs = (running: boolean): ContainerVerb[] =>
  running ? ['restart', 'stop', 'update'] : ['start', 'update'];

/** Projects, with how many of their containers run. */
export function projectsOf(
  containers: readonly Pick<Container, 'compose_project' | 'state'>[],
): { name: string; all: number; running: number }[] {
  const found = new Map<string, { name: string; all: number; running: number }>();
  for (const { compose_project: name, state } of containers) {
    if (name === null) continue;
    const project = found.get(name) ?? { name, all: 0, running: 0 };
    project.all += 1;
    if (state === 'running') project.running += 1;
    found.set(name, project);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}
