/** Updates of many machines, taken from the server's own description as the other nouns are. */
import type { Answered, Schemas } from '../api/types';

/** What is made of a guest before it is updated. */
export type Safety = Schemas['Safety'];

type Open = 'hosts' | 'guests' | 'newest_backup_days' | 'overrides';
/** What is wanted of an update; what is absent is wanted of nobody, or not at all. */
export type UpdateWish = Omit<Schemas['UpdateWish'], Open | 'health'> &
  Partial<Pick<Schemas['UpdateWish'], Open>> & {
    health: Omit<Schemas['HealthWish'], 'command'> & Partial<Pick<Schemas['HealthWish'], 'command'>>;
  };

export type PendingPackage = Answered<Schemas['PendingPackage']>;
/** What a machine's package manager says before anything is done. */
export type PackageSurvey = Answered<Schemas['PackageSurvey']>;
export type PackageChange = Answered<Schemas['PackageChange']>;
/** What an upgrade did, package by package. */
export type PackageReport = Answered<Schemas['PackageReport']>;

/** A machine that was named and is not updated. */
export type PassedOver = Answered<Schemas['PassedOver']>;
export type PlannedTarget = Answered<Schemas['PlannedTarget']>;
export type PlannedWave = Answered<Schemas['PlannedWave']>;
/** What an update would come to. */
export type UpdatePlan = Omit<Answered<Schemas['UpdatePlan']>, 'wish'> & { wish: UpdateWish };

export type UpdateState = Schemas['UpdateState'];
export type TargetState = Schemas['TargetState'];
export type UpdatePhase = Schemas['UpdatePhase'];
/** An operation that an update asked for. */
export type UpdateStep = Answered<Schemas['UpdateStep']>;
/** What the page shows of a machine of a run. */
export type UpdateTarget = Omit<
  Answered<Schemas['UpdateTarget']>,
  'apart' | 'ground' | 'guest' | 'in_maintenance' | 'node' | 'vitals' | 'well_until'
>;
/** An update that is being carried out, or was. */
export type UpdateRun = Omit<Answered<Schemas['UpdateRun']>, 'wish' | 'targets'> & {
  wish: UpdateWish;
  targets: UpdateTarget[];
};
/** One in a line. */
export type UpdateLine = Answered<Schemas['UpdateLine']>;

type Kept = 'days' | 'zone' | 'enabled' | 'comment';
/** An update that is made again and again. */
export type UpdateSchedule = Omit<Schemas['UpdateSchedule'], 'wish' | 'done_until' | Kept> &
  Required<Pick<Schemas['UpdateSchedule'], Kept>> & { wish: UpdateWish };
/** What is absent stays. */
export type ScheduleChange = Omit<UpdateSchedule, 'name' | 'by' | 'last_outcome'>;
export type ScheduleView = Omit<Answered<Schemas['ScheduleView']>, 'schedule'> & { schedule: UpdateSchedule };

/** One that is stored and cannot be read. */
export type UnreadableSchedule = Answered<Schemas['UnreadableSchedule']>;
export interface UpdateSchedules {
  items: ScheduleView[];
  unreadable: UnreadableSchedule[];
}

/** Machines that stand in for each other. */
export type RedundantSet = Schemas['RedundantSet'] & { comment: string };
export type RedundantView = Omit<Answered<Schemas['RedundantView']>, 'set'> & { set: RedundantSet };
