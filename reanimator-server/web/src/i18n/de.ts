import { common } from './de/common';
import { shell } from './de/shell';
import { start } from './de/start';
import { overview } from './de/overview';
import { hosts } from './de/hosts';
import { host } from './de/host';
import { guests } from './de/guests';
import { guest } from './de/guest';
import { storage } from './de/storage';
import { onestorage } from './de/onestorage';
import { network } from './de/network';
import { cluster } from './de/cluster';
import { alerts } from './de/alerts';
import { operations } from './de/operations';
import { actions } from './de/actions';
import { rules } from './de/rules';
import { notify } from './de/notify';
import { windows } from './de/windows';
import { updates } from './de/updates';
import { scripts } from './de/scripts';
import { run } from './de/run';
import { terminals } from './de/terminals';
import { connections } from './de/connections';
import { settings } from './de/settings';
import { table } from './de/table';
import { facts } from './de/facts';
import { history } from './de/history';
import type { Messages } from './en';

export const messages: Messages = {
  common,
  shell,
  start,
  overview,
  hosts,
  host,
  guests,
  guest,
  storage,
  onestorage,
  network,
  cluster,
  alerts,
  operations,
  actions,
  rules,
  notify,
  windows,
  updates,
  scripts,
  run,
  terminals,
  connections,
  settings,
  table,
  facts,
  history,
};
