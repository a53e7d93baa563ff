//! `AsyncFleet`: the same methods as `Fleet`, as awaitables.

use std::path::PathBuf;

use pyo3::prelude::*;
use reanimator_core::{
    fleet::{CapChange, RetentionChange, SettingsChange, TerminalChange, UploadChange},
    model::{AlertFilter, details::Include},
    workflows::{commands::Commands, shell::Terminals},
};
use secrecy::SecretString;

use crate::{
    arguments::{self, ChangeId, HostArguments, Json, KeyFiles, Names, ProxmoxArguments, Span, Steps, When},
    calls,
    terminal::AsyncTerminal,
    waiting::later,
};

/// The machines that are looked after, for asyncio: every method gives an awaitable.
#[pyclass(frozen, module = "reanimator")]
#[derive(Debug)]
pub(crate) struct AsyncFleet(reanimator_core::Fleet, Commands, Terminals);

#[pymethods]
impl AsyncFleet {
    /// Opens the fleet kept in `data_dir`, and makes it on first use, with this very machine as its first host.
    ///
    /// Defaults to the user's data directory, as the command line does.
    #[staticmethod]
    #[pyo3(signature = (data_dir=None))]
    fn open(py: Python<'_>, data_dir: Option<PathBuf>) -> PyResult<Bound<'_, PyAny>> {
        later(py, async move {
            calls::open(data_dir)
                .await
                .map(|fleet| Self(fleet.clone(), Commands::new(fleet.clone()), Terminals::new(fleet)))
        })
    }

    /// Where the fleet is kept.
    #[getter]
    fn data_dir(&self) -> String {
        self.0.data_dir().display().to_string()
    }

    /// The whole fleet: hosts, their sums, and when this was read.
    ///
    /// Figures are those last stored, with their age; `observe` looks anew.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::status(self.0.clone()))
    }

    /// The hosts that `select` means, all without it: names, globs, `group:G`, `tag:T`, `kind:K`, `state:S`,
    /// `cluster:C`; `a&b` for both, `!x` to take away.
    #[pyo3(signature = (select=None))]
    fn hosts<'py>(&self, py: Python<'py>, select: Option<String>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::hosts(self.0.clone(), select))
    }

    /// One host in full, by name or id, as last seen.
    fn host<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::host(self.0.clone(), name))
    }

    /// One host in full, looked at now.
    fn observe<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::observe(self.0.clone(), name))
    }

    /// Adds a host that is reached over SSH: `[user@]host[:port]` or a name from `~/.ssh/config`.
    ///
    /// Raises `HostKeyUnknown` for a key that is not known yet: compare its `fingerprint` and call again with it as
    /// `accept_host_key`. Nothing is stored before the connection worked, unless `unchecked`.
    #[pyo3(signature = (
        address, *, port=None, user=None, name=None, groups=vec![], tags=vec![], jump=vec![], agent=true,
        key_file=None, key=None, passphrase=None, password=None, sudo="none", sudo_password=None,
        accept_host_key=None, unchecked=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn add_host<'py>(
        &self,
        py: Python<'py>,
        address: String,
        port: Option<u16>,
        user: Option<String>,
        name: Option<String>,
        groups: Vec<String>,
        tags: Vec<String>,
        jump: Vec<String>,
        agent: bool,
        key_file: Option<KeyFiles>,
        key: Option<String>,
        passphrase: Option<String>,
        password: Option<String>,
        sudo: &str,
        sudo_password: Option<String>,
        accept_host_key: Option<String>,
        unchecked: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = HostArguments {
            address,
            port,
            user,
            name,
            groups,
            tags,
            jump,
            agent,
            key_file,
            key,
            passphrase,
            password,
            sudo: sudo.to_owned(),
            sudo_password,
            accept_host_key,
            unchecked,
        };
        later(py, calls::add_host(self.0.clone(), arguments))
    }

    /// Takes a host out of the fleet.
    fn remove_host<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_host(self.0.clone(), name))
    }

    /// Changes what people say of a host: its name, its groups, its tags (all of them), whether it is in maintenance. What
    /// is not given stays.
    #[pyo3(signature = (name, *, new_name=None, groups=None, tags=None, maintenance=None))]
    fn update_host<'py>(
        &self,
        py: Python<'py>,
        name: String,
        new_name: Option<String>,
        groups: Option<Vec<String>>,
        tags: Option<Vec<String>>,
        maintenance: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::update_host(self.0.clone(), name, arguments::change(new_name, groups, tags, maintenance)))
    }

    /// Tries to reach a host, step by step, over a connection of its own.
    fn test_host<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::test_host(self.0.clone(), name))
    }

    /// The SSH key that a host shows now; with `fingerprint`, that key is trusted from now on, if it is exactly this one.
    #[pyo3(signature = (name, fingerprint=None))]
    fn trust_host<'py>(
        &self,
        py: Python<'py>,
        name: String,
        fingerprint: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::trust_host(self.0.clone(), name, fingerprint))
    }

    /// Adds the hosts that a text names, without connecting to them first: `format` is `ssh-config`, `ansible-ini` or
    /// `ansible-yaml`. With `dry_run` it only says what would be added.
    #[pyo3(signature = (text, format, *, dry_run=false))]
    fn import_hosts<'py>(
        &self,
        py: Python<'py>,
        text: String,
        format: String,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::import_hosts(self.0.clone(), text, format, dry_run))
    }

    /// Records that may be one machine, and what speaks for and against it.
    fn matches<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::matches(self.0.clone()))
    }

    /// Says whether two records are one machine.
    fn decide_match<'py>(&self, py: Python<'py>, id: String, same: bool) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::decide_match(self.0.clone(), id, same))
    }

    /// Runs a command line in the shell of every host that `select` means, at the same time, and gives one answer per
    /// host. A host that fails is an answer with an `error`; it holds up no other.
    #[pyo3(signature = (command, select="all", time_limit=60.0, sudo=false))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        command: String,
        select: &str,
        time_limit: f64,
        sudo: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::run(self.0.clone(), command, select.to_owned(), time_limit, sudo))
    }

    /// Starts a command on every host that `select` means, and gives the run at once; see its `id`. It goes on by itself, as
    /// long as this process does. `time_limit` is in seconds for each host.
    #[pyo3(signature = (command, select="all", *, time_limit=60, sudo=false))]
    fn start_command<'py>(
        &self,
        py: Python<'py>,
        command: String,
        select: &str,
        time_limit: u64,
        sudo: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::start_command(self.1.clone(), arguments::new_command(command, select, time_limit, sudo)))
    }

    /// The runs of commands before `before`, the newest first.
    #[pyo3(signature = (*, before=None, limit=50))]
    fn commands<'py>(&self, py: Python<'py>, before: Option<String>, limit: u32) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::commands(self.1.clone(), before, limit))
    }

    /// A run with what has come so far: equal answers together, the largest group first, and how the others differ from it.
    /// With `wait=True` once it is over, where this process carries it out.
    #[pyo3(signature = (id, *, wait=false))]
    fn command<'py>(&self, py: Python<'py>, id: String, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::command(self.1.clone(), id, wait))
    }

    /// What one host, named by its id, has answered so far, whole.
    fn command_answer<'py>(&self, py: Python<'py>, id: String, host: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::command_answer(self.1.clone(), id, host))
    }

    /// Stops a run: what still runs on the hosts is ended there.
    fn stop_command<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::stop_command(self.1.clone(), id))
    }

    /// The commands that are kept under a name.
    fn saved_commands<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::saved_commands(self.0.clone()))
    }

    /// Keeps a command under a name, in place of the one of that name.
    fn save_command<'py>(&self, py: Python<'py>, command: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::save_command(self.0.clone(), command))
    }

    /// Keeps a command no longer.
    fn remove_saved_command<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_saved_command(self.0.clone(), name))
    }

    /// Brings a whole Proxmox VE cluster in, by any of its nodes (`https://host:8006`), with an API token
    /// (`USER@REALM!NAME=SECRET`) or a user and a password.
    ///
    /// Raises `CertificateUnknown` for a certificate that is not known yet: compare its `fingerprint` and call again with
    /// it as `accept_certificate`. With `dry_run` nothing is stored.
    #[pyo3(signature = (
        url, *, token=None, user=None, password=None, name=None, accept_certificate=None, dry_run=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn connect_proxmox<'py>(
        &self,
        py: Python<'py>,
        url: String,
        token: Option<String>,
        user: Option<String>,
        password: Option<String>,
        name: Option<String>,
        accept_certificate: Option<String>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = ProxmoxArguments { url, token, user, password, name, accept_certificate, dry_run };
        later(py, calls::connect_proxmox(self.0.clone(), arguments))
    }

    /// The connected Proxmox VE clusters.
    fn proxmoxes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::proxmoxes(self.0.clone()))
    }

    /// Tries to reach a cluster, step by step, and lets a refused login be tried once more.
    fn test_proxmox<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::test_proxmox(self.0.clone(), name))
    }

    /// Takes a cluster out of the fleet, with the hosts that only it brought in.
    fn remove_proxmox<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_proxmox(self.0.clone(), name))
    }

    /// All VMs and containers of all clusters, as last seen.
    fn guests<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::guests(self.0.clone()))
    }

    /// All storages of all clusters, shared ones once.
    fn storages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::storages(self.0.clone()))
    }

    /// Everything that is known of a host, each section with the time at which it was seen. Asks nobody.
    ///
    /// `hardware`, `storage` and `network` say which of the large parts are wanted.
    #[pyo3(signature = (name, hardware=true, storage=true, network=true))]
    fn host_details<'py>(
        &self,
        py: Python<'py>,
        name: String,
        hardware: bool,
        storage: bool,
        network: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::host_details(self.0.clone(), name, Include { hardware, storage, network }))
    }

    /// Everything about a host, with all its slow facts asked for now, however young those are that are known.
    fn refresh<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::refresh(self.0.clone(), name))
    }

    /// Everything that is known of a guest, by its number, name or id. What may not be older than a moment is asked for
    /// now. `node` names the host it is on, where several guests are called so.
    #[pyo3(signature = (guest, node=None))]
    fn guest_details<'py>(&self, py: Python<'py>, guest: String, node: Option<String>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::guest_details(self.0.clone(), guest, node))
    }

    /// The whole fleet in tables: `overview`, `nodes`, `vms`, `storages`, `interfaces`, `clusters`.
    fn dashboard<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::dashboard(self.0.clone()))
    }

    /// What hangs on what: hosts, their bridges, and the guests plugged into those, as last seen.
    fn topology<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::topology(self.0.clone()))
    }

    /// Votes, high availability, Ceph, replication and backup jobs of a Proxmox cluster, as last seen.
    fn cluster_facts<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::cluster_facts(self.0.clone(), name))
    }

    /// The same, asked now.
    fn refresh_cluster<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::refresh_cluster(self.0.clone(), name))
    }

    /// The history of `host:NAME`, `guest:VMID`, `storage:NAME` or the whole `fleet` in columns, as `pandas.DataFrame` and
    /// `polars.DataFrame` take them: `time`, and of each figure `..._min`, `..._mean`, `..._max`. A gap is `None`.
    ///
    /// Without `metrics` all figures come that were seen in that time; one that is asked for and was never seen is a
    /// column of `None` alone, to which data frames give no type. `start` and `end` are datetimes (one without a zone is
    /// local time), times as text, or how long ago: `"24h"`. `step` is how far apart the points are: `"5m"`, seconds,
    /// a timedelta; without it there are a few hundred points.
    #[pyo3(
        signature = (entity, metrics=None, start=When("1h".to_owned()), end=When("now".to_owned()), step=None),
        text_signature = "($self, entity, metrics=None, start='1h', end='now', step=None)"
    )]
    fn telemetry<'py>(
        &self,
        py: Python<'py>,
        entity: String,
        metrics: Option<Names>,
        start: When,
        end: When,
        step: Option<Span>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::telemetry(self.0.clone(), arguments::history(entity, metrics, start, end, step)))
    }

    /// Short lines of one figure of many things at once (`host:ID`, `guest:ID`, `storage:ID`, at most 200): of each the
    /// averages over the same equal steps, at most `points` (2 to 120), with `None` for gaps. What is not in the fleet is
    /// named in `unknown`.
    #[pyo3(
        signature = (entities, metric, start=When("1h".to_owned()), end=When("now".to_owned()), points=30),
        text_signature = "($self, entities, metric, start='1h', end='now', points=30)"
    )]
    fn recent<'py>(
        &self,
        py: Python<'py>,
        entities: Names,
        metric: String,
        start: When,
        end: When,
        points: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::recent(self.0.clone(), arguments::recent(entities, metric, start, end, points)))
    }

    /// The newest reading of each figure of `host:NAME`, `guest:VMID`, `storage:NAME` or the whole `fleet`, each with its
    /// time.
    fn latest<'py>(&self, py: Python<'py>, entity: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::latest(self.0.clone(), entity))
    }

    /// What differs from what was seen before, newest first: of everything, or of one `entity`; of all facts, or of those
    /// that `field` fits (`*` stands for anything). `before` is the `id` of a change: those older than it come.
    #[pyo3(signature = (entity=None, field=None, before=None, limit=100))]
    fn changes<'py>(
        &self,
        py: Python<'py>,
        entity: Option<String>,
        field: Option<String>,
        before: Option<ChangeId>,
        limit: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::changes(self.0.clone(), entity, field, before.map(ChangeId::into_text), limit))
    }

    /// Who may log in to the page.
    fn users<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::users(self.0.clone()))
    }

    /// Lets somebody log in to the page. A password has 10 characters or more; `role` is `viewer`, `operator` or `admin`.
    #[pyo3(signature = (name, password, role="viewer"))]
    fn add_user<'py>(
        &self,
        py: Python<'py>,
        name: String,
        password: String,
        role: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::add_user(self.0.clone(), name, password.into(), role.to_owned()))
    }

    /// Changes somebody's role, password, or both; a new password ends their sessions.
    #[pyo3(signature = (name, *, role=None, password=None))]
    fn update_user<'py>(
        &self,
        py: Python<'py>,
        name: String,
        role: Option<String>,
        password: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::update_user(self.0.clone(), name, role, password.map(SecretString::from)))
    }

    /// Lets somebody log in no longer. The last admin stays.
    fn remove_user<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_user(self.0.clone(), name))
    }

    /// The tokens of programs that use the HTTP interface, without themselves.
    fn tokens<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::tokens(self.0.clone()))
    }

    /// Makes a token for a program that uses the HTTP interface. This is the only time that it is shown.
    #[pyo3(signature = (name, role="viewer"))]
    fn create_token<'py>(&self, py: Python<'py>, name: String, role: &str) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::create_token(self.0.clone(), name, role.to_owned()))
    }

    /// Makes a token worthless.
    fn revoke_token<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::revoke_token(self.0.clone(), name))
    }

    /// What was done, by whom and with what outcome, newest first. In texts `*` stands for anything, and `!` before one takes
    /// all others; `source` is from where.
    #[pyo3(signature = (limit=50, *, who=None, source=None, what=None, on=None, outcome=None, since=None, until=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn audit<'py>(
        &self,
        py: Python<'py>,
        limit: u32,
        who: Option<String>,
        source: Option<String>,
        what: Option<String>,
        on: Option<String>,
        outcome: Option<String>,
        since: Option<When>,
        until: Option<When>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let words = arguments::audit(who, source, what, on, outcome, since, until);
        later(py, calls::audit(self.0.clone(), words, limit))
    }

    /// Writes what was done into a new file, oldest first, as `csv` or `jsonl`, however long it is; gives its size in bytes.
    #[pyo3(signature = (path, format="csv", *, who=None, source=None, what=None, on=None, outcome=None, since=None, until=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn audit_export<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        format: &str,
        who: Option<String>,
        source: Option<String>,
        what: Option<String>,
        on: Option<String>,
        outcome: Option<String>,
        since: Option<When>,
        until: Option<When>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let words = arguments::audit(who, source, what, on, outcome, since, until);
        later(py, calls::audit_export(self.0.clone(), words, path, format.to_owned()))
    }

    /// How long things are kept, and how much room the data takes.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::settings(self.0.clone()))
    }

    /// Changes how long things are kept, from the next minutes on, how many operations act on one host or cluster at
    /// once, how much room files take that are handed over, and how long terminals stay; what is not given stays.
    #[pyo3(signature = (
        *, samples_hours=None, minutes_days=None, quarters_days=None, six_hours_days=None, events_days=None,
        changes_days=None, per_host=None, per_cluster=None, quota_gib=None, keep_days=None, record_terminals=None,
        unseen_minutes=None, idle_hours=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn change_settings<'py>(
        &self,
        py: Python<'py>,
        samples_hours: Option<u32>,
        minutes_days: Option<u32>,
        quarters_days: Option<u32>,
        six_hours_days: Option<u32>,
        events_days: Option<u32>,
        changes_days: Option<u32>,
        per_host: Option<u32>,
        per_cluster: Option<u32>,
        quota_gib: Option<u32>,
        keep_days: Option<u32>,
        record_terminals: Option<bool>,
        unseen_minutes: Option<u32>,
        idle_hours: Option<u32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let retention =
            RetentionChange { samples_hours, minutes_days, quarters_days, six_hours_days, events_days, changes_days };
        let caps = CapChange { per_host, per_cluster };
        let uploads = UploadChange { quota_gib, keep_days };
        let terminals = TerminalChange { record: record_terminals, unseen_minutes, idle_hours };
        let change = SettingsChange { retention, caps, uploads, terminals };
        later(py, calls::change_settings(self.0.clone(), change))
    }

    /// Opens a terminal of a host or a guest, by its name, number or id: a login shell where there is one, else the console
    /// that Proxmox has of it. `record` says whether what is shown is recorded; the settings do where it is not given.
    ///
    /// It ends when it is closed, when nothing refers to it any more, and with this program.
    #[pyo3(signature = (machine, *, columns=80, rows=24, record=None))]
    fn shell<'py>(
        &self,
        py: Python<'py>,
        machine: String,
        columns: u16,
        rows: u16,
        record: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let open = calls::open_terminal(self.0.clone(), self.2.clone(), machine, (columns, rows), record);
        later(py, async move { open.await.map(AsyncTerminal) })
    }

    /// What was recorded of terminals, the newest first.
    fn recordings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::recordings(self.0.clone()))
    }

    /// Where a recording lies: a file of asciicast, version 2.
    fn recording_file<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::recording_file(self.0.clone(), id))
    }

    /// Deletes a recording.
    fn delete_recording<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::delete_recording(self.0.clone(), id))
    }

    /// Copies all that is stored into a new file, encrypted with a passphrase of 12 characters or more (in the age
    /// format), while it is in use. Without `history` the figures over time are left out.
    #[pyo3(signature = (path, passphrase, *, history=true))]
    fn create_backup<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        passphrase: String,
        history: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::create_backup(self.0.clone(), path, passphrase.into(), history))
    }

    /// Reads a backup to its end and says what is in it.
    fn inspect_backup<'py>(&self, py: Python<'py>, path: PathBuf, passphrase: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::inspect_backup(path, passphrase.into()))
    }

    /// Puts a backup in place of all that is stored here, after checking everything. No server may run on the data
    /// directory. The audit trail loses nothing; sessions end.
    fn restore_backup<'py>(&self, py: Python<'py>, path: PathBuf, passphrase: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::restore_backup(self.0.clone(), path, passphrase.into()))
    }

    /// Whose credentials are stored, and which by name, never what they are.
    fn credentials<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::credentials(self.0.clone()))
    }

    /// Replaces some of a host's credentials; what is not given stays. It logs in with them the next time.
    #[pyo3(signature = (name, *, user=None, password=None, key=None, passphrase=None, sudo_password=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn set_host_credentials<'py>(
        &self,
        py: Python<'py>,
        name: String,
        user: Option<String>,
        password: Option<String>,
        key: Option<String>,
        passphrase: Option<String>,
        sudo_password: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let new = calls::host_credentials(user, password, key, passphrase, sudo_password);
        later(py, calls::set_host_credentials(self.0.clone(), name, new))
    }

    /// Removes some of a host's credentials: `password`, `key`, `passphrase`, `sudo`.
    fn remove_host_credentials<'py>(
        &self,
        py: Python<'py>,
        name: String,
        names: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_host_credentials(self.0.clone(), name, names))
    }

    /// Replaces what a Proxmox connection logs in with: a token, or a user and a password.
    #[pyo3(signature = (name, *, token=None, user=None, password=None))]
    fn set_proxmox_credentials<'py>(
        &self,
        py: Python<'py>,
        name: String,
        token: Option<String>,
        user: Option<String>,
        password: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::set_proxmox_credentials(self.0.clone(), name, token, user, password))
    }

    /// Removes some of a Proxmox connection's credentials; what it logs in with stays.
    fn remove_proxmox_credentials<'py>(
        &self,
        py: Python<'py>,
        name: String,
        names: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_proxmox_credentials(self.0.clone(), name, names))
    }

    /// All groups and tags, and how many hosts bear them.
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::groups(self.0.clone()))
    }

    /// Gives groups and tags to many hosts (by name or id) and takes others from them, all or none. Gives the ids of
    /// those that it changed.
    #[pyo3(signature = (hosts, *, add_groups=vec![], remove_groups=vec![], add_tags=vec![], remove_tags=vec![]))]
    fn label_hosts<'py>(
        &self,
        py: Python<'py>,
        hosts: Vec<String>,
        add_groups: Vec<String>,
        remove_groups: Vec<String>,
        add_tags: Vec<String>,
        remove_tags: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let change = arguments::labels(hosts, add_groups, remove_groups, add_tags, remove_tags);
        later(py, calls::label_hosts(self.0.clone(), change))
    }

    /// Renames a group on all its hosts.
    fn rename_group<'py>(&self, py: Python<'py>, name: String, new_name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::rename_group(self.0.clone(), name, new_name))
    }

    /// Takes a group off all its hosts; says how many there were.
    fn remove_group<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_group(self.0.clone(), name))
    }

    /// The prepared scripts, by their names. `operate` runs one, as `{"on": "script", "host": host["id"], "script": NAME,
    /// "parameters": {...}}`.
    fn scripts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::scripts(self.0.clone()))
    }

    /// One prepared script.
    fn script<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::script(self.0.clone(), name))
    }

    /// Defines a script, or puts the definition in the place of the one of its name.
    fn define_script<'py>(&self, py: Python<'py>, definition: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::define_script(self.0.clone(), definition))
    }

    /// Removes a script. What runs goes on.
    fn remove_script<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_script(self.0.clone(), name))
    }

    /// Carries steps out, and gives the operation when it is over; see its `state` and `note`. With `wait=False` it is only
    /// stored, for a server that runs on the same data.
    ///
    /// A step is an action, such as `{"on": "guest", "id": guest["id"], "do": "stop"}` or `{"on": "unit", "host":
    /// host["id"], "unit": "nginx.service", "do": "restart"}`; or `{"action": ..., "after": [0]}` for one that waits for
    /// others, counted from 0. All others run beside each other. `overrides` names rules that are not kept this time.
    #[pyo3(signature = (steps, *, title=None, overrides=Vec::new(), wait=true))]
    fn operate<'py>(
        &self,
        py: Python<'py>,
        steps: Steps,
        title: Option<String>,
        overrides: Vec<String>,
        wait: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::operate(self.0.clone(), steps.terms(title, overrides), wait))
    }

    /// Takes a host into maintenance, its guests spread over other nodes, or out of it, as one operation: `{"do": "enter",
    /// "targets": [...], "shutdown": True}`, `{"do": "leave", "wake": True, "bring_back": True}`.
    #[pyo3(signature = (host, wish, *, wait=true))]
    fn maintain<'py>(&self, py: Python<'py>, host: String, wish: Json, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::maintain(self.0.clone(), host, wish, wait))
    }

    /// Says what that would come to: which guest goes where and why, what stays, and each step; does nothing.
    fn maintain_dry_run<'py>(&self, py: Python<'py>, host: String, wish: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::maintain_dry_run(self.0.clone(), host, wish))
    }

    /// Says what those steps would do, and what would be refused and why; does nothing.
    #[pyo3(signature = (steps, *, title=None, overrides=Vec::new()))]
    fn dry_run<'py>(
        &self,
        py: Python<'py>,
        steps: Steps,
        title: Option<String>,
        overrides: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::dry_run(self.0.clone(), steps.terms(title, overrides)))
    }

    /// Operations, the newest first. With `open` only those that are not over; `before` is the `id` of one: those older than
    /// it come.
    #[pyo3(signature = (*, open=false, before=None, limit=100))]
    fn operations<'py>(
        &self,
        py: Python<'py>,
        open: bool,
        before: Option<String>,
        limit: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::operations(self.0.clone(), open, before, limit))
    }

    /// One operation, step by step.
    fn operation<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::operation(self.0.clone(), id))
    }

    /// What an operation said after a line, the oldest first, at most 1,000 lines.
    #[pyo3(signature = (id, after=0))]
    fn operation_lines<'py>(&self, py: Python<'py>, id: String, after: i64) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::operation_lines(self.0.clone(), id, after))
    }

    /// Stops an operation before its next step. What is done stays done.
    fn cancel<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::cancel(self.0.clone(), id))
    }

    /// Takes back what an operation did, the last first, as far as it can be; gives it when that is over.
    fn undo<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::undo(self.0.clone(), id))
    }

    /// Where a guest could go: every node of its cluster, with what speaks against it. Asks the cluster.
    #[pyo3(signature = (guest, node=None))]
    fn guest_targets<'py>(&self, py: Python<'py>, guest: String, node: Option<String>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::guest_targets(self.0.clone(), guest, node))
    }

    /// The rules by which nothing is harmed.
    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::rules())
    }

    /// Goes on with the operations whose process has died, and gives the ids of those that were tried when they are over.
    fn resume<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::resume(self.0.clone()))
    }

    /// Whom notices go to, by name, and how each target is doing.
    fn notify_targets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::notify_targets(self.0.clone()))
    }

    /// One target of notices.
    fn notify_target<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::notify_target(self.0.clone(), name))
    }

    /// Makes a target of notices, with its secrets.
    #[pyo3(signature = (target, secrets = None))]
    fn create_notify_target<'py>(
        &self,
        py: Python<'py>,
        target: Json,
        secrets: Option<Json>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::create_notify_target(self.0.clone(), target, secrets))
    }

    /// Changes a target of notices; what is absent stays.
    #[pyo3(signature = (name, change, secrets = None))]
    fn change_notify_target<'py>(
        &self,
        py: Python<'py>,
        name: String,
        change: Json,
        secrets: Option<Json>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::change_notify_target(self.0.clone(), name, change, secrets))
    }

    /// Removes a target of notices with its secrets.
    fn remove_notify_target<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_notify_target(self.0.clone(), name))
    }

    /// Sends a message to a target at once, and says what was answered.
    fn test_notify_target<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::test_notify_target(self.0.clone(), name))
    }

    /// What was sent, what waits and what was given up, the newest first.
    #[pyo3(signature = (*, target = None, state = None, before = None, limit = 100))]
    fn notifications<'py>(
        &self,
        py: Python<'py>,
        target: Option<String>,
        state: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::notifications(self.0.clone(), target, state, before, limit))
    }

    /// Alerts, the newest first: those that go on (`open=True`), that are over (`False`), or all.
    #[pyo3(signature = (*, open=None, rule=None, entity=None, before=None, limit=100))]
    fn alerts<'py>(
        &self,
        py: Python<'py>,
        open: Option<bool>,
        rule: Option<String>,
        entity: Option<String>,
        before: Option<String>,
        limit: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::alerts(self.0.clone(), AlertFilter { open, rule, entity, before, limit }))
    }

    /// One alert.
    fn alert<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::alert(self.0.clone(), id))
    }

    /// Says that you know of an alert; it stays until it resolves.
    #[pyo3(signature = (id, comment=""))]
    fn acknowledge_alert<'py>(&self, py: Python<'py>, id: String, comment: &str) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::acknowledge_alert(self.0.clone(), id, comment.to_owned()))
    }

    /// All alert rules, by name.
    fn alert_rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::alert_rules(self.0.clone()))
    }

    /// One alert rule.
    fn alert_rule<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::alert_rule(self.0.clone(), name))
    }

    /// Makes an alert rule.
    fn add_alert_rule<'py>(&self, py: Python<'py>, rule: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::add_alert_rule(self.0.clone(), rule))
    }

    /// Changes an alert rule; what is absent stays. Where it looks in another way then, what it had raised resolves.
    fn change_alert_rule<'py>(&self, py: Python<'py>, name: String, change: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::change_alert_rule(self.0.clone(), name, change))
    }

    /// Removes an alert rule; what it had raised resolves.
    fn remove_alert_rule<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_alert_rule(self.0.clone(), name))
    }

    /// What an alert rule would say now, and how often it would have rung over the last week. Changes nothing.
    fn test_alert_rule<'py>(&self, py: Python<'py>, rule: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::test_alert_rule(self.0.clone(), rule))
    }

    /// All maintenance windows, by name, with whom they cover and when they open.
    fn windows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::windows(self.0.clone()))
    }

    /// One maintenance window.
    fn window<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::window(self.0.clone(), name))
    }

    /// Makes a maintenance window: what it covers is disturbed only while one of its windows is open.
    fn create_window<'py>(&self, py: Python<'py>, window: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::create_window(self.0.clone(), window))
    }

    /// Changes a maintenance window; what is absent stays.
    fn edit_window<'py>(&self, py: Python<'py>, name: String, change: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::edit_window(self.0.clone(), name, change))
    }

    /// Removes a maintenance window.
    fn delete_window<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::delete_window(self.0.clone(), name))
    }

    /// Says what an update of many machines would come to: waves, and of each machine what is pending, what speaks against it,
    /// and why it stands where it stands. `{"hosts": "group:web", "guests": "tag:prod", "safety": {"by": "snapshot"}}`. Only looks.
    fn plan_update<'py>(&self, py: Python<'py>, wish: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::plan_update(self.0.clone(), wish))
    }

    /// Updates many machines in one run, wave by wave, and gives it when it is over; see its `state`, `note` and `targets`. With
    /// `wait=False` it is only stored, for a server that runs on the same data.
    #[pyo3(signature = (wish, *, wait=true))]
    fn update<'py>(&self, py: Python<'py>, wish: Json, wait: bool) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::update(self.0.clone(), wish, wait))
    }

    /// Updates, each in one line, the newest first. With `open` only those that are not over; `before` is the `id` of one: those
    /// older than it come.
    #[pyo3(signature = (*, open=false, before=None, limit=50))]
    fn updates<'py>(
        &self,
        py: Python<'py>,
        open: bool,
        before: Option<String>,
        limit: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::updates(self.0.clone(), open, before, limit))
    }

    /// One update: machine by machine, package by package.
    fn update_run<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::update_run(self.0.clone(), id))
    }

    /// Stops an update before its next machine; those that have begun are seen to their end.
    fn cancel_update<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::cancel_update(self.0.clone(), id))
    }

    /// Sees an update through to its end, also where its process has died, and gives it then.
    fn resume_update<'py>(&self, py: Python<'py>, id: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::resume_update(self.0.clone(), id))
    }

    /// Updates by calendar, by name, with when each is made next.
    fn update_schedules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::update_schedules(self.0.clone()))
    }

    /// Schedules that are stored and cannot be read, each with why and what to do; no update is made by them.
    fn unreadable_update_schedules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::unreadable_update_schedules(self.0.clone()))
    }

    /// Makes a schedule: `{"name": "nights", "wish": {...}, "days": ["sat"], "at": "03:30", "zone": "Europe/Berlin"}`.
    fn create_update_schedule<'py>(&self, py: Python<'py>, schedule: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::create_update_schedule(self.0.clone(), schedule))
    }

    /// Changes a schedule of updates; what is absent stays.
    fn edit_update_schedule<'py>(&self, py: Python<'py>, name: String, change: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::edit_update_schedule(self.0.clone(), name, change))
    }

    /// Removes a schedule of updates; an update that it has made goes on.
    fn delete_update_schedule<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::delete_update_schedule(self.0.clone(), name))
    }

    /// Machines that stand in for each other, by the names of their sets, with who they are now.
    fn redundant_sets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::redundant_sets(self.0.clone()))
    }

    /// Keeps a redundant set, in place of one of the same name: never two of it are updated at once.
    fn put_redundant_set<'py>(&self, py: Python<'py>, set: Json) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::put_redundant_set(self.0.clone(), set))
    }

    /// Removes a redundant set.
    fn remove_redundant_set<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::remove_redundant_set(self.0.clone(), name))
    }

    /// All that is protected by hand. What bears the tag `protected` is so too, and not in it.
    fn protections<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::protections(self.0.clone()))
    }

    /// Protects a host: it is neither disrupted nor destroyed from now on.
    fn protect_host<'py>(&self, py: Python<'py>, name: String, reason: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::protect_host(self.0.clone(), name, reason))
    }

    /// Protects a host by hand no more.
    fn unprotect_host<'py>(&self, py: Python<'py>, name: String) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::unprotect_host(self.0.clone(), name))
    }

    /// Protects a guest: it is neither disrupted nor destroyed from now on.
    #[pyo3(signature = (name, reason, *, node=None))]
    fn protect_guest<'py>(
        &self,
        py: Python<'py>,
        name: String,
        reason: String,
        node: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::protect_guest(self.0.clone(), name, reason, node))
    }

    /// Protects a guest by hand no more.
    #[pyo3(signature = (name, *, node=None))]
    fn unprotect_guest<'py>(&self, py: Python<'py>, name: String, node: Option<String>) -> PyResult<Bound<'py, PyAny>> {
        later(py, calls::unprotect_guest(self.0.clone(), name, node))
    }

    /// Puts a file of this machine on a storage of a node, and gives the operation when it is over. `content` is `iso`,
    /// `vztmpl` or `import`; `name` is what it is called there.
    #[pyo3(signature = (path, *, host, storage, content="iso", name=None, sha256=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn upload<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        host: String,
        storage: String,
        content: &str,
        name: Option<String>,
        sha256: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let place = calls::Place { host, storage, content: content.to_owned(), name };
        later(py, calls::upload(self.0.clone(), path, place, sha256))
    }

    /// Has a node fetch a file to a storage of it, and gives the operation when it is over.
    #[pyo3(signature = (url, *, host, storage, content="iso", name=None, sha256=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn download<'py>(
        &self,
        py: Python<'py>,
        url: String,
        host: String,
        storage: String,
        content: &str,
        name: Option<String>,
        sha256: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let place = calls::Place { host, storage, content: content.to_owned(), name };
        later(py, calls::download(self.0.clone(), url, place, sha256))
    }
}
