//! What is wanted of an update, as it is written on the command line.

use clap::{Args, ValueEnum};
use reanimator_core::model::{GuestOrder, OnFailure, RebootWish, Rule, Safety, UpdateWish};

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
    /// Whether guests come before their node or after it [default: guests-first]
    #[arg(long, value_enum)]
    order: Option<OrderArg>,
    /// How many machines go first, alone; where one of them fails, the update stops [default: 1]
    #[arg(long, value_name = "NUMBER")]
    canary: Option<u32>,
    /// Which machines those are, by name or id; may be given several times
    #[arg(long = "canary-on", value_name = "NAME")]
    canaries: Vec<String>,
    /// How many are updated at once [default: 3]
    #[arg(long = "at-once", value_name = "NUMBER")]
    wave_size: Option<u32>,
    /// Go on with the others where one fails, instead of leaving them untouched
    #[arg(long)]
    go_on: bool,
    /// Start no machine anew, also where its packages ask for it
    #[arg(long)]
    no_restart: bool,
    /// How long a machine may take to be back once it is started anew [default: 1800]
    #[arg(long, value_name = "SECONDS")]
    restart_within: Option<u32>,
    /// Do not move the guests of a node away before it is started anew
    #[arg(long)]
    no_evacuate: bool,
    /// Copy disks along that only a node has when its guests are moved away
    #[arg(long)]
    local_disks: bool,
    /// Leave guests alone whose newest backup is older than so many days
    #[arg(long, value_name = "DAYS")]
    newest_backup_days: Option<u32>,
    /// How long a machine may take to be well again [default: 300]
    #[arg(long, value_name = "SECONDS")]
    well_within: Option<u32>,
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

/// What a wish is to have no more, named by its flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Without {
    /// No hosts
    On,
    /// No guests
    Guests,
    /// Not only what closes a security hole
    SecurityOnly,
    /// No package is left as it is
    Exclude,
    /// No snapshot first
    Snapshot,
    /// No backup first
    Backup,
    /// No machines that go first by their names
    CanaryOn,
    /// Stop where one fails
    GoOn,
    /// Start machines anew where their packages ask for it
    NoRestart,
    /// Move the guests of a node away before it is started anew
    NoEvacuate,
    /// Copy no disks along
    LocalDisks,
    /// However old the newest backup is
    NewestBackupDays,
    /// Look at services
    IgnoreUnits,
    /// Look at ports
    IgnoreListeners,
    /// No command of its own
    Check,
    /// In spite of no rule
    Override,
}

impl Without {
    /// Takes it from a wish.
    pub(crate) fn take_from(self, wish: &mut UpdateWish) {
        match self {
            Self::On => wish.hosts = None,
            Self::Guests => wish.guests = None,
            Self::SecurityOnly => wish.security_only = false,
            Self::Exclude => wish.exclude.clear(),
            Self::Snapshot if wish.safety == Safety::Snapshot => wish.safety = Safety::None,
            Self::Backup if matches!(wish.safety, Safety::Backup { .. }) => wish.safety = Safety::None,
            Self::Snapshot | Self::Backup => {}
            Self::CanaryOn => wish.canaries.clear(),
            Self::GoOn => wish.on_failure = OnFailure::Stop,
            Self::NoRestart => wish.reboot = RebootWish::IfNeeded,
            Self::NoEvacuate => wish.evacuate = true,
            Self::LocalDisks => wish.local_disks = false,
            Self::NewestBackupDays => wish.newest_backup_days = None,
            Self::IgnoreUnits => wish.health.units = true,
            Self::IgnoreListeners => wish.health.listeners = true,
            Self::Check => wish.health.command = None,
            Self::Override => wish.overrides.clear(),
        }
    }
}

impl WishArgs {
    /// The wish.
    pub(crate) fn into_wish(self) -> Result<UpdateWish, Failure> {
        if self.hosts.is_none() && self.guests.is_none() {
            return Err(usage("update machines", "none are named", "add --on SELECTOR, --guests SELECTOR, or both"));
        }
        let mut wish = UpdateWish::default();
        self.change(&mut wish);
        Ok(wish)
    }

    /// Changes a wish: what is not given stays. What may be given several times takes the place of all that was.
    pub(crate) fn change(self, wish: &mut UpdateWish) {
        fn set<T>(place: &mut T, given: Option<T>) {
            if let Some(value) = given {
                *place = value;
            }
        }
        let many = |given: Vec<String>| Some(given).filter(|given| !given.is_empty());
        wish.hosts = self.hosts.or(wish.hosts.take());
        wish.guests = self.guests.or(wish.guests.take());
        set(&mut wish.security_only, self.security_only.then_some(true));
        set(&mut wish.exclude, many(self.exclude));
        set(&mut wish.safety, self.snapshot.then_some(Safety::Snapshot));
        set(&mut wish.safety, self.backup.map(|storage| Safety::Backup { storage }));
        let order = self.order.map(|order| match order {
            OrderArg::GuestsFirst => GuestOrder::GuestsFirst,
            OrderArg::GuestsLast => GuestOrder::GuestsLast,
        });
        set(&mut wish.order, order);
        set(&mut wish.canary, self.canary);
        set(&mut wish.canaries, many(self.canaries));
        set(&mut wish.wave_size, self.wave_size);
        set(&mut wish.on_failure, self.go_on.then_some(OnFailure::GoOn));
        set(&mut wish.reboot, self.no_restart.then_some(RebootWish::Never));
        set(&mut wish.restart_within_seconds, self.restart_within);
        set(&mut wish.evacuate, self.no_evacuate.then_some(false));
        set(&mut wish.local_disks, self.local_disks.then_some(true));
        wish.newest_backup_days = self.newest_backup_days.or(wish.newest_backup_days);
        set(&mut wish.health.within_seconds, self.well_within);
        set(&mut wish.health.units, self.ignore_units.then_some(false));
        set(&mut wish.health.listeners, self.ignore_listeners.then_some(false));
        wish.health.command = self.check.or(wish.health.command.take());
        set(&mut wish.overrides, Some(self.overrides).filter(|rules| !rules.is_empty()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        wish: WishArgs,
    }

    fn args(words: &[&str]) -> WishArgs {
        Line::try_parse_from([&["update"][..], words].concat()).unwrap().wish
    }

    /// Every flag there is.
    const ALL: [&str; 33] = [
        "--on",
        "all",
        "--guests",
        "tag:web",
        "--security-only",
        "--exclude",
        "linux-*",
        "--exclude",
        "docker-ce",
        "--backup",
        "pbs",
        "--order",
        "guests-last",
        "--canary",
        "2",
        "--canary-on",
        "web1",
        "--at-once",
        "5",
        "--go-on",
        "--no-restart",
        "--restart-within",
        "60",
        "--no-evacuate",
        "--local-disks",
        "--newest-backup-days",
        "3",
        "--well-within",
        "90",
        "--ignore-units",
        "--ignore-listeners",
        "--check",
        "true",
    ];

    #[test]
    fn the_usual_wish_is_that_of_the_model() {
        let usual = UpdateWish { hosts: Some("all".into()), ..UpdateWish::default() };
        assert_eq!(args(&["--on", "all"]).into_wish().unwrap(), usual);
        args(&[]).into_wish().unwrap_err();
    }

    #[test]
    fn only_what_is_given_changes() {
        let full = args(&ALL).into_wish().unwrap();
        let mut wish = full.clone();
        args(&[]).change(&mut wish);
        assert_eq!(wish, full);
        args(&["--exclude", "grub*", "--at-once", "1", "--snapshot"]).change(&mut wish);
        let changed =
            UpdateWish { exclude: vec!["grub*".into()], wave_size: 1, safety: Safety::Snapshot, ..full.clone() };
        assert_eq!(wish, changed);
        let mut plain = UpdateWish::default();
        args(&ALL).change(&mut plain);
        assert_eq!(plain, full);
    }

    #[test]
    fn every_flag_can_be_taken_back() {
        let mut wish = args(&ALL).into_wish().unwrap();
        wish.overrides = args(&["--override", "quorum"]).overrides;
        assert_eq!(wish.overrides.len(), 1);
        // What has a number of its own is given another one.
        let numbers = ["--order", "guests-first", "--canary", "1", "--at-once", "3"];
        args(&numbers).change(&mut wish);
        args(&["--restart-within", "1800", "--well-within", "300"]).change(&mut wish);
        Without::Snapshot.take_from(&mut wish);
        assert_eq!(wish.safety, Safety::Backup { storage: "pbs".into() });
        for without in Without::value_variants() {
            without.take_from(&mut wish);
        }
        assert_eq!(wish, UpdateWish::default());
    }
}
