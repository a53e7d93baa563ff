import { format } from '..';
import { counted } from '../counted';
import type { network as English } from '../en/network';

export const network: typeof English = {
  title: 'Netzwerk',
  tabs: { label: 'Teile des Netzwerks', interfaces: 'Schnittstellen', topology: 'Topologie' },
  noneYet: 'Noch keine Schnittstellen gesehen',
  noneYetText:
    'Nach Schnittstellen wird jede Viertelstunde gesehen. „Jetzt nachsehen“ auf der Seite eines Hosts fragt sofort.',
  interfaceOf: (name, host) => `${name} von ${host}`,
  vlan: (id) => `VLAN ${id}`,
  states: { up: 'aktiv', 'no-link': 'kein Link', down: 'inaktiv', unknown: 'unbekannt' },
  types: {
    physical: 'physisch',
    bridge: 'Bridge',
    bond: 'Bond',
    vlan: 'VLAN',
    veth: 'veth',
    tun: 'Tunnel oder Tap',
    wireguard: 'WireGuard',
    dummy: 'Dummy',
    loopback: 'Loopback',
    virtual: 'virtuell',
  },
  words: {
    label: 'Schnittstellen',
    filter: 'Schnittstellen filtern',
    looksAt: 'Name, Host, Typ, Zustand, Adresse, MAC, Bridge, VLAN',
    all: (count) => counted(count, 'Schnittstelle', 'Schnittstellen'),
    some: (shown, total) => `${format.count(shown)} von ${counted(total, 'Schnittstelle', 'Schnittstellen')}`,
    noMatch: 'Keine Schnittstelle passt',
    showAll: 'Alle Schnittstellen zeigen',
    chooseAll: 'Alle gezeigten Schnittstellen auswählen',
  },
  columns: {
    interface: 'Schnittstelle',
    node: 'Host',
    type: 'Typ',
    state: 'Zustand',
    addresses: 'Adressen',
    member: 'Bridge, VLAN',
    speed: 'Tempo',
    mtu: 'MTU',
    mac: 'MAC',
    age: 'Gesehen',
  },
};
