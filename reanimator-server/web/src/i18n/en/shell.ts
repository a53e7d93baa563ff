/** The frame around every page: menu, connection, person. */
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
    run: 'Run',
    connections: 'Connections',
    settings: 'Settings',
    setting: 'Settings',
    start: 'First steps',
  },
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

  keys: {
    title: 'Keys',
  },
};
