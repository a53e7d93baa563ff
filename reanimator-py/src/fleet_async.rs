//! `AsyncFleet`: the same methods as `Fleet`, as awaitables.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::{
    arguments::{self, HostArguments, KeyFiles, ProxmoxArguments},
    calls,
    waiting::later,
};

/// The machines that are looked after, for asyncio: every method gives an awaitable.
#[pyclass(frozen, module = "reanimator")]
#[derive(Debug)]
pub(crate) struct AsyncFleet(reanimator_core::Fleet);

#[pymethods]
impl AsyncFleet {
    /// Opens the fleet kept in `data_dir`, and makes it on first use, with this very machine as its first host.
    ///
    /// Defaults to the user's data directory, as the command line does.
    #[staticmethod]
    #[pyo3(signature = (data_dir=None))]
    fn open(py: Python<'_>, data_dir: Option<PathBuf>) -> PyResult<Bound<'_, PyAny>> {
        later(py, async move { calls::open(data_dir).await.map(Self) })
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
}
