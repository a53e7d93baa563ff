//! The nouns: plain data that everything else passes around, stores and shows.
//!
//! Nothing here reaches anything. A figure that was not seen is `None`, never zero, and [`Unseen`] says why.

pub mod action;
pub mod alert;
pub mod attention;
pub mod change;
pub mod cluster;
pub mod command;
pub mod connection;
pub mod dashboard;
pub mod details;
pub mod event;
pub mod facts;
pub mod guest;
pub mod history;
pub mod host;
pub mod ids;
pub mod links;
pub mod machine;
pub mod maintenance;
pub mod notice;
pub mod notify_target;
pub mod operation;
pub mod packages;
pub mod protection;
pub mod role;
pub mod rule;
pub mod scene;
pub mod script;
pub mod telemetry;
pub mod terminal;
pub mod topology;
pub mod totals;
pub mod units;
pub mod update;
pub mod window;

pub use action::{
    Action, BackupMode, ContainerVerb, GuestChange, HostChange, MigrationMode, Risk, SnapshotVerb, StorageChange,
    StorageContent, Thing, UnitVerb,
};
pub use alert::{
    Alert, AlertCondition, AlertFilter, AlertRule, AlertRuleChange, AlertState, Direction, Resolution, default_rules,
};
pub use change::{Change, ChangeFilter, NewChange};
pub use cluster::{ClusterSnapshot, GuestIdentity, IdentifiedGuest, NodeSnapshot};
pub use command::{
    AnswerState, CommandAnswer, CommandGroup, CommandHost, CommandNews, CommandRun, CommandState, CommandTrouble,
    CommandView, Difference, DifferenceKind, DifferenceLine, NewCommand, OutputStream, SavedCommand,
};
pub use connection::{Connection, Endpoint, Jump, ProxmoxAuth, ProxmoxReach, Reach, SshReach, Sudo};
pub use event::{Event, EventKind};
pub use guest::{Guest, GuestCounters, GuestKind, GuestRates, GuestStatus, Storage};
pub use history::{Columns, Entity, EntityKind, Latest, Reading, Recent, RecentQuery, Series, TelemetryQuery};
pub use host::{GuestCounts, GuestOf, Host, HostKind, HostState, HostView, Identity, Link, Problem, Unseen};
pub use ids::{CommandId, ConnectionId, GuestId, HostId, MatchId, OperationId, TerminalId, UpdateId};
pub use links::{Match, Verdict};
pub use machine::Machine;
pub use maintenance::{MaintenancePlan, MaintenanceWish, Move, RefusedTarget, Stay};
pub use notice::{Notice, NoticeKind, NoticeLevel};
pub use notify_target::{
    Delivery, DeliveryFilter, DeliveryState, MailTls, NotifySecrets, NotifyTarget, NotifyTargetChange, NotifyWay,
    NotifyWhich, QuietHours,
};
pub use operation::{
    NewOperation, NewStep, Operation, OperationFilter, OperationLine, OperationState, Step, StepState,
};
pub use packages::{PackageChange, PackageReport, PackageRoom, PackageSurvey, PackagesChange};
pub use protection::{PROTECTED_TAG, Protection};
pub use role::Role;
pub use rule::{Objection, Rule, RuleView};
pub use scene::Scene;
pub use script::{Parameter, ParameterKind, Script, StoredScript};
pub use telemetry::{
    CpuStates, DiskRate, FileSystem, Memory, NetworkRate, Pressure, PressureLine, Space, Swap, Telemetry, Throughput,
};
pub use terminal::{NewTerminal, Recording, Terminal, TerminalEnd, TerminalSize, TerminalWay};
pub use topology::{BridgeKind, Topology, TopologyBridge, TopologyGuest, TopologyHost, TopologyNic};
pub use totals::{HostCounts, Totals};
pub use units::Bytes;
pub use update::{
    GuestOrder, HealthWish, OnFailure, RebootWish, RedundantSet, Safety, ScheduleOutcome, TargetKind, TargetState,
    UnreadableSchedule, UpdateFilter, UpdateLine, UpdatePhase, UpdatePlan, UpdateRun, UpdateSchedule, UpdateState,
    UpdateStep, UpdateTarget, UpdateWish, Vitals,
};
pub use window::{Day, Opening, Window, WindowChange, WindowState};
