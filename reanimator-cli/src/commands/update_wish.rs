//! What is wanted of an update, as it is written on the command line.

use clap::{Args, ValueEnum};
use reanimator_core::model::{GuestOrder, HealthWish, OnFailure, RebootWish, Rule, Safety, UpdateWish};

use crate::failure::{Failure, usage};

/// Whom, and how carefully.
#[derive(Debug, Args)]
pub(crate) struct WishArgs {
    /// Which hosts: names, patterns, `all`, `group:G`, `tag:T`, `cluster:C`; `a&b` for both, `!x` to take away
    #[arg(long = "on", value_name = "SELECTOR")]
    hosts: Option<String>,
    /// Which guests: names, numbers, patterns, `all`, `tag:T`, `cluster:C`, `node:N`, `kind:lxc`
    #[arg(long, value_name = "SELECTOR")]
    guests: Option<String>,
    /// Only what closes a security hole
    #[arg(long)]
    security_only: bool,
    /// Leave packages as they are, by name, with * and ?; may be given several times
    #[arg(long = "exclude", value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Make a snapshot of each guest first: it goes back to it where its update fails
    #[arg(long, conflicts_with = "backup")]
    snapshot: bool,
    /// Make a backup of each guest on this storage first
    #[arg(long, value_name = "STORAGE")]
    backup: Option<String>,
    /// Whether guests come before their node or after it
    #[arg(long, value_enum, default_value_t = OrderArg::GuestsFirst)]
    order: OrderArg,
    /// How many machines go first, alone; where one of them fails, the update stops
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    canary: u32,
    /// Which machines those are, by name or id; may be given several times
    #[arg(long = "canary-on", value_name = "NAME")]
    canaries: Vec<String>,
    /// How many are updated at once
    #[arg(long = "at-once", value_name = "NUMBER", default_value_t = 3)]
    wave_size: u32,
    /// Go on with the others where one fails, instead of leaving them untouched
    #[arg(long)]
    go_on: bool,
    /// Start no machine anew, also where its packages ask for it
    #[arg(long)]
    no_restart: bool,
    /// How long a machine may take to be back once it is started anew
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800)]
    restart_within: u32,
    /// Do not move the guests of a node away before it is started anew
    #[arg(long)]
    no_evacuate: bool,
    /// Copy disks along that only a node has when its guests are moved away
    #[arg(long)]
    local_disks: bool,
    /// Leave guests alone whose newest backup is older than so many days
    #[arg(long, value_name = "DAYS")]
    newest_backup_days: Option<u32>,
    /// How long a machine may take to be well again
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    well_within: u32,
    /// Do not look whether services run that ran, and none has failed anew
    #[arg(long)]
    ignore_units: bool,
    /// Do not look whether ports are listened on that were
    #[arg(long)]
    ignore_listeners: bool,
    /// A command that must end with status 0 on each machine, before and after, run as root there
    #[arg(long, value_name = "COMMAND")]
    check: Option<String>,
    /// Go on in spite of a rule; may be given several times, and stands in the audit trail (see `op rules`)
    #[arg(long = "override", value_name = "RULE")]
    overrides: Vec<Rule>,
}

/// Whether guests come before their node or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OrderArg {
    /// Before
    GuestsFirst,
    /// After
    GuestsLast,
}

impl WishArgs {
    /// The wish.
    pub(crate) fn into_wish(self) -> Result<UpdateWish, Failure> {
        if self.hosts.is_none() && self.guests.is_none() {
            return Err(usage("update machines", "none are named", "add --on SELECTOR, --guests SELECTOR, or both"));
        }
        let safety = match (self.snapshot, self.backup) {
            (_, Some(storage)) => Safety::Backup { storage },
            (true, None) => Safety::Snapshot,
            (false, None) => Safety::None,
        };
        Ok(UpdateWish {
            hosts: self.hosts,
            guests: self.guests,
            security_only: self.security_only,
            exclude: self.exclude,
            safety,
            order: match self.order {
                OrderArg::GuestsFirst => GuestOrder::GuestsFirst,
                OrderArg::GuestsLast => GuestOrder::GuestsLast,
            },
            canary: self.canary,
            canaries: self.canaries,
            wave_size: self.wave_size,
            on_failure: if self.go_on { OnFailure::GoOn } else { OnFailure::Stop },
            reboot: if self.no_restart { RebootWish::Never } else { RebootWish::IfNeeded },
            restart_within_seconds: self.restart_within,
            evacuate: !self.no_evacuate,
            local_disks: self.local_disks,
            newest_backup_days: self.newest_backup_days,
            health: HealthWish {
                within_seconds: self.well_within,
                units: !self.ignore_units,
                listeners: !self.ignore_listeners,
                command: self.check,
            },
            overrides: self.overrides,
        })
    }
}
