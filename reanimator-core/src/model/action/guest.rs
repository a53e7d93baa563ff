//! What can be done with VMs and containers.

use serde::{Deserialize, Serialize};

use super::{super::ids::HostId, Risk};

/// What can be done with a VM or container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum GuestChange {
    /// Starts it.
    Start,
    /// Pulls its plug.
    Stop,
    /// Asks its system to shut down.
    Shutdown {
        /// How long it may take. Defaults to 60 seconds.
        #[serde(default = "minute")]
        limit_seconds: u32,
        /// Whether its plug is pulled when it takes longer. Defaults to not.
        #[serde(default)]
        then_stop: bool,
    },
    /// Asks its system to start anew.
    Reboot {
        /// How long it may take to go down. Defaults to 60 seconds.
        #[serde(default = "minute")]
        limit_seconds: u32,
    },
    /// Freezes it; its memory stays where it is.
    Suspend,
    /// Lets it go on.
    Resume,
    /// Moves it to another node of its cluster.
    Migrate {
        /// To which node.
        to: HostId,
        /// How. Defaults to what disturbs it least.
        #[serde(default)]
        mode: MigrationMode,
        /// Whether disks on storage of its node are copied along. Defaults to not: then such a guest is refused.
        #[serde(default)]
        local_disks: bool,
        /// Where its disks go. Defaults to storages of the same names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        storage: Option<String>,
    },
    /// Moves it to a node of another cluster; there it has a number of its own.
    RemoteMigrate {
        /// To which node.
        to: HostId,
        /// Where its disks go.
        storage: String,
        /// Which bridge its network cards hang on there.
        bridge: String,
        /// Its number there. Defaults to the one it has, where that is free there, else the next one that is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vmid: Option<u32>,
        /// Whether it stays here too, stopped. Defaults to not.
        #[serde(default)]
        keep: bool,
        /// Whether it goes on running on its way. A VM does so live; a container is restarted. Defaults to not.
        #[serde(default)]
        online: bool,
    },
    /// Gives it more processors or memory, or less.
    Scale {
        /// Cores: of each socket of a VM, of a container in all. Defaults to as many as it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cores: Option<u32>,
        /// Memory in MiB. Defaults to as much as it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory_mib: Option<u64>,
        /// The least memory that a VM's balloon leaves it, in MiB. Defaults to as much as it has, and to all its memory where
        /// that is less.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        balloon_mib: Option<u64>,
    },
    /// Makes one of its disks larger. None can be made smaller.
    GrowDisk {
        /// Which one: `scsi0`, `rootfs`.
        disk: String,
        /// How large it is to be, in GiB.
        to_gib: u64,
    },
    /// Makes another of it.
    Clone {
        /// What the other is called.
        name: String,
        /// The number of the other. Defaults to the next one that is free.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vmid: Option<u32>,
        /// On which node. Defaults to the same one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<HostId>,
        /// Where its disks are put. Defaults to where those of the first are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        storage: Option<String>,
        /// Of which snapshot. Defaults to what it is now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<String>,
        /// Whether its disks are copied rather than based on those of a template. Defaults to copied.
        #[serde(default = "yes")]
        full: bool,
    },
    /// Makes a backup of it now.
    BackUp {
        /// On which storage.
        storage: String,
        /// How it is held meanwhile. Defaults to going on.
        #[serde(default)]
        mode: BackupMode,
        /// What people say of it. Defaults to nothing.
        #[serde(default)]
        notes: String,
    },
    /// Gives it tags, and takes some away.
    Tag {
        /// Which it is to have.
        #[serde(default)]
        add: Vec<String>,
        /// Which it is to have no more.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Deletes it with all its disks.
    Delete {
        /// Its name, typed by whoever wants it gone: it must be the one it has.
        confirm: String,
        /// Whether backup jobs, replication and high availability forget it too. Defaults to so.
        #[serde(default = "yes")]
        purge: bool,
    },
}

/// How a guest is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MigrationMode {
    /// A running VM live, a running container by restarting it, one that does not run offline.
    #[default]
    Auto,
    /// While it runs; VMs only.
    Live,
    /// It is shut down, moved, and started; containers only.
    Restart,
    /// While it does not run.
    Offline,
}

/// How a guest is held while it is backed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BackupMode {
    /// It goes on.
    #[default]
    Snapshot,
    /// It is frozen for a while.
    Suspend,
    /// It is shut down, and started afterwards.
    Stop,
}

const fn minute() -> u32 {
    60
}

const fn yes() -> bool {
    true
}

impl GuestChange {
    pub(super) const fn risk(&self) -> Risk {
        match self {
            Self::Start
            | Self::Resume
            | Self::GrowDisk { .. }
            | Self::Clone { .. }
            | Self::Tag { .. }
            | Self::BackUp { mode: BackupMode::Snapshot, .. }
            | Self::Migrate { mode: MigrationMode::Live | MigrationMode::Offline, .. } => Risk::Low,
            Self::Stop
            | Self::Shutdown { .. }
            | Self::Reboot { .. }
            | Self::Suspend
            | Self::Migrate { .. }
            | Self::RemoteMigrate { .. }
            | Self::Scale { .. }
            | Self::BackUp { .. } => Risk::Disruptive,
            Self::Delete { .. } => Risk::Destructive,
        }
    }

    /// What it is, of guest `name`; `host` gives the name of a host.
    pub(super) fn words(&self, name: &str, host: impl Fn(&HostId) -> String) -> String {
        match self {
            Self::Start => format!("start guest {name}"),
            Self::Stop => format!("stop guest {name}"),
            Self::Shutdown { .. } => format!("shut down guest {name}"),
            Self::Reboot { .. } => format!("reboot guest {name}"),
            Self::Suspend => format!("suspend guest {name}"),
            Self::Resume => format!("resume guest {name}"),
            Self::Migrate { to, .. } => format!("migrate guest {name} to {}", host(to)),
            Self::RemoteMigrate { to, .. } => format!("migrate guest {name} to {} in another cluster", host(to)),
            Self::Scale { cores, memory_mib, balloon_mib } => {
                let cores = cores.map(|cores| format!("{cores} cores"));
                let memory = memory_mib.map(|memory| format!("{memory} MiB of memory"));
                let balloon = balloon_mib.map(|least| format!("a balloon that leaves it {least} MiB"));
                let all: Vec<String> = cores.into_iter().chain(memory).chain(balloon).collect();
                format!("give guest {name} {}", all.join(" and "))
            }
            Self::GrowDisk { disk, to_gib } => format!("grow disk {disk} of guest {name} to {to_gib} GiB"),
            Self::Clone { name: other, .. } => format!("clone guest {name} as {other}"),
            Self::BackUp { storage, .. } => format!("back up guest {name} to {storage}"),
            Self::Tag { add, remove } => {
                let add = add.iter().map(|tag| format!("+{tag}"));
                let tags: Vec<String> = add.chain(remove.iter().map(|tag| format!("-{tag}"))).collect();
                format!("tag guest {name} {}", tags.join(" "))
            }
            Self::Delete { .. } => format!("delete guest {name}"),
        }
    }
}
