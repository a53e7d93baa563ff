/** The first page: the fleet's sums, what needs somebody, what changed. */
import { format } from '..';
import { counted } from '../counted';

export const overview = {
  title: 'Overview',

  // The sums.
  whole: 'The whole fleet',
  hosts: 'Hosts',
  guests: 'Guests',
  cpu: 'CPU',
  memory: 'Memory',
  storage: 'Storage',
  network: 'Network',
  ofOnline: (total: string) => `of ${total} online`,
  ofRunning: (total: string) => `of ${total} running`,
  allAnswer: 'All of them answer',
  noneYet: 'None yet',
  someGuests: 'VMs and containers',
  noGuests: 'No Proxmox guests',
  cpuInUse: 'CPU in use',
  memoryInUse: 'Memory in use',
  storageInUse: 'Storage in use',
  ofCpus: (count: string) => `of ${count} CPUs`,
  usedOf: (used: string, total: string) => `${used} of ${total}`,
  lastDay: (what: string) => `${what} over the last 24 hours`,
  sinceOpened: (what: string) => `${what} since this page was opened`,
  linesOfDay: 'Small lines: the last 24 hours',
  linesSinceOpened: 'Small lines: since this page was opened',
  in: 'in',
  out: 'out',
  sumsSeen: 'Sums seen',

  // The history.
  history: 'The fleet over time',
  charts: {
    cpu: 'CPU',
    memory: 'Memory',
    storage: 'Storage',
    hosts: 'Hosts',
    guests: 'Guests',
    network: 'Network',
    used: 'used',
    total: 'in all',
    online: 'online',
    running: 'running',
  },

  // An empty fleet.
  beginning: 'There is little to see yet: add machines step by step.',
  noHosts: 'No hosts yet',
  noHostsAdmin:
    'Add a Linux machine over SSH, or connect a Proxmox cluster and all its nodes come in at once.',
  noHostsOther: 'An admin can add machines; they appear here by themselves.',

  // What needs somebody.
  attention: 'Needs attention',
  counts: {
    critical: (count: number) => `${format.count(count)} critical`,
    warning: (count: number) => counted(count, 'warning', 'warnings'),
    notice: (count: number) => counted(count, 'notice', 'notices'),
  },
  calm: 'Nothing needs attention',
  checked: (hosts: string, guests: string) =>
    `Looked at ${hosts} and ${guests}: whether they answer, disks and pools, temperatures, units, quorum, replication, certificates, backups and updates.`,
  updatesWait: (pending: string, security: string) => `${pending} updates wait, ${security} for security`,
  since: (age: string) => `for ${age}`,
  lastDone: (age: string) => `last done ${age} ago`,
  /** What is said of each kind of trouble, of its `values`; the server's own words stand where no message is. */
  needs: {
    offline: () => 'it does not answer',
    unseen: () => 'it has not been seen for a while',
    oldFacts: (section: string) => `what is known of its ${section} is old`,
    noQuorum: () => 'it has lost quorum',
    storageUnusable: () => 'it cannot be used',
    poolFull: (pool: string, percent: string) => `${pool} is ${format.percent(Number(percent))} full`,
    metadataFull: (pool: string, percent: string) =>
      `the metadata of ${pool} is ${format.percent(Number(percent))} full`,
    diskFull: (percent: string) => `${format.percent(Number(percent))} of it is full`,
    highAvailability: (resource: string) => `high availability of ${resource} is in error`,
    ceph: (health: string) => `Ceph says ${health}`,
    cephChecks: (health: string, checks: string) => `Ceph says ${health}: ${checks}`,
    replication: (job: string) => `replication ${job} fails`,
    service: (name: string) => `the service ${name} failed`,
    units: (count: number, names: string) => `${counted(count, 'unit', 'units')} failed: ${names}`,
    hot: (sensor: string, celsius: string) => `${sensor} reads ${celsius} °C, its limit is reached`,
    warm: (celsius: string) => `a sensor reads ${celsius} °C`,
    expires: (name: string, days: number) =>
      `the certificate ${name} expires ${days === 0 ? 'within a day' : `in ${counted(days, 'day', 'days')}`}`,
    expired: (name: string) => `the certificate ${name} has expired`,
    backupFailed: (of: string) => `the backup of ${of} failed`,
    backupOld: (days: number) => `its newest backup is ${counted(days, 'day', 'days')} old`,
    backupOldHours: (hours: number) => `its newest backup is ${counted(hours, 'hour', 'hours')} old`,
    backupNone: () => 'it has no backup yet',
    backupBySchedule: (what: string, job: string, schedule: string) =>
      `${what}, and the job ${job} runs by the schedule “${schedule}”`,
    backupAllowed: (what: string, job: string, days: number) =>
      `${what}, and ${counted(days, 'day is', 'days are')} allowed for the job ${job}, whose schedule is not understood`,
    backupMissing: (count: number, names: string) =>
      `${counted(count, 'guest is', 'guests are')} in no backup job: ${names}`,
    clockAhead: (seconds: string) => `its clock is ${seconds} s ahead`,
    clockBehind: (seconds: string) => `its clock is ${seconds} s behind`,
    updates: (count: number) => counted(count, 'security update waits', 'security updates wait'),
    notify: (target: string, error: string) => `notices do not reach ${target}: ${error}`,
    restartWanted: () => 'it wants to be restarted',
  },
  /** What is wrong with a disk. */
  disks: {
    failed: (disk: string) => `SMART of ${disk} failed`,
    attributes: (disk: string, names: string) => `${disk} is below the limit in ${names}`,
    warning: (disk: string, words: string) => `${disk} warns: ${words}`,
    spare: (disk: string) => `${disk} runs out of spare blocks`,
    selfTest: (disk: string) => `the newest self-test of ${disk} failed`,
    pending: (disk: string, count: number) =>
      `${disk} has ${counted(count, 'sector', 'sectors')} that cannot be read`,
    uncorrectable: (disk: string, count: number) =>
      `${disk} has ${counted(count, 'uncorrectable error', 'uncorrectable errors')}`,
    reallocated: (disk: string, count: number) =>
      `${disk} has ${counted(count, 'reallocated sector', 'reallocated sectors')}`,
    media: (disk: string, count: number) => `${disk} has ${counted(count, 'media error', 'media errors')}`,
    worn: (disk: string, percent: string) =>
      `${disk} is worn: ${format.percent(Number(percent))} of its promised life is used`,
  },
  /** What is wrong with a pool, RAID, volume group or btrfs. */
  pools: {
    state: (pool: string, state: string) => `${pool} is ${state}`,
    data: (pool: string) => `${pool} has damaged data`,
    device: (pool: string, device: string, state: string) => `${device} in ${pool} is ${state}`,
    errors: (pool: string, device: string, count: number) =>
      `${device} in ${pool} had ${counted(count, 'error', 'errors')}`,
    scan: (pool: string, scan: string, count: number) =>
      `the last ${scan} of ${pool} left ${counted(count, 'error', 'errors')}`,
    degraded: (pool: string, missing: number) =>
      `${pool} is degraded: ${counted(missing, 'member is', 'members are')} missing`,
    inactive: (pool: string) => `${pool} is inactive`,
  },
  /** What has become of a subscription. */
  subscriptions: {
    expired: 'its subscription has expired',
    invalid: 'its subscription is invalid',
    suspended: 'its subscription is suspended',
  },
  /** What a pool is called, by its type. */
  poolNames: {
    zfs: (name: string) => `pool ${name}`,
    thin: (name: string) => `thin pool ${name}`,
    group: (name: string) => `volume group ${name}`,
    volume: (name: string) => `volume ${name}`,
    raid: (name: string) => `RAID ${name}`,
    btrfs: (name: string) => `btrfs ${name}`,
  },
  /** The parts of a host's facts. */
  sections: {
    hardware: 'hardware',
    sensors: 'sensors',
    disks: 'disks',
    network: 'network',
    system: 'system',
    updates: 'updates',
    containers: 'containers',
    proxmox: 'Proxmox node',
  },
  /** Many of one kind, told as one. */
  many: {
    offline: 'They do not answer',
    'old-data': 'Data is old',
    'no-quorum': 'Clusters have lost quorum',
    'disk-health': 'Disks are failing or worn',
    pool: 'Pools are not healthy',
    'pool-full': 'Pools are nearly full',
    'storage-unusable': 'Storages cannot be used',
    'disk-full': 'Storages are nearly full',
    'high-availability': 'High availability is in error',
    ceph: 'Ceph is not healthy',
    replication: 'Replications fail',
    service: 'Services failed',
    'failed-units': 'Units failed',
    temperature: 'Sensors are too warm',
    certificate: 'Certificates expire',
    'backup-failed': 'Backups failed',
    'backup-old': 'Backups are old',
    'backup-missing': 'Guests are in no backup job',
    clock: 'Clocks are wrong',
    subscription: 'Subscriptions are no longer valid',
    updates: 'Security updates wait',
    notify: 'Notices do not reach their targets',
    'restart-wanted': 'Hosts want to be restarted',
  },
  /** What to do about each. */
  todo: {
    offline: 'See whether it runs and its network works, then test the connection on its page.',
    'old-data': 'Test the connection on its page.',
    'no-quorum': 'Bring missing nodes back; until then the configuration of the cluster is read-only.',
    'disk-health': 'Save what is on the disk and replace it.',
    pool: 'Replace the disk that failed, then let the pool rebuild.',
    'pool-full': 'Make room or enlarge it: a full pool stops its guests.',
    'storage-unusable': 'See whether it is mounted and its server can be reached.',
    'disk-full': 'Make room or enlarge it.',
    'high-availability': 'Read the error of the resource, put it right, and start it again.',
    ceph: 'Read the warnings on the page of the cluster.',
    replication: 'Read the error of the job; often the target has no room.',
    service: 'Read its log and start it again.',
    'failed-units': 'Read their logs and start them again.',
    temperature: 'See to the cooling.',
    certificate: 'Renew it, and see why it was not renewed by itself.',
    'backup-failed': 'Read the log of the task.',
    'backup-old': 'See whether the backup job runs and what it says.',
    'backup-missing': 'Add them to a backup job, or leave them out on purpose.',
    clock: 'See whether time synchronisation runs.',
    subscription: 'Renew it, or remove its key.',
    updates: 'Install the updates.',
    notify: 'See what it says, and try it in the settings.',
    'restart-wanted': 'Restart it when it suits.',
  },

  // The rest of the page.
  busiest: 'Busiest hosts',
  cpuOfHour: 'CPU over the last hour',
  cpuOf: (host: string) => `CPU of ${host} over the last hour`,
  readingHour: 'Reading the last hour',
  clusters: 'Clusters',
  clusterNamed: (name: string) => `Cluster ${name}`,
  standsAlone: 'Stands alone',
  unknown: 'unknown',
  nodes: (online: string, total: string) => `${online} of ${total} nodes`,
  guestsRunning: (running: string, total: string) => `${running} of ${total} guests running`,
  hasQuorum: 'Has quorum',
  noQuorum: 'No quorum',
  votes: (present: number, expected: number) => `${present} of ${expected} votes`,
  recent: 'Recent changes',
  noChanges:
    'Nothing has changed since the hosts were first seen. Versions, disks, addresses, guests, units and package counts that differ from last time are noted here.',
  guestNamed: (vmid: string) => `guest ${vmid}`,

  // Hosts that answer and are not seen all the same.
  away: {
    'host-key-unknown': 'it answers, but nobody has vouched for its key yet',
    'host-key-changed': 'it shows another key than the one that is trusted',
    'auth-failed': 'it answers, but refuses the log-in',
  },
  awayTodo: {
    'host-key-unknown': 'Compare its fingerprint on its page, then trust the key.',
    'host-key-changed':
      'If it was set up anew, compare its new key on its page and trust it there. If not, somebody may be in between.',
    'auth-failed': 'Check its user, password or key, then replace the credential in the settings.',
  },
  awayMany: {
    'host-key-unknown': 'Their keys wait to be compared',
    'host-key-changed': 'Their keys have changed',
    'auth-failed': 'They refuse the log-in',
  },
  templates: (count: number) => `+ ${counted(count, 'template', 'templates')}`,

  storageOn: (storage: string, node: string) => `${storage} on ${node}`,
};
