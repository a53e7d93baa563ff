/** The frame around every page: menu, connection, person. */
import { format } from '..';
import { counted } from '../counted';

export const shell = {
  /** The pages, by their ids. */
  pages: {
    overview: 'Overview',
    hosts: 'Hosts',
    host: 'Host',
    guests: 'Guests',
    guest: 'Guest',
    storage: 'Storage',
    onestorage: 'One storage',
    network: 'Network',
    clusters: 'Clusters',
    cluster: 'Cluster',
    alerts: 'Alerts',
    alertpart: 'Alerts',
    operations: 'Operations',
    operation: 'Operation',
    updates: 'Updates',
    update: 'Update',
    scripts: 'Scripts',
    run: 'Run',
    terminals: 'Terminals',
    connections: 'Connections',
    settings: 'Settings',
    setting: 'Settings',
    start: 'First steps',
  },
  /** Behind the name of the alerts in the menu. */
  goingOn: (count: number) => `${format.count(count)} going on`,
  menu: 'Pages',
  skip: 'Skip to the content',
  notFound: 'Not found',
  noPage: 'There is no page at this address',
  toOverview: 'Go to the overview',

  live: 'Live',
  connecting: 'Connecting',
  lost: 'Connection lost',
  figuresOf: (time: string) => `; figures are of ${time}`,
  nextTry: (wait: string) => `next try in ${wait}`,
  tryingNow: 'trying now',

  account: 'Account',
  loggedInAs: 'Logged in as',
  logOut: 'Log out',

  find: 'Find',
  palette: {
    title: 'Find or do something',
    hint: 'Host, guest, address, tag, page, setting…',
    found: 'What was found',
    count: (count: number) => counted(count, 'result', 'results'),
    among: (count: number) => `${format.count(count)} things searched`,
    nothing: 'Nothing is called that.',
    reading: 'Reading guests and storages',
    deed: 'Do',
    importHosts: 'Import hosts',
  },

  keys: {
    title: 'Keys',
    control: 'Ctrl',
    escapeKey: 'Esc',
    everywhere: 'Everywhere',
    go: 'Go to a page',
    search: 'Look for something on the page, or everywhere',
    palette: 'Find any host, guest, page or setting, or do something',
    help: 'Show these keys',
    escape: 'Close what is open',
    notInFields: 'While you type into a field, letters are letters.',
  },
};
