//! The way to a machine's terminal: its shell where it has one, else the console that Proxmox has of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fleet, GuestSelector, Selector, WayToGuest, settings::in_range};
use crate::{
    Error, ErrorKind, Result,
    host::pve::{ConsoleOf, open_console},
    model::{GuestId, GuestStatus, HostId, Link, Machine, TerminalSize, TerminalWay},
    transport::Pty,
};

/// How long terminals stay, and whether they are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TerminalSettings {
    /// Whether what is shown is recorded where nobody says otherwise. Defaults to no.
    pub record: bool,
    /// For how many minutes a terminal stays open that nobody looks at. Defaults to 10.
    pub unseen_minutes: u32,
    /// For how many hours a terminal stays open in which nobody types. Defaults to 8.
    pub idle_hours: u32,
}

impl Default for TerminalSettings {
    fn default() -> Self {
        Self { record: false, unseen_minutes: 10, idle_hours: 8 }
    }
}

/// What to change of [`TerminalSettings`]; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TerminalChange {
    /// Whether terminals are recorded.
    pub record: Option<bool>,
    /// While nobody looks, in minutes: 1 to 1440.
    pub unseen_minutes: Option<u32>,
    /// While nobody types, in hours: 1 to 168.
    pub idle_hours: Option<u32>,
}

impl TerminalChange {
    /// What is to change, in words.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        let record = self.record.map(|record| format!("record {}", if record { "yes" } else { "no" }));
        let minutes = self.unseen_minutes.map(|minutes| format!("unseen_minutes {minutes}"));
        let hours = self.idle_hours.map(|hours| format!("idle_hours {hours}"));
        [record, minutes, hours].into_iter().flatten()
    }
}

impl TerminalSettings {
    /// With the change made, if what comes of it can be.
    pub(super) fn with(self, change: TerminalChange) -> Result<Self> {
        let after = Self {
            record: change.record.unwrap_or(self.record),
            unseen_minutes: change.unseen_minutes.unwrap_or(self.unseen_minutes),
            idle_hours: change.idle_hours.unwrap_or(self.idle_hours),
        };
        in_range("unseen_minutes", after.unseen_minutes, 24 * 60, "minutes")?;
        in_range("idle_hours", after.idle_hours, 7 * 24, "hours")?;
        Ok(after)
    }

    /// While nobody looks.
    pub(crate) fn unseen(&self) -> Duration {
        Duration::from_secs(u64::from(self.unseen_minutes) * 60)
    }

    /// While nobody types.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_hours) * 60 * 60)
    }
}

/// A terminal that was opened.
#[derive(Debug)]
pub(crate) struct OpenPty {
    /// It.
    pub(crate) pty: Pty,
    /// What its machine is called.
    pub(crate) name: String,
    /// How it is reached.
    pub(crate) way: TerminalWay,
}

impl Fleet {
    /// The machine that people call so: `host:ID`, `guest:CONNECTION:VMID`, a host's name or id, else a guest's name,
    /// number or id.
    ///
    /// # Errors
    /// `NotFound` where nothing is called so, `Conflict` where several guests are.
    pub async fn machine_called(&self, text: &str) -> Result<Machine> {
        if let Ok(machine) = text.parse::<Machine>() {
            return Ok(machine);
        }
        let not_found = match self.select(&Selector::name(text)).await {
            Ok(_) => return Ok(Machine::Host(self.find(text).await?.id)),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(error) => error,
        };
        let Ok(selector) = format!("name:{text}").parse::<GuestSelector>() else { return Err(not_found) };
        let mut guests = self.guests().await?;
        guests.retain(|guest| selector.covers(guest));
        match guests.as_slice() {
            [] => Err(Error::new(ErrorKind::NotFound, format!("find the machine {text:?}"))
                .because("neither a host nor a guest is called so")
                .next("see `reanimator host list` and `reanimator guest list`")),
            [guest] => Ok(Machine::Guest(guest.id.clone())),
            several => {
                let ids: Vec<String> = several.iter().take(8).map(|guest| format!("guest:{}", guest.id)).collect();
                Err(Error::new(ErrorKind::Conflict, format!("find the machine {text:?}"))
                    .because(format!("{} guests are called so: {}", several.len(), ids.join(", ")))
                    .next("name one of these"))
            }
        }
    }

    /// Opens a terminal of a machine, on a way of its own.
    ///
    /// # Errors
    /// `NotFound` for a machine that is not in the fleet, `Conflict` for a guest that does not run or has no serial port,
    /// and what keeps the far side from giving one.
    pub(crate) async fn open_pty(&self, machine: &Machine, size: TerminalSize) -> Result<OpenPty> {
        match machine {
            Machine::Host(id) => self.open_host_pty(id, size).await,
            Machine::Guest(id) => self.open_guest_pty(id, size).await,
        }
    }

    /// A host's shell goes before its console: it needs no second log-in. Where it gives none, and the host is a node of a
    /// cluster too, its console does.
    async fn open_host_pty(&self, id: &HostId, size: TerminalSize) -> Result<OpenPty> {
        let ways = self.host_ways(id).await?;
        let name = ways.name.clone();
        let shell = async {
            let machine = ways.machine.as_ref()?;
            let is_local = ways.is_this_machine && !self.has_ssh_first(id);
            let way = if is_local { TerminalWay::Local } else { TerminalWay::Ssh };
            Some(machine.transport().open_pty(size).await.map(|pty| (pty, way)))
        };
        let console = async {
            let node = ways.node.as_ref()?;
            let opened = open_console(node.api.as_ref(), &node.name, ConsoleOf::Node, size).await;
            Some(opened.map(|pty| (pty, TerminalWay::Console)))
        };
        let (pty, way) = first_of(shell, console).await.map_err(|error| error.renamed(name.clone()))?;
        Ok(OpenPty { pty, name, way })
    }

    /// Whether a host's first way to a shell is SSH.
    fn has_ssh_first(&self, id: &HostId) -> bool {
        self.read(|world| {
            let links = world.hosts.get(id).map(|known| known.host.links.as_slice()).unwrap_or_default();
            let shell = links.iter().find(|link| matches!(link, Link::Local { .. } | Link::Ssh { .. }));
            matches!(shell, Some(Link::Ssh { .. }))
        })
    }

    async fn open_guest_pty(&self, id: &GuestId, size: TerminalSize) -> Result<OpenPty> {
        let WayToGuest { api, vmid, name, .. } = self.way_to_guest(id).await?;
        let name = name.unwrap_or_else(|| vmid.clone());
        let refuse = |kind, cause: &str, next: &str| {
            Error::new(kind, "open a terminal").on(name.clone()).because(cause).next(next)
        };
        let guest = self.guest_by_id(id).await?.ok_or_else(|| {
            refuse(ErrorKind::NotFound, "its cluster knows no such guest", "see `reanimator guest list`")
        })?;
        if guest.template {
            return Err(refuse(ErrorKind::Conflict, "it is a template, which never runs", "open one of its clones"));
        }
        // What was seen last may be some seconds old: only what is certain is refused here, the rest by the far side.
        if guest.status == GuestStatus::Stopped {
            return Err(refuse(ErrorKind::Conflict, "it is stopped", "start it first: `reanimator guest start`"));
        }
        let of = ConsoleOf::Guest { kind: guest.kind, vmid: &vmid };
        let opened = open_console(api.as_ref(), &guest.node, of, size).await;
        let pty = opened.map_err(|error| error.renamed(name.clone()))?;
        Ok(OpenPty { pty, name, way: TerminalWay::Console })
    }
}

/// What the shell gives where there is one, else what the console gives; where both fail, why both do.
async fn first_of<T>(
    shell: impl Future<Output = Option<Result<T>>>,
    console: impl Future<Output = Option<Result<T>>>,
) -> Result<T> {
    let trouble = match shell.await {
        Some(Ok(opened)) => return Ok(opened),
        Some(Err(error)) => Some(error),
        None => None,
    };
    match (trouble, console.await) {
        (_, Some(Ok(opened))) => Ok(opened),
        (Some(error), Some(Err(second))) => {
            Err(error.noting(format!("its console gives none either: {}", crate::message(&second))))
        }
        (Some(error), None) | (None, Some(Err(error))) => Err(error),
        (None, None) => Err(Error::new(ErrorKind::Invalid, "open a terminal")
            .because("no way to it is known")
            .next("add its SSH access with `reanimator host add`")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use std::future::ready;

    use super::*;

    #[tokio::test]
    async fn the_console_is_tried_where_the_shell_gives_none() {
        fn refused<T>(cause: &str) -> Option<Result<T>> {
            Some(Err(Error::new(ErrorKind::Denied, "open a terminal").because(cause)))
        }
        assert_eq!(first_of(ready(Some(Ok("shell"))), ready(Some(Ok("console")))).await.unwrap(), "shell");
        assert_eq!(first_of(ready(refused("no pty")), ready(Some(Ok("console")))).await.unwrap(), "console");
        assert_eq!(first_of(ready(None), ready(Some(Ok("console")))).await.unwrap(), "console");
        let both = first_of::<()>(ready(refused("no pty")), ready(refused("no ticket"))).await.unwrap_err();
        let said = crate::message(&both);
        assert!(said.contains("no pty") && said.contains("no ticket"), "{said}");
        let one = first_of::<()>(ready(refused("no pty")), ready(None)).await.unwrap_err();
        assert_eq!(one.kind(), ErrorKind::Denied);
        assert_eq!(first_of::<()>(ready(None), ready(None)).await.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn settings_have_bounds_and_words() {
        let change = TerminalChange { record: Some(true), unseen_minutes: Some(30), idle_hours: None };
        let after = TerminalSettings::default().with(change).unwrap();
        assert_eq!(after, TerminalSettings { record: true, unseen_minutes: 30, idle_hours: 8 });
        assert_eq!(change.words().collect::<Vec<_>>(), ["record yes", "unseen_minutes 30"]);
        for unseen_minutes in [0, 24 * 60 + 1] {
            let change = TerminalChange { unseen_minutes: Some(unseen_minutes), ..TerminalChange::default() };
            assert_eq!(after.with(change).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
