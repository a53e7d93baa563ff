import type { history as English } from '../en/history';

export const history: typeof English = {
  title: 'Storico',
  span: 'Intervallo di tempo',
  ranges: { '1h': '1 h', '24h': '24 h', '7d': '7 g', '30d': '30 g', '365d': '1 a' },
  move: 'Spostare i grafici',
  earlier: 'Prima',
  later: 'Dopo',
  closer: 'Ingrandire',
  wider: 'Rimpicciolire',
  now: 'Adesso',
  legend:
    'Le linee sono medie, le ombreggiature vanno dal minimo al massimo. Le lacune non sono state viste.',
  hint: 'Trascinare per spostare; anche con le frecce, + e −. La rotella ingrandisce con Ctrl o dopo un clic sul grafico.',
  reading: 'Lettura dello storico',
  empty: 'Nessun valore in questo intervallo.',
  asTable: 'Mostrare come tabella',
  time: 'Ora',
  average: 'Media',
  leastMost: 'Minimo – massimo',
  told: (least, most, average) => `da ${least} a ${most}, in media ${average}`,
  noFigures: 'nessun valore',
};
