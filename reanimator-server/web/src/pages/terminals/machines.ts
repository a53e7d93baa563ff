/** The machines that a terminal can be opened of, by what people call them. */
import type { Host, VmRow } from '../../api/types';

export interface MachineChoice {
  /** `host:ID` or `guest:CONNECTION:VMID`. */
  machine: string;
  /** What is typed to choose it: its name, with its number where two are called the same. */
  label: string;
  kind: 'host' | 'guest';
}

/** Hosts first, then guests that run; each under a label of its own. */
export function machinesOf(
  hosts: readonly Pick<Host, 'id' | 'name'>[],
  guests: readonly Pick<VmRow, 'id' | 'name' | 'vmid' | 'status'>[],
): MachineChoice[] {
  const choices: MachineChoice[] = [
    ...hosts.map(({ id, name }) => ({ machine: `host:${id}`, label: name, kind: 'host' as const })),
    ...guests
      .filter(({ status }) => status === 'running')
      .map(({ id, name, vmid }) => ({
        machine: `guest:${id}`,
        label: name ? `${name} (${vmid})` : vmid,
        kind: 'guest' as const,
      })),
  ];
  const taken = new Set<string>();
  return choices.map((choice) => {
    const label = taken.has(choice.label) ? choice.machine : choice.label;
    taken.add(label);
    return { ...choice, label };
  });
}
