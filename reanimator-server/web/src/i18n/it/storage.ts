import { format } from '..';
import { counted } from '../counted';
import type { storage as English } from '../en/storage';

export const storage: typeof English = {
  title: 'Storage',
  noneYet: 'Ancora nessuno storage visto',
  noneYetText:
    'Qui compaiono i file system degli host e gli storage dei cluster, appena sono stati controllati.',
  useOf: (name) => `Uso di ${name}`,
  inUse: 'in uso',
  notActive: 'non attivo',
  shared: 'condiviso',
  local: 'locale',
  words: {
    label: 'Storage',
    filter: 'Filtra gli storage',
    looksAt: 'Nome, host, tipo, contenuto, condiviso o locale',
    all: (count) => counted(count, 'storage', 'storage'),
    some: (shown, total) => `${format.count(shown)} su ${counted(total, 'storage', 'storage')}`,
    noMatch: 'Nessuno storage corrisponde',
    showAll: 'Mostra tutti gli storage',
    chooseAll: 'Seleziona tutti gli storage mostrati',
  },
  columns: {
    name: 'Nome',
    node: 'Su',
    type: 'Tipo',
    used: 'Usato',
    free: 'Libero',
    total: 'Dimensione',
    state: 'Stato',
    shared: 'Condiviso',
    content: 'Contiene',
    cluster: 'Cluster',
    age: 'Visto',
  },
};
