/**
 * The one door to the server. Every call is a function here, so that pages never build a URL,
 * and every failure is a {@link Problem}, so that pages show it the same way.
 */
import { withQuery } from '../query';
import { Problem } from './problem';
import { Tagged } from './tagged';
import type {
  Alert,
  AlertRule,
  AlertRuleChange,
  AlertRuleView,
  AuditEntry,
  AuditQuestion,
  BackupReport,
  Change,
  ClusterDetails,
  ClusterRow,
  CommandRun,
  CommandToSave,
  CommandView,
  Credential,
  Delivery,
  DryRun,
  GuestDetails,
  Host,
  HostCredentials,
  HostDetail,
  HostDetails,
  Imported,
  InterfaceRow,
  Inventory,
  LabelChange,
  Labels,
  Listing,
  MaintenanceDryRun,
  MaintenanceWindow,
  MaintenanceWish,
  Match,
  Me,
  NewCommand,
  NewHost,
  NewOperation,
  NewProxmox,
  NewTerminal,
  NodeRow,
  NotifySecrets,
  NotifyTarget,
  NotifyTargetChange,
  NotifyTargetView,
  Operation,
  OperationLine,
  Overview,
  ProtectionView,
  ProxmoxConnection,
  ProxmoxFound,
  Recent,
  Retention,
  Recording,
  Role,
  RuleTrial,
  SavedCommand,
  Script,
  Series,
  Settings,
  StorageRow,
  StoredScript,
  Targets,
  Terminal,
  TerminalSettings,
  TestResult,
  Token,
  Topology,
  Upload,
  User,
  VmRow,
  WindowChange,
  WindowView,
} from './types';
import type {
  RedundantSet,
  RedundantView,
  ScheduleChange,
  ScheduleView,
  UpdateLine,
  UpdatePlan,
  UpdateRun,
  UpdateSchedule,
  UpdateSchedules,
  UpdateWish,
} from '../updates/types';

const BASE = '/api/v1';

let csrf: string | undefined;
let onLoggedOut: () => void = () => undefined;

/** Called when the server no longer knows us, so that the log-in page can be shown. */
export function whenLoggedOut(handler: () => void): void {
  onLoggedOut = handler;
}

interface Extras {
  signal?: AbortSignal;
  /** The tag of the answer that is here already; the server says 304 where it still holds. */
  tag?: string;
  /** Where a piece of a file begins. */
  offset?: number;
}

async function send(method: string, path: string, body?: unknown, extras: Extras = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (extras.tag) headers['If-None-Match'] = extras.tag;
  // The browser names the type of a form itself, with its boundary.
  const isForm = body instanceof FormData;
  const isPiece = body instanceof Blob;
  if (isPiece) headers['Content-Type'] = 'application/octet-stream';
  else if (body !== undefined && !isForm) headers['Content-Type'] = 'application/json';
  if (extras.offset !== undefined) headers['Upload-Offset'] = String(extras.offset);
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: isForm || isPiece ? body : JSON.stringify(body) }),
      ...(extras.signal ? { signal: extras.signal } : {}),
    });
  } catch (thrown) {
    throw Problem.of(thrown);
  }
  if (response.ok || (response.status === 304 && extras.tag)) return response;
  const problem = await Problem.from(response);
  if (problem.status === 401 && path !== '/login') onLoggedOut();
  throw problem;
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (thrown) {
    throw Problem.of(thrown);
  }
}

const tagged = new Tagged((path, tag) => send('GET', path, undefined, tag ? { tag } : {}));

/** Keeps the token that every changing call has to carry. */
function remember(me: Me): Me {
  csrf = me.csrf ?? undefined;
  return me;
}

/** Items per request, and requests per list: enough for any list, and an end to a server that never ends. */
const PAGE_SIZE = 1000;
const MOST_PAGES = 100;

/** All items of a list, page by page. */
async function all<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor = '';
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const listing = await call<Listing<T>>('GET', withQuery(path, { limit: String(PAGE_SIZE), cursor }));
    items.push(...listing.items);
    if (!listing.next_cursor) break;
    cursor = listing.next_cursor;
  }
  return items;
}

const id = encodeURIComponent;

/** `guest:c1:101` as a path of the API. */
function pathOf(thing: string): string {
  const [kind = '', ...rest] = thing.split(':');
  return `/${kind}s/${id(rest.join(':'))}`;
}

/** Which part of a history. */
export interface HistoryQuestion {
  /** `host:ID`, `guest:ID` or `storage:ID`. */
  entity: string;
  metric: string;
  /** When it begins: a time, or how long ago: `24h`. */
  from: string;
  /** When it ends; now, where that is not said. */
  to?: string;
  /** How far apart its points are: `60s`. */
  step?: string;
}

export type GuestName = Pick<VmRow, 'id' | 'vmid' | 'name' | 'template'>;
export type GuestCard = Pick<
  VmRow,
  'id' | 'vmid' | 'name' | 'node' | 'cluster' | 'kind' | 'ip_addresses' | 'tags'
>;
export type StorageCard = Pick<StorageRow, 'id' | 'name' | 'node' | 'type' | 'content'>;

/** The lines of several things, each as `entity` names it, separated by commas. */
export interface RecentQuestion {
  entities: string;
  metric: string;
  from: string;
  points: string;
}

/** One page of changes, newest first. */
export interface ChangePage {
  items: Change[];
  next_cursor: string | null;
}

export const api = {
  setupNeeded: () => call<{ needed: boolean }>('GET', '/setup'),
  setup: async (token: string, username: string, password: string) =>
    remember(await call<Me>('POST', '/setup', { token, username, password })),
  login: async (username: string, password: string) =>
    remember(await call<Me>('POST', '/login', { username, password })),
  logout: async () => {
    await call<undefined>('POST', '/logout');
    csrf = undefined;
    tagged.forget();
  },
  me: async () => remember(await call<Me>('GET', '/me')),

  overview: () => tagged.read<Overview>('/dashboard/overview'),
  nodes: () => tagged.all<NodeRow>('/dashboard/nodes'),
  guests: () => tagged.all<VmRow>('/dashboard/vms'),
  /** The names of all guests and nothing else of them. */
  guestNames: () => tagged.all<GuestName>(withQuery('/dashboard/vms', { fields: 'id,vmid,name,template' })),
  /** What a guest is found by, and nothing else of it. */
  guestCards: () =>
    tagged.all<GuestCard>(
      withQuery('/dashboard/vms', { fields: 'id,vmid,name,node,cluster,kind,ip_addresses,tags' }),
    ),
  /** What a storage is found by; those of a Linux host have no `content`. */
  storageCards: () => tagged.all<StorageCard>(withQuery('/storage', { fields: 'id,name,node,type,content' })),
  /** One guest as a row, by its id. */
  guest: async (guest: string) =>
    (
      await tagged.read<Listing<VmRow>>(withQuery('/dashboard/vms', { filter: `id:${guest}`, limit: '1' }))
    ).items.find((row) => row.id === guest),
  storages: () => tagged.all<StorageRow>('/storage'),
  interfaces: () => tagged.all<InterfaceRow>('/network'),
  topology: () => tagged.read<Topology>('/network/topology'),
  clusters: () => tagged.all<ClusterRow>('/proxmox/clusters'),
  clusterDetails: (cluster: string) => tagged.read<ClusterDetails>(`/proxmox/${id(cluster)}/details`),
  refreshCluster: (cluster: string) => call<ClusterDetails>('POST', `/proxmox/${id(cluster)}/refresh`),
  hostDetails: (host: string) => tagged.read<HostDetails>(`/nodes/${id(host)}/host-details`),
  refreshHost: (host: string) => call<HostDetails>('POST', `/nodes/${id(host)}/refresh`),
  guestDetails: (host: string, guest: string) =>
    tagged.read<GuestDetails>(`/nodes/${id(host)}/vms/${id(guest)}/full-details`),
  history: (question: HistoryQuestion) => call<Series>('GET', withQuery('/telemetry/query', { ...question })),
  /** The names of the figures that are kept of something, each with its newest reading. */
  latest: (entity: string) =>
    call<Record<string, unknown>>('GET', withQuery('/telemetry/latest', { entity })),
  /** The last lines of many things at once. */
  recent: (question: RecentQuestion) => call<Recent>('GET', withQuery('/telemetry/recent', { ...question })),
  changes: (entity: string, cursor = '', limit = 100) =>
    tagged.read<ChangePage>(withQuery('/changes', { entity, cursor, limit: String(limit) })),

  host: (host: string) => call<HostDetail>('GET', `/hosts/${id(host)}`),
  addHost: (host: NewHost) => call<Host>('POST', '/hosts', host),
  importHosts: (inventory: Inventory) => call<Imported>('POST', '/hosts/import', inventory),
  /** Takes a host into maintenance or out of it; a node is emptied or filled on the way. */
  maintain: (host: string, wish: MaintenanceWish) =>
    call<Operation>('POST', `/hosts/${id(host)}/maintenance`, wish),
  maintenanceDryRun: (host: string, wish: MaintenanceWish) =>
    call<MaintenanceDryRun>('POST', `/hosts/${id(host)}/maintenance?dry_run=true`, wish),
  labelHosts: (change: LabelChange) => call<unknown>('POST', '/hosts/labels', change),
  removeHost: (host: string) => call<undefined>('DELETE', `/hosts/${id(host)}`),
  testHost: (host: string) => call<TestResult>('POST', `/hosts/${id(host)}/test`),
  /** Pins a new key for a host whose key changed. */
  trustHost: (host: string, fingerprint: string) =>
    call<unknown>('POST', `/hosts/${id(host)}/trust`, { fingerprint }),
  observeHost: (host: string) => call<HostDetail>('POST', `/hosts/${id(host)}/observe`),

  proxmox: () => all<ProxmoxConnection>('/proxmox'),
  connectProxmox: (connection: NewProxmox) => call<ProxmoxFound>('POST', '/proxmox/connect', connection),
  removeProxmox: (connection: string) => call<undefined>('DELETE', `/proxmox/${id(connection)}`),
  testProxmox: (connection: string) => call<TestResult>('POST', `/proxmox/${id(connection)}/test`),

  matches: () => all<Match>('/matches'),
  answerMatch: (match: string, same: boolean) => call<undefined>('POST', `/matches/${id(match)}`, { same }),

  operations: (question: { open?: string; cursor?: string; limit?: string } = {}) =>
    call<Listing<Operation>>('GET', withQuery('/operations', question)),
  operation: (operation: string) => call<Operation>('GET', `/operations/${id(operation)}`),
  /** What it said after a line, up to a thousand lines. */
  operationLines: (operation: string, after: number) =>
    call<{ items: OperationLine[] }>(
      'GET',
      withQuery(`/operations/${id(operation)}/lines`, { after: String(after) }),
    ),
  /** The nodes that a guest may move to, and what speaks against each. */
  targets: (guest: string) => call<Targets>('GET', `/guests/${id(guest)}/targets`),
  /** Says what would be done, and does nothing. */
  dryRun: (operation: NewOperation) => call<DryRun>('POST', '/operations?dry_run=true', operation),
  begin: (operation: NewOperation) => call<Operation>('POST', '/operations', operation),
  stopOperation: (operation: string) => call<Operation>('POST', `/operations/${id(operation)}/cancel`),
  undoOperation: (operation: string) => call<Operation>('POST', `/operations/${id(operation)}/undo`),

  /** Says what an update would come to: every machine is looked at, and nothing is done. */
  planUpdate: (wish: UpdateWish) => call<UpdatePlan>('POST', '/updates/plan', wish),
  updates: (question: { open?: string; cursor?: string; limit?: string } = {}) =>
    call<Listing<UpdateLine>>('GET', withQuery('/updates', question)),
  beginUpdate: (wish: UpdateWish) => call<UpdateRun>('POST', '/updates', wish),
  update: (update: string) => call<UpdateRun>('GET', `/updates/${id(update)}`),
  stopUpdate: (update: string) => call<UpdateRun>('POST', `/updates/${id(update)}/cancel`),
  updateSchedules: () => call<UpdateSchedules>('GET', '/update-schedules'),
  addUpdateSchedule: (schedule: UpdateSchedule) => call<ScheduleView>('POST', '/update-schedules', schedule),
  changeUpdateSchedule: (name: string, change: Partial<ScheduleChange>) =>
    call<ScheduleView>('PATCH', `/update-schedules/${id(name)}`, change),
  removeUpdateSchedule: (name: string) => call<undefined>('DELETE', `/update-schedules/${id(name)}`),
  redundantSets: async () => (await call<{ items: RedundantView[] }>('GET', '/redundant-sets')).items,
  putRedundantSet: ({ name, ...members }: RedundantSet) =>
    call<RedundantView>('PUT', `/redundant-sets/${id(name)}`, members),
  removeRedundantSet: (name: string) => call<undefined>('DELETE', `/redundant-sets/${id(name)}`),

  users: () => all<User>('/users'),
  addUser: (name: string, password: string, role: Role) =>
    call<undefined>('POST', '/users', { name, password, role }),
  changeUser: (name: string, change: { password?: string; role?: Role }) =>
    call<undefined>('PATCH', `/users/${id(name)}`, change),
  removeUser: (name: string) => call<undefined>('DELETE', `/users/${id(name)}`),

  tokens: () => all<Token>('/tokens'),
  addToken: (name: string, role: Role) => call<{ token: string }>('POST', '/tokens', { name, role }),
  removeToken: (name: string) => call<undefined>('DELETE', `/tokens/${id(name)}`),

  audit: (question: AuditQuestion, cursor = '', limit = 200) =>
    call<{ items: AuditEntry[]; next_cursor?: string | null }>(
      'GET',
      withQuery('/audit', { ...question, cursor, limit: String(limit) }),
    ),
  wholeAudit: (question: AuditQuestion) => all<AuditEntry>(withQuery('/audit', { ...question })),
  /** Where the trail is had as a file, of any length. */
  auditFile: (format: 'csv' | 'jsonl', question: AuditQuestion) =>
    BASE + withQuery('/audit/export', { format, ...question }),

  notifyTargets: async () => (await call<{ items: NotifyTargetView[] }>('GET', '/notify-targets')).items,
  addNotifyTarget: (target: NotifyTarget, secrets: NotifySecrets) =>
    call<NotifyTargetView>('POST', '/notify-targets', { target, secrets }),
  changeNotifyTarget: (name: string, change: NotifyTargetChange, secrets: NotifySecrets) =>
    call<NotifyTargetView>('PATCH', `/notify-targets/${id(name)}`, { change, secrets }),
  removeNotifyTarget: (name: string) => call<undefined>('DELETE', `/notify-targets/${id(name)}`),
  testNotifyTarget: (name: string) =>
    call<{ answer: string; milliseconds: number }>('POST', `/notify-targets/${id(name)}/test`),
  notifications: async (limit = 200) =>
    (await call<{ items: Delivery[] }>('GET', withQuery('/notifications', { limit: String(limit) }))).items,

  windows: async () => (await call<{ items: WindowView[] }>('GET', '/windows')).items,
  addWindow: (window: MaintenanceWindow) => call<WindowView>('POST', '/windows', window),
  changeWindow: (name: string, change: WindowChange) =>
    call<WindowView>('PATCH', `/windows/${id(name)}`, change),
  removeWindow: (name: string) => call<undefined>('DELETE', `/windows/${id(name)}`),
  protections: async () => (await call<{ items: ProtectionView[] }>('GET', '/protections')).items,
  /** Protects a host or guest, as `host:ID` or `guest:ID`. */
  protect: (thing: string, reason: string) => call<unknown>('PUT', `${pathOf(thing)}/protection`, { reason }),
  unprotect: (thing: string) => call<undefined>('DELETE', `${pathOf(thing)}/protection`),

  /** Alerts that go on, or that are over, the newest first. */
  alerts: (open: boolean, entity = '', cursor = '') =>
    call<Listing<Alert>>(
      'GET',
      withQuery('/alerts', { open: String(open), entity, cursor, limit: open ? '1000' : '100' }),
    ),
  acknowledge: (alert: string, comment: string) =>
    call<Alert>('POST', `/alerts/${id(alert)}/acknowledge`, { comment }),
  alertRules: async () => (await call<{ items: AlertRuleView[] }>('GET', '/alert-rules')).items,
  addAlertRule: (rule: AlertRule) => call<AlertRuleView>('POST', '/alert-rules', rule),
  changeAlertRule: (name: string, change: AlertRuleChange) =>
    call<AlertRuleView>('PATCH', `/alert-rules/${id(name)}`, change),
  removeAlertRule: (name: string) => call<undefined>('DELETE', `/alert-rules/${id(name)}`),
  tryAlertRule: (rule: AlertRule) => call<RuleTrial>('POST', '/alert-rules/test', rule),

  scripts: async () => (await call<{ items: StoredScript[] }>('GET', '/scripts')).items,
  addScript: (script: Script) => call<StoredScript>('POST', '/scripts', script),
  changeScript: (script: Script) => call<StoredScript>('PUT', `/scripts/${id(script.name)}`, script),
  removeScript: (name: string) => call<undefined>('DELETE', `/scripts/${id(name)}`),

  beginUpload: (name: string, size: number) => call<Upload>('POST', '/uploads', { name, size }),
  upload: (upload: string) => call<Upload>('GET', `/uploads/${id(upload)}`),
  /** Appends a piece at the file's end, wherever that is. */
  appendUpload: async (upload: string, offset: number, piece: Blob, signal: AbortSignal) => {
    const sent = await send('PATCH', `/uploads/${id(upload)}`, piece, { signal, offset });
    return (await sent.json()) as Upload;
  },
  dropUpload: (upload: string) => call<undefined>('DELETE', `/uploads/${id(upload)}`),

  labels: () => call<Labels>('GET', '/groups'),
  renameGroup: (group: string, name: string) => call<undefined>('PATCH', `/groups/${id(group)}`, { name }),
  removeGroup: (group: string) => call<undefined>('DELETE', `/groups/${id(group)}`),

  settings: () => call<Settings>('GET', '/settings'),
  setTerminals: (terminals: Partial<TerminalSettings>) => call<Settings>('PATCH', '/settings', { terminals }),
  setRetention: (retention: Partial<Retention>) => call<Settings>('PATCH', '/settings', { retention }),

  credentials: () => all<Credential>('/credentials?sort=subject.name'),
  setHostCredentials: (host: string, credentials: HostCredentials) =>
    call<Credential>('PUT', `/hosts/${id(host)}/credentials`, credentials),
  removeHostCredentials: (host: string, names: readonly string[]) =>
    call<Credential>('DELETE', withQuery(`/hosts/${id(host)}/credentials`, { names: names.join(',') })),
  setProxmoxCredentials: (connection: string, login: NewProxmox['auth']) =>
    call<Credential>('PUT', `/proxmox/${id(connection)}/credentials`, login),
  removeProxmoxCredentials: (connection: string, names: readonly string[]) =>
    call<Credential>(
      'DELETE',
      withQuery(`/proxmox/${id(connection)}/credentials`, { names: names.join(',') }),
    ),

  makeBackup: async (passphrase: string, history: boolean) => {
    const response = await send('POST', '/backup', { passphrase, history });
    const name = response.headers.get('Content-Disposition')?.match(/filename="([\w.-]+)"/)?.[1];
    return { name: name ?? 'reanimator.age', content: await response.blob() };
  },
  inspectBackup: (backup: FormData) => call<BackupReport>('POST', '/backup/inspect', backup),
  restoreBackup: (backup: FormData) => call<BackupReport>('POST', '/backup/restore', backup),

  /** The newest runs of commands. */
  commands: async () => (await call<Listing<CommandRun>>('GET', '/commands?limit=50')).items,
  command: (command: string) => call<CommandView>('GET', `/commands/${id(command)}`),
  startCommand: (command: NewCommand) => call<CommandRun>('POST', '/commands', command),
  stopCommand: (command: string) => call<CommandRun>('POST', `/commands/${id(command)}/stop`),
  savedCommands: async () => (await call<{ items: SavedCommand[] }>('GET', '/saved-commands')).items,
  saveCommand: (command: CommandToSave) => call<SavedCommand>('POST', '/saved-commands', command),
  changeSavedCommand: (command: CommandToSave) =>
    call<SavedCommand>('PUT', `/saved-commands/${id(command.name)}`, command),
  removeSavedCommand: (name: string) => call<undefined>('DELETE', `/saved-commands/${id(name)}`),

  terminals: async () => (await call<{ items: Terminal[] }>('GET', '/terminals')).items,
  terminal: (terminal: string) => call<Terminal>('GET', `/terminals/${id(terminal)}`),
  openTerminal: (terminal: Pick<NewTerminal, 'machine' | 'record'>) =>
    call<Terminal>('POST', '/terminals', terminal),
  closeTerminal: (terminal: string) => call<undefined>('DELETE', `/terminals/${id(terminal)}`),
  recordings: async () => (await call<{ items: Recording[] }>('GET', '/recordings')).items,
  deleteRecording: (recording: string) => call<undefined>('DELETE', `/recordings/${id(recording)}`),
};
