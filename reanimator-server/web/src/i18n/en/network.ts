/** Interfaces of the whole fleet, and how hosts, bridges and guests hang together. */
import { format } from '..';
import { counted } from '../counted';

export const network = {
  title: 'Network',
  tabs: { label: 'Parts of the network', interfaces: 'Interfaces', topology: 'Topology' },
  noneYet: 'No interfaces seen yet',
  noneYetText: 'Interfaces are looked at every quarter of an hour. “Look now” on a host’s page asks at once.',
  interfaceOf: (name: string, host: string) => `${name} of ${host}`,
  vlan: (id: number) => `VLAN ${id}`,
  states: { up: 'up', 'no-link': 'no link', down: 'down', unknown: 'unknown' },
  types: {
    physical: 'physical',
    bridge: 'bridge',
    bond: 'bond',
    vlan: 'VLAN',
    veth: 'veth',
    tun: 'tunnel or tap',
    wireguard: 'WireGuard',
    dummy: 'dummy',
    loopback: 'loopback',
    virtual: 'virtual',
  },
  words: {
    label: 'Interfaces',
    filter: 'Filter interfaces',
    looksAt: 'Name, host, type, state, address, MAC, bridge, VLAN',
    all: (count: number) => counted(count, 'interface', 'interfaces'),
    some: (shown: number, total: number) =>
      `${format.count(shown)} of ${counted(total, 'interface', 'interfaces')}`,
    noMatch: 'No interface matches',
    showAll: 'Show all interfaces',
    chooseAll: 'Choose all shown interfaces',
  },
  columns: {
    interface: 'Interface',
    node: 'Host',
    type: 'Type',
    state: 'State',
    addresses: 'Addresses',
    member: 'Bridge, VLAN',
    speed: 'Speed',
    mtu: 'MTU',
    mac: 'MAC',
    age: 'Seen',
  },
};
