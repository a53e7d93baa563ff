import { format } from '..';
import { counted } from '../counted';
import type { network as English } from '../en/network';

export const network: typeof English = {
  title: 'Rete',
  tabs: { label: 'Parti della rete', interfaces: 'Interfacce', topology: 'Topologia' },
  noneYet: 'Ancora nessuna interfaccia vista',
  noneYetText:
    'Le interfacce vengono esaminate ogni quarto d’ora. «Guarda ora» nella pagina di un host chiede subito.',
  interfaceOf: (name, host) => `${name} di ${host}`,
  vlan: (id) => `VLAN ${id}`,
  states: { up: 'attiva', 'no-link': 'nessun link', down: 'inattiva', unknown: 'sconosciuto' },
  types: {
    physical: 'fisica',
    bridge: 'bridge',
    bond: 'bond',
    vlan: 'VLAN',
    veth: 'veth',
    tun: 'tunnel o tap',
    wireguard: 'WireGuard',
    dummy: 'dummy',
    loopback: 'loopback',
    virtual: 'virtuale',
  },
  words: {
    label: 'Interfacce',
    filter: 'Filtra le interfacce',
    looksAt: 'Nome, host, tipo, stato, indirizzo, MAC, bridge, VLAN',
    all: (count) => counted(count, 'interfaccia', 'interfacce'),
    some: (shown, total) => `${format.count(shown)} su ${counted(total, 'interfaccia', 'interfacce')}`,
    noMatch: 'Nessuna interfaccia corrisponde',
    showAll: 'Mostra tutte le interfacce',
    chooseAll: 'Seleziona tutte le interfacce mostrate',
  },
  columns: {
    interface: 'Interfaccia',
    node: 'Host',
    type: 'Tipo',
    state: 'Stato',
    addresses: 'Indirizzi',
    member: 'Bridge, VLAN',
    speed: 'Velocità',
    mtu: 'MTU',
    mac: 'MAC',
    age: 'Vista',
  },
};
