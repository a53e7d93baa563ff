//! The commands of a node: `pvesh`, `qm`, `pct`, `pvesm`, `pveversion`,
//! `ha-manager`, and what switches it off, over the same state and the same checks as the API.
//!
//! A command that is run on a node by SSH is a small script that calls the
//! program `pve-sim shim`, which asks here (over the control address) what to
//! print. Outputs of the commands are unrecorded; they follow the manual pages,
//! the API's texts are the recorded ones.

mod manager;
mod power;
mod pvesh;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::state::{Guest, Kind};
use crate::world::World;

/// A command to be answered.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ToolCall {
    /// The node it was run on.
    pub(crate) node: String,
    /// The command, such as `pvesh`.
    pub(crate) tool: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
}

/// What a command prints and how it ends.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct ToolOutput {
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
    /// Its exit status.
    pub(crate) code: u8,
    /// A command to run in place of it, where it only leads somewhere.
    #[serde(default)]
    pub(crate) instead: Vec<String>,
    /// The whole environment of that command.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
}

impl ToolOutput {
    fn printed(text: impl Into<String>) -> Self {
        Self { stdout: text.into(), ..Self::default() }
    }

    fn failed(code: u8, text: impl Into<String>) -> Self {
        Self { stderr: text.into(), code, ..Self::default() }
    }
}

/// Where a command runs.
pub(crate) struct Place {
    world: Arc<World>,
    cluster: usize,
    node: usize,
}

/// Answers a command, and waits for the task that it starts.
pub(crate) async fn run(world: &Arc<World>, call: ToolCall) -> ToolOutput {
    let Some(door) = world.doors.iter().find(|door| door.name == call.node) else {
        return ToolOutput::failed(255, format!("there is no node '{}'\n", call.node));
    };
    let place = Place { world: Arc::clone(world), cluster: door.cluster, node: door.node };
    let arguments: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    match (call.tool.as_str(), arguments.as_slice()) {
        ("pveversion", _) => ToolOutput::printed("pve-manager/9.1.8/a8e257e1ad64dd92 (running kernel: 6.17.4-2-pve)\n"),
        ("pvesh", _) => pvesh::run(&place, &arguments).await,
        ("pvesm", ["status", ..]) => place.storage_table(),
        ("qm", _) => place.guest_tool(Kind::Qemu, &arguments).await,
        ("pct", _) => place.guest_tool(Kind::Lxc, &arguments).await,
        ("ha-manager", _) => manager::run(&place, &arguments),
        ("systemctl" | "shutdown" | "poweroff" | "reboot", _) => power::run(&place, &call.tool, &arguments),
        (tool, rest) => ToolOutput::failed(255, format!("ERROR: unknown command '{tool} {}'\n", rest.join(" "))),
    }
}

impl Place {
    /// Asks the API on this node as root and waits for a task that it started.
    /// Gives the answer and the lines that the task logged.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        params: &[(String, String)],
    ) -> Result<(serde_json::Value, Vec<String>), Refusal> {
        let reply = {
            let mut cluster = self.world.cluster(self.cluster);
            pvesh::perform_as_root(&mut cluster, self.node, method, path, params)?
        };
        let upid = reply.as_str().filter(|text| text.starts_with("UPID:")).map(str::to_owned);
        let Some(upid) = upid else { return Ok((reply, Vec::new())) };
        loop {
            {
                let cluster = self.world.cluster(self.cluster);
                let Some(task) = cluster.tasks.find(&upid) else {
                    return Err(Refusal::died("task vanished"));
                };
                if let Some(status) = &task.status {
                    let good = status == "OK" || status.starts_with("WARNINGS");
                    return if good { Ok((reply, task.log.clone())) } else { Err(Refusal::died(status.clone())) };
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn guest_tool(&self, kind: Kind, arguments: &[&str]) -> ToolOutput {
        let tool = if kind == Kind::Qemu { "qm" } else { "pct" };
        match arguments {
            ["list", ..] => self.guest_table(kind),
            ["status", vmid, ..] => self.with_guest(kind, vmid, |guest| format!("status: {}\n", guest.status())),
            ["config", vmid, ..] => self.with_guest(kind, vmid, |guest| {
                guest.config.iter().map(|(key, value)| format!("{key}: {}\n", one_line(value))).collect()
            }),
            [verb @ ("start" | "stop" | "shutdown" | "reboot" | "suspend" | "resume"), vmid, ..] => {
                let node = self.world.cluster(self.cluster).nodes[self.node].name.clone();
                let path = format!("/nodes/{node}/{}/{vmid}/status/{verb}", kind.word());
                match self.ask("POST", &path, &[]).await {
                    Ok(_) => ToolOutput::default(),
                    Err(refusal) => ToolOutput::failed(pvesh::exit_code(&refusal), pvesh::complaint(&refusal)),
                }
            }
            ["exec", vmid, "--", command @ ..] | ["exec", vmid, command @ ..] if kind == Kind::Lxc => {
                self.exec(vmid, command).await
            }
            _ => ToolOutput::failed(255, format!("ERROR: unknown command '{tool} {}'\n", arguments.join(" "))),
        }
    }

    /// `pct exec`: the command itself then runs in a real shell, with the container's packages.
    async fn exec(&self, vmid: &str, command: &[&str]) -> ToolOutput {
        let checked = self.with_guest(Kind::Lxc, vmid, |guest| guest.status().to_owned());
        match (checked.code, checked.stdout.as_str(), command.is_empty()) {
            (0, "running", false) => {
                let machines = self.world.cluster(self.cluster).machines.clone();
                let name = vmid.to_owned();
                match tokio::task::spawn_blocking(move || machines.enter(&name)).await {
                    Ok(Ok(environment)) => {
                        let instead = command.iter().map(|word| (*word).to_owned()).collect();
                        ToolOutput { instead, environment, ..ToolOutput::default() }
                    }
                    Ok(Err(error)) => ToolOutput::failed(255, format!("lxc-attach: {error}\n")),
                    Err(error) => ToolOutput::failed(255, format!("lxc-attach: {error}\n")),
                }
            }
            (0, "running", true) => ToolOutput::failed(255, "400 not enough arguments\n"),
            (0, ..) => ToolOutput::failed(255, format!("Error: container '{vmid}' not running!\n")),
            _ => checked,
        }
    }

    fn with_guest(&self, kind: Kind, vmid: &str, print: impl Fn(&Guest) -> String) -> ToolOutput {
        let cluster = self.world.cluster(self.cluster);
        let found = cluster.guest(self.node, kind, vmid.parse().unwrap_or(0));
        match found {
            Ok(guest) => ToolOutput::printed(print(guest)),
            Err(refusal) => ToolOutput::failed(2, pvesh::complaint(&refusal)),
        }
    }

    fn guest_table(&self, kind: Kind) -> ToolOutput {
        let cluster = self.world.cluster(self.cluster);
        let here = cluster.guests.values().filter(|guest| guest.node == self.node && guest.kind == kind);
        let rows = here.map(|guest| {
            let (vmid, name, status) = (guest.vmid, guest.name(), guest.status());
            match kind {
                Kind::Qemu => {
                    let memory = guest.memory() >> 20;
                    let disk = guest.max_disk() as f64 / f64::from(1 << 30);
                    let pid = guest.running.as_ref().map_or(0, |running| running.pid);
                    format!("{vmid:>10} {name:<20} {status:<10} {memory:<10} {disk:>12.2} {pid:<10}\n")
                }
                Kind::Lxc => {
                    let lock = guest.lock.clone().unwrap_or_default();
                    format!("{vmid:<10} {status:<10} {lock:<12} {name:<20}\n")
                }
            }
        });
        let head = match kind {
            Kind::Qemu => format!(
                "{:>10} {:<20} {:<10} {:<10} {:>12} {:<10}\n",
                "VMID", "NAME", "STATUS", "MEM(MB)", "BOOTDISK(GB)", "PID"
            ),
            Kind::Lxc => format!("{:<10} {:<10} {:<12} {:<20}\n", "VMID", "Status", "Lock", "Name"),
        };
        ToolOutput::printed(rows.fold(head, |table, row| table + &row))
    }

    fn storage_table(&self) -> ToolOutput {
        let cluster = self.world.cluster(self.cluster);
        let mut table = format!(
            "{:<20} {:>10} {:>10} {:>15} {:>15} {:>15} {:>8}\n",
            "Name", "Type", "Status", "Total (KiB)", "Used (KiB)", "Available (KiB)", "%"
        );
        for (index, storage) in cluster.storages.iter().enumerate() {
            let used = crate::figures::storage_used(&cluster, index, self.node);
            let percent = used as f64 / storage.total as f64 * 100.0;
            table.push_str(&format!(
                "{:<20} {:>10} {:>10} {:>15} {:>15} {:>15} {percent:>7.2}%\n",
                storage.name,
                storage.plugin,
                "active",
                storage.total >> 10,
                used >> 10,
                (storage.total - used) >> 10
            ));
        }
        ToolOutput::printed(table)
    }
}

/// A value in a configuration file: line ends are written `%0A`.
fn one_line(value: &serde_json::Value) -> String {
    crate::params::plain(value).replace('%', "%25").replace('\n', "%0A")
}
