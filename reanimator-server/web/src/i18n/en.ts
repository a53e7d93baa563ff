import { common } from './en/common';
import { shell } from './en/shell';
import { start } from './en/start';
import { overview } from './en/overview';
import { hosts } from './en/hosts';
import { host } from './en/host';
import { guests } from './en/guests';
import { guest } from './en/guest';
import { storage } from './en/storage';
import { onestorage } from './en/onestorage';
import { network } from './en/network';
import { cluster } from './en/cluster';
import { alerts } from './en/alerts';
import { operations } from './en/operations';
import { actions } from './en/actions';
import { rules } from './en/rules';
import { notify } from './en/notify';
import { windows } from './en/windows';
import { updates } from './en/updates';
import { scripts } from './en/scripts';
import { run } from './en/run';
import { terminals } from './en/terminals';
import { connections } from './en/connections';
import { settings } from './en/settings';
import { table } from './en/table';
import { facts } from './en/facts';
import { history } from './en/history';

/** Every message, by area: an area is a folder of pages or of parts. English says which there are. */
export const messages = {
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

export type Messages = typeof messages;
