import type { history as English } from '../en/history';

export const history: typeof English = {
  title: 'Verlauf',
  span: 'Zeitraum',
  ranges: { '1h': '1 Std.', '24h': '24 Std.', '7d': '7 T.', '30d': '30 T.', '365d': '1 J.' },
  move: 'Diagramme verschieben',
  earlier: 'Früher',
  later: 'Später',
  closer: 'Vergrößern',
  wider: 'Verkleinern',
  now: 'Jetzt',
  legend:
    'Linien zeigen Mittelwerte, die Schattierung reicht vom kleinsten bis zum größten Wert. Lücken wurden nicht gesehen.',
  hint: 'Ziehen verschiebt, ebenso Pfeiltasten, + und −. Das Mausrad zoomt mit Strg oder nach einem Klick ins Diagramm.',
  reading: 'Verlauf wird gelesen',
  empty: 'Keine Werte in diesem Zeitraum.',
  asTable: 'Als Tabelle zeigen',
  time: 'Zeit',
  average: 'Mittelwert',
  leastMost: 'Kleinster – größter',
  told: (least, most, average) => `von ${least} bis ${most}, im Mittel ${average}`,
  noFigures: 'keine Werte',
};
