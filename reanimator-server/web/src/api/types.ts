/**
 * The nouns of the HTTP API as the page uses them.
 *
 * What is absent is `null` (or missing), never zero. Times are RFC 3339 in UTC, sizes are bytes,
 * percentages run from 0 to 100. This is the one file that says what the server sends.
 */

export type Role = 'viewer' | 'operator' | 'admin';
export type HostKind = 'linux' | 'proxmox' | 'both';
export type HostState = 'online' | 'offline' | 'unknown' | 'maintenance';

/** Why something did not work, and what to do about it. */
export interface Trouble {
  kind: string;
  message: string;
  next?: string | null;
}

/** Something that could not be observed, with its reason. */
export interface Unseen {
  what: string;
  why: string;
}

export interface Size {
  total_bytes: number | null;
  used_bytes: number | null;
}

export interface Memory extends Size {
  available_bytes?: number | null;
  source?: string | null;
  arc_bytes?: number | null;
}

export interface NetworkRate {
  received_bytes_per_second: number | null;
  sent_bytes_per_second: number | null;
}

export interface Host {
  id: string;
  name: string;
  kind: HostKind;
  state: HostState;
  address: string | null;
  groups: string[];
  tags: string[];
  cluster: string | null;
  cpu_percent: number | null;
  cpus: number | null;
  load: number[] | null;
  memory: Memory | null;
  swap: Size | null;
  disk: Size | null;
  network: NetworkRate | null;
  uptime_seconds: number | null;
  os: string | null;
  kernel: string | null;
  proxmox_version: string | null;
  guests: { running: number; total: number } | null;
  guest_of: { connection: string; vmid: string; name: string | null } | null;
  observed_at: string | null;
  age_seconds: number | null;
  via: string[];
  clock_skew_seconds: number | null;
  problem: Trouble | null;
  unseen: Unseen[];
}

/** Facts of a machine that seldom change. */
export interface Identity {
  machine_id: string | null;
  smbios_uuid: string | null;
  macs: string[];
  hostname: string | null;
  os: string | null;
  kernel: string | null;
  architecture: string | null;
  virtualization: string | null;
  cpus: number | null;
  cpu_model: string | null;
  proxmox_version: string | null;
  proxmox_node: string | null;
}

export interface FileSystem {
  mount_point: string;
  source: string;
  fs_type: string;
  network: boolean;
  total_bytes: number;
  used_bytes: number;
  available_bytes: number;
  inodes_total: number | null;
  inodes_used: number | null;
}

export interface InterfaceRate {
  name: string;
  received_bytes_per_second: number;
  sent_bytes_per_second: number;
  errors_per_second: number;
}

export interface DiskRate {
  name: string;
  read_bytes_per_second: number;
  written_bytes_per_second: number;
  busy_percent: number;
}

/** Shares of time in which tasks waited, in percent. */
export interface Pressure {
  some: { avg10: number; avg60: number; avg300: number };
  full: { avg10: number; avg60: number; avg300: number } | null;
}

/** What was measured on one host at one time. */
export interface Telemetry {
  at: string | null;
  pressure: Record<string, Pressure>;
  file_systems: FileSystem[];
  disks: DiskRate[];
  networks: InterfaceRate[];
}

/** One way a host is known: over SSH, as a node of a Proxmox cluster, as its guest, or as this machine. */
export interface Link {
  kind: string;
  connection: string;
  /** Where it leads, in words. */
  text: string;
  /** The pinned SSH host key. */
  host_key: string | null;
}

export interface HostDetail {
  host: Host;
  telemetry: Telemetry | null;
  identity: Identity | null;
  links: Link[];
  unseen: Unseen[];
}

export interface Totals {
  hosts: { total: number; online: number; offline: number; unknown: number; maintenance: number };
  guests: { running: number; total: number };
  cpus: number | null;
  cpu_percent: number | null;
  memory: Size | null;
  swap: Size | null;
  disk: Size | null;
  network: NetworkRate | null;
  observed_at: string | null;
}

export interface Status {
  hosts: Host[];
  totals: Totals;
  at: string;
}

/** One page of a list. */
export interface Listing<T> {
  items: T[];
  next_cursor: string | null;
}

export interface ProxmoxConnection {
  id: string;
  name: string;
  cluster: string | null;
  endpoints: { url: string; fingerprint: string | null }[];
  auth: 'token' | 'ticket';
  state: string;
  quorate: boolean | null;
  nodes: string[];
  problem?: Trouble | null;
}

/** What a Proxmox connection brings in, shown before and after it is stored. */
export interface ProxmoxFound {
  id: string | null;
  name: string;
  cluster: string | null;
  nodes: { name: string; online: boolean | null; ip: string | null; fingerprint: string | null }[];
  guests: number;
  storages: number;
}

/** Two records that may be one machine. */
export interface Match {
  id: string;
  a: { id: string; name: string };
  b: { id: string; name: string };
  evidence: string[];
  against: string[];
}

export interface NewHost {
  address: string;
  port?: number;
  user?: string;
  name?: string;
  groups?: string[];
  tags?: string[];
  jump?: string[];
  auth: { agent?: boolean; key?: string; passphrase?: string; password?: string; key_file?: string };
  sudo?: 'none' | 'nopasswd' | { password: string };
  accept_host_key?: string;
}

export interface NewProxmox {
  url: string;
  name?: string;
  auth: { token: string } | { user: string; password: string };
  accept_certificate?: string;
  dry_run?: boolean;
}

/** The steps of a connection test. */
export interface TestResult {
  ok: boolean;
  steps: { what: string; ok: boolean; detail: string | null }[];
}

/** One host's answer to a command. */
export interface Answer {
  host_id: string;
  host: string;
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  stdout_cut_at: number | null;
  stderr_cut_at: number | null;
  error: Trouble | null;
  milliseconds: number;
}

export interface Me {
  name: string;
  role: Role;
  kind: 'user' | 'token';
  csrf?: string;
}

export interface User {
  name: string;
  role: Role;
}

export interface Token {
  name: string;
  role: Role;
  created_at?: string | null;
  last_used_at?: string | null;
}

/** RFC 9457 problem details, with our own members. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail?: string;
  host?: string;
  next?: string;
  fingerprint?: string;
  key_type?: string;
}

/** What the WebSocket sends. Types not listed here belong to pages still to come and are passed over. */
export type Frame =
  | { type: 'connected'; at: string; data: { hosts: Host[]; totals: Totals } }
  | { type: 'host:added' | 'host:updated' | 'host:online' | 'host:offline'; at: string; data: Host }
  | { type: 'host:removed'; at: string; data: { id: string } }
  | { type: 'totals:updated'; at: string; data: Totals };
