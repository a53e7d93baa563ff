import { common } from './it/common';
import { shell } from './it/shell';
import { start } from './it/start';
import { overview } from './it/overview';
import { hosts } from './it/hosts';
import { host } from './it/host';
import { guests } from './it/guests';
import { guest } from './it/guest';
import { storage } from './it/storage';
import { onestorage } from './it/onestorage';
import { network } from './it/network';
import { cluster } from './it/cluster';
import { alerts } from './it/alerts';
import { operations } from './it/operations';
import { actions } from './it/actions';
import { rules } from './it/rules';
import { notify } from './it/notify';
import { windows } from './it/windows';
import { updates } from './it/updates';
import { scripts } from './it/scripts';
import { run } from './it/run';
import { terminals } from './it/terminals';
import { connections } from './it/connections';
import { settings } from './it/settings';
import { table } from './it/table';
import { facts } from './it/facts';
import { history } from './it/history';
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
