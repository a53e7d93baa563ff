/** Updates of many machines, as the API tells them. */
import type { Day, Objection, OperationState, Rule, Unseen } from '../api/types';

/** What is made of a guest before it is updated. */
export type Safety = { by: 'none' } | { by: 'snapshot' } | { by: 'backup'; storage: string };

/** What is wanted of an update; the server has a default for all that is absent. */
export interface UpdateWish {
  hosts?: string | null;
  guests?: string | null;
  security_only: boolean;
  exclude: string[];
  safety: Safety;
  order: 'guests-first' | 'guests-last';
  canary: number;
  canaries: string[];
  wave_size: number;
  on_failure: 'stop' | 'go-on';
  reboot: 'if-needed' | 'never';
  restart_within_seconds: number;
  evacuate: boolean;
  newest_backup_days?: number | null;
  health: { within_seconds: number; units: boolean; listeners: boolean; command?: string | null };
  overrides?: Rule[];
}

/** `host:h1`, `guest:c1:101`. */
export type Machine = string;
export type TargetKind = 'host' | 'node' | 'container' | 'vm';

export interface PendingPackage {
  name: string;
  from: string | null;
  to: string;
  origin: string | null;
  security: boolean | null;
}

/** What a machine's package manager says before anything is done. */
export interface PackageSurvey {
  manager: string;
  is_root: boolean;
  at: string;
  refreshed_at: string | null;
  pending: PendingPackage[];
  pending_count: number;
  security_count: number | null;
  removed: string[];
  held: string[];
  broken: string[];
  mend: string | null;
  busy: string | null;
  download: number | null;
  rooms: { path: string; free: number; needed: number }[];
  reboot_wanted: boolean;
  reboot_reasons: string[];
  reboot_due: boolean;
  reboot_due_for: string[];
  services: string[];
  unseen: Unseen[];
}

export interface PlannedTarget {
  machine: Machine;
  name: string;
  kind: TargetKind;
  why: string;
  /** Whether Reanimator itself runs on it, or in it. */
  own: boolean;
  survey: PackageSurvey | null;
  wanted: number;
  security: number;
  restart: boolean;
  steps: string[];
  refused: string[];
  objections: Objection[];
  notes: string[];
}

export interface PlannedWave {
  number: number;
  canary: boolean;
  targets: PlannedTarget[];
}

export interface PassedOver {
  machine: Machine;
  name: string;
  why: string;
}

/** What an update would come to. */
export interface UpdatePlan {
  wish: UpdateWish;
  waves: PlannedWave[];
  passed_over: PassedOver[];
  machines: number;
  packages: number;
  security: number;
  restarts: number;
  refused: number;
}

export type UpdateState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
export type TargetState =
  'pending' | 'running' | 'updated' | 'current' | 'skipped' | 'failed' | 'rolled-back';
export type UpdatePhase =
  | 'check'
  | 'refresh'
  | 'survey'
  | 'safety'
  | 'evacuate'
  | 'upgrade'
  | 'restart'
  | 'health'
  | 'return'
  | 'roll-back'
  | 'tidy';

/** An operation that an update asked for. */
export interface UpdateStep {
  phase: UpdatePhase;
  operation: string;
  state: OperationState | null;
  asked_at: string;
  ended_at: string | null;
}

export interface PackageChange {
  name: string;
  from: string | null;
  to: string | null;
  security: boolean | null;
}

/** What an upgrade did, package by package. */
export interface PackageReport {
  manager: string;
  changes: PackageChange[];
  changed_count: number;
  kept_files: string[];
  left: string[];
  reboot_wanted: boolean;
  reboot_reasons: string[];
  services: string[];
  failures: string[];
}

export interface UpdateTarget {
  number: number;
  machine: Machine;
  name: string;
  kind: TargetKind;
  wave: number;
  canary: boolean;
  why: string;
  own: boolean;
  state: TargetState;
  phase: UpdatePhase | null;
  steps: UpdateStep[];
  pending: PendingPackage[];
  pending_count: number;
  security_count: number | null;
  restart_due: boolean;
  report: PackageReport | null;
  restarted: boolean;
  rolled_back: boolean;
  evacuated: boolean;
  has_snapshot: boolean;
  failure: string | null;
  notes: string[];
  started_at: string | null;
  ended_at: string | null;
}

/** An update that is being carried out, or was. */
export interface UpdateRun {
  id: string;
  title: string;
  wish: UpdateWish;
  state: UpdateState;
  note: string | null;
  requested_by: string;
  requested_from: string;
  requested_at: string;
  schedule: string | null;
  started_at: string | null;
  ended_at: string | null;
  cancel: boolean;
  owner: string | null;
  passed_over: PassedOver[];
  targets: UpdateTarget[];
}

/** One in a line. */
export interface UpdateLine {
  id: string;
  title: string;
  state: UpdateState;
  note: string | null;
  requested_by: string;
  requested_at: string;
  schedule: string | null;
  started_at: string | null;
  ended_at: string | null;
  machines: number;
  over: number;
  well: number;
  failed: number;
  skipped: number;
  packages: number;
  running: string[];
}

/** An update that is made again and again. */
export interface UpdateSchedule {
  name: string;
  wish: UpdateWish;
  days: Day[];
  at: string;
  zone: string;
  enabled: boolean;
  comment: string;
  by?: string;
}
export type ScheduleChange = Omit<UpdateSchedule, 'name' | 'by'>;

export interface ScheduleView {
  schedule: UpdateSchedule;
  times: string;
  next_at: string | null;
}

/** Machines that stand in for each other. */
export interface RedundantSet {
  name: string;
  hosts?: string | null;
  guests?: string | null;
  comment: string;
}

export interface RedundantView {
  set: RedundantSet;
  member_hosts: string[];
  member_guests: string[];
}
