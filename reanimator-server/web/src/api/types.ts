/**
 * The nouns of the HTTP API as the page uses them, taken from the server's own description
 * (`openapi.d.ts`, made by `npm run generate`).
 *
 * What is absent is `null`, never zero. Times are RFC 3339 in UTC, sizes are bytes, percentages run
 * from 0 to 100.
 */
import type { components } from './openapi';

export type Schemas = components['schemas'];

/** The server writes every field of its answers, so none is ever missing. */
export type Answered<T> = T extends readonly (infer Item)[]
  ? Answered<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Answered<Exclude<T[Key], undefined>> }
    : T;

export type Role = Schemas['Role'];
export type HostKind = Schemas['HostKind'];
export type HostState = Schemas['HostState'];

export type Host = Answered<Schemas['Host']>;
export type HostDetail = Answered<Schemas['HostDetail']>;
export type Totals = Answered<Schemas['Totals']>;
export type ProxmoxConnection = Answered<Schemas['ProxmoxView']>;
/** What a Proxmox connection brings in, shown before and after it is stored. */
export type ProxmoxFound = Answered<Schemas['ConnectReport']>;
/** Two records that may be one machine. */
export type Match = Answered<Schemas['MatchView']>;
/** What an inventory names, shown before and after it is stored. */
export type Imported = Answered<Schemas['ImportReport']>;
/** The steps of a connection test. */
export type TestResult = Answered<Schemas['TestReport']>;
/** A command to be run on hosts, and its runs: one by itself, and one with its answers, equal ones together. */
export type NewCommand = Partial<Schemas['NewCommand']> & Pick<Schemas['NewCommand'], 'command' | 'on'>;
export type CommandRun = Answered<Schemas['CommandRun']>;
export type CommandView = CommandRun & Answered<Pick<Schemas['CommandView'], 'groups' | 'waiting'>>;
export type CommandGroup = CommandView['groups'][number];
export type Difference = Exclude<CommandGroup['difference'], null>;
/** A command that is kept under a name. */
export type SavedCommand = Answered<Schemas['SavedCommand']>;
export type CommandToSave = Omit<SavedCommand, 'saved_by' | 'saved_at'>;
/** Why something did not work, and what to do about it. */
export type Trouble = Answered<Schemas['Problem']>;

/** The fleet in a few figures, and what needs somebody. */
export type Overview = Answered<Schemas['Overview']>;
export type Attention = Answered<Schemas['Attention']>;
export type AttentionKind = Schemas['AttentionKind'];
export type AttentionLevel = Schemas['AttentionLevel'];
/** One row each of the fleet's tables. */
export type NodeRow = Answered<Schemas['NodeRow']>;
export type VmRow = Answered<Schemas['VmRow']>;
export type StorageRow = Answered<Schemas['StorageRow']>;
export type InterfaceRow = Answered<Schemas['InterfaceRow']>;
export type ClusterRow = Answered<Schemas['ClusterRow']>;
/** Everything that is known of one host, and of one guest. */
export type HostDetails = Answered<Schemas['HostDetails']>;
/** Everything that a cluster is asked for every quarter of an hour. */
export type ClusterDetails = Answered<
  Schemas['ClusterFacts'] & Pick<Schemas['Dated_ClusterFacts'], 'at' | 'unseen'>
>;
export type GuestDetails = Answered<Schemas['GuestDetails']>;
/** What hangs on what: hosts, their bridges, the guests on those. */
export type Topology = Answered<Schemas['Topology']>;
export type TopologyHost = Topology['hosts'][number];
export type TopologyBridge = TopologyHost['bridges'][number];
export type TopologyGuest = TopologyBridge['guests'][number];
/** The last lines of several things. */
export type Recent = Answered<Schemas['Recent']>;
/** What could not be seen, and why. */
export type Unseen = Answered<Schemas['Unseen']>;
/** Figures over equal steps, in columns; a gap is null. */
export type Series = Answered<Schemas['Series']>;
export type Columns = Answered<Schemas['Columns']>;
/** A fact that differs from what was seen before. */
export type Change = Answered<Schemas['Change']>;
export type GuestStatus = Schemas['GuestStatus'];
export type Health = Schemas['DiskHealth'];

export type User = Answered<Schemas['User']>;
export type Token = Answered<Schemas['Token']>;

/** One thing that somebody changed or tried to. */
export type AuditEntry = Answered<Schemas['AuditEntry']>;

/** Which entries of the trail; `*` stands for anything, `!` before a text takes all others. */
export interface AuditQuestion {
  who?: string;
  what?: string;
  outcome?: string;
  since?: string;
}

/** A change to the world: what, on what. */
export type Action = Schemas['Action'];
export type ActionOn<On extends Action['on']> = Extract<Action, { on: On }>;
export type GuestVerb = Schemas['GuestChange']['do'];
/** Those that only switch a guest. */
export type PowerVerb = Extract<GuestVerb, 'start' | 'stop' | 'shutdown' | 'reboot' | 'suspend' | 'resume'>;
export type HostVerb = Schemas['HostChange']['do'];
export type UnitVerb = Schemas['UnitVerb'];
export type ContainerVerb = Schemas['ContainerVerb'];
export type MigrationMode = Schemas['MigrationMode'];
export type BackupMode = Schemas['BackupMode'];
export type Risk = Schemas['Risk'];
export type StorageContent = Schemas['StorageContent'];
export type Rule = Schemas['Rule'];
/** What a rule says against a step. */
export type Objection = Answered<Schemas['Objection']>;
/** The nodes of a guest's cluster, each with what speaks against it; and one of them. */
export type Targets = Answered<Schemas['GuestTargets']>;
export type MigrationTarget = Targets['targets'][number];
/** What is to become of a host that somebody works on. */
export type MaintenanceWish = Schemas['MaintenanceWish'];
/** What a wish would come to: what goes where and why, what stays and why, and each step. */
export type MaintenanceDryRun = DryRun & Pick<Answered<Schemas['MaintenanceDryRun']>, 'moves' | 'stays'>;
export type NewOperation = Schemas['NewOperation'];
/** What an operation would do. */
export type DryStep = Omit<Answered<Schemas['DryStep']>, 'action'> & { action: Action };
export type DryRun = Omit<Answered<Schemas['DryRun']>, 'steps'> & { steps: DryStep[] };
/** Actions that are carried out, or were. */
export type OperationStep = Omit<Answered<Schemas['Step']>, 'action' | 'result'> & { action: Action };
export type Operation = Omit<Answered<Schemas['Operation']>, 'steps'> & { steps: OperationStep[] };
export type OperationState = Schemas['OperationState'];
export type StepState = Schemas['StepState'];
export type OperationLine = Answered<Schemas['OperationLine']>;

export type Day = Schemas['Day'];
/** A time of the week in which what it covers may be disturbed; what is absent does not bound it. */
export type MaintenanceWindow = Schemas['Window'] &
  Required<Pick<Schemas['Window'], 'days' | 'zone' | 'enabled' | 'comment'>>;
/** What is absent stays; an empty text takes away what was there. */
export type WindowChange = Partial<Schemas['WindowChange']>;
export type WindowView = Omit<Answered<Schemas['WindowView']>, 'window'> & { window: MaintenanceWindow };
/** Something that is protected by hand. */
export type ProtectionView = Answered<Schemas['ProtectionView']>;

/** How a target of notices is reached. */
export type NotifyWay = Schemas['NotifyWay'];
export type NotifyKind = NotifyWay['kind'];
export type NoticeLevel = Schemas['NoticeLevel'];
/** Where notices go, without its secrets. */
export type NotifyTarget = Omit<Schemas['NotifyTarget'], 'which'> & { which?: NotifyWhich };
export type NotifyWhich = Partial<Schemas['NotifyWhich']>;
export type NoticeKind = Schemas['NoticeKind'];
/** What is absent stays; quiet hours end with null. */
export type NotifyTargetChange = Partial<Omit<Schemas['NotifyTargetChange'], 'quiet' | 'which'>> & {
  which?: NotifyWhich;
  quiet?: Schemas['QuietHours'] | null;
};
export type NotifySecrets = Partial<Schemas['NotifySecrets']>;
/** A target and how it is doing; all that is set of it only for admins. */
export type NotifyTargetView = Answered<Omit<Schemas['NotifyTargetView'], 'kind' | 'target' | 'secrets'>> & {
  kind: NotifyKind;
  target?: NotifyTarget;
  secrets?: string[];
};
/** A notice for one target, and what became of it. */
export type Delivery = Answered<Schemas['Delivery']>;

/** What a script may be given. */
export type Parameter = Schemas['Parameter'];
/** A prepared script, as an admin defines it. */
export type Script = Schemas['Script'];
/** What somebody has to be told of. */
export type Alert = Answered<Schemas['Alert']>;
export type AlertState = Schemas['AlertState'];
export type AlertCondition = Schemas['AlertCondition'];
/** On what a rule looks, and when it is met. */
export type AlertRule = Schemas['AlertRule'];
export type AlertRuleChange = Schemas['AlertRuleChange'];
export type AlertRuleView = Omit<Answered<Schemas['AlertRuleView']>, 'rule'> & {
  rule: AlertRule & Required<Pick<AlertRule, 'enabled' | 'level' | 'comment' | 'built_in'>>;
};
/** What a rule would say now, and would have said over the last week. */
export type RuleTrial = Answered<Schemas['RuleTrial']>;

export type StoredScript = Required<Schemas['StoredScript']>;

/** A file that is handed over before it is put on a storage. */
export type Upload = Answered<Schemas['Upload']>;

/** Groups and tags with how many hosts each has. */
export type Labels = Answered<Schemas['Labels']>;
export type Label = Answered<Schemas['LabelCount']>;
/** Groups and tags that hosts get or lose. */
export type LabelChange = Schemas['LabelChange'];

/** What an admin decides, and how long things are kept. */
export type Settings = Answered<Schemas['Settings']>;
export type Retention = Answered<Schemas['RetentionSettings']>;
export type TerminalSettings = Answered<Schemas['TerminalSettings']>;

/** Which secrets are stored for whom; never a secret itself. */
export type Credential = Answered<Schemas['CredentialsView']>;
/** New ones for a host; what is absent stays. */
export type HostCredentials = Schemas['HostCredentials'];

/** What is in a backup. */
export type BackupReport = Answered<Schemas['BackupReport']>;

/** Whoever is logged in; programs have no `csrf`. */
export type Me = Schemas['Me'];
/** RFC 9457 problem details, with our own members. */
export type ProblemDetails = Schemas['ProblemDetails'];

export type NewHost = Schemas['HostToAdd'];
export type NewProxmox = Schemas['ClusterToConnect'];
/** A text that names hosts, and what it is written in. */
export type Inventory = Schemas['Inventory'];
export type InventoryFormat = Schemas['InventoryFormat'];

/** A size of which a part is used. */
export type Size = Pick<Answered<Schemas['Space']>, 'total_bytes' | 'used_bytes'>;

/** One page of a list. */
export interface Listing<T> {
  items: T[];
  next_cursor: string | null;
}

/** What the WebSocket sends. Types not listed here belong to pages still to come and are passed over. */
export type Frame =
  | { type: 'connected'; at: string; data: { hosts: Host[]; totals: Totals } }
  | { type: 'host:added' | 'host:updated' | 'host:online' | 'host:offline'; at: string; data: Host }
  | { type: 'host:removed'; at: string; data: { id: string } }
  | { type: 'totals:updated'; at: string; data: Totals }
  | { type: FactFrame; at: string; data: { id: string } }
  | { type: OperationFrame; at: string; data: Operation }
  | { type: CommandFrame; at: string; data: Schemas['CommandNews'] }
  | { type: UpdateFrame; at: string; data: { id: string } }
  | { type: AlertFrame; at: string; data: Alert };

/** Frames that tell of an alert. */
export type AlertFrame = 'alert:raised' | 'alert:acknowledged' | 'alert:resolved';

/** Frames that tell how far an operation got. */
export type OperationFrame = 'operation:started' | 'operation:updated' | 'operation:ended';

/** Frames that tell how far a command on hosts got. */
export type CommandFrame = 'command:started' | 'command:updated' | 'command:ended';
/** Frames that tell how far an update of many machines got. */
export type UpdateFrame = 'update:started' | 'update:updated' | 'update:ended';

/** Frames that say that a table or a page of details is worth reading again. */
export type FactFrame = 'host:changed' | 'guest:added' | 'guest:updated' | 'guest:removed' | 'guest:changed';

/** A terminal of a machine, open for people to type in. */
export type Terminal = Answered<Schemas['Terminal']>;
export type NewTerminal = Schemas['NewTerminal'];
/** What was shown in a terminal, kept in a file. */
export type Recording = Answered<Schemas['Recording']>;
