//! `guest scale`, `grow-disk`, `clone`, `back-up`, `tag` and `delete`.

use clap::{Args, ValueEnum};
use reanimator_core::model::{Action, BackupMode, GuestChange};

use super::{
    guest_power::{self, PowerArgs},
    operate,
};
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
};

/// What `guest scale` takes.
#[derive(Debug, Args)]
pub(crate) struct ScaleArgs {
    #[command(flatten)]
    on: PowerArgs,
    /// Cores: of each socket of a VM, of a container in all
    #[arg(long, value_name = "NUMBER", required_unless_present_any = ["memory", "balloon"])]
    cores: Option<u32>,
    /// Memory in MiB
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// The least memory in MiB that a VM's balloon leaves it
    #[arg(long, value_name = "MIB")]
    balloon: Option<u64>,
}

/// What `guest grow-disk` takes.
#[derive(Debug, Args)]
pub(crate) struct GrowDiskArgs {
    #[command(flatten)]
    on: PowerArgs,
    /// Which disk: scsi0, rootfs, mp1
    #[arg(long, value_name = "DISK")]
    disk: String,
    /// How large it is to be, in GiB
    #[arg(long, value_name = "GIB")]
    to: u64,
}

/// What `guest clone` takes.
#[derive(Debug, Args)]
pub(crate) struct CloneArgs {
    #[command(flatten)]
    of: OneArgs,
    /// What the other is called
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The number of the other [default: the next one that is free]
    #[arg(long, value_name = "NUMBER")]
    vmid: Option<u32>,
    /// The node it is put on [default: the same one]
    #[arg(long, value_name = "HOST")]
    to: Option<String>,
    /// Where its disks are put [default: where those of the first are]
    #[arg(long, value_name = "STORAGE", conflicts_with = "linked")]
    storage: Option<String>,
    /// Of which snapshot [default: what it is now]
    #[arg(long, value_name = "SNAPSHOT")]
    snapshot: Option<String>,
    /// Base its disks on those of a template, rather than copy them
    #[arg(long)]
    linked: bool,
}

/// What `guest back-up` takes.
#[derive(Debug, Args)]
pub(crate) struct BackUpArgs {
    #[command(flatten)]
    on: PowerArgs,
    /// On which storage
    #[arg(long, value_name = "STORAGE")]
    storage: String,
    /// How the guest is held meanwhile
    #[arg(long, value_enum, default_value_t = Mode::Snapshot)]
    mode: Mode,
    /// What to say of the backup
    #[arg(long, value_name = "TEXT", default_value = "")]
    notes: String,
}

/// How a guest is held while it is backed up.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// It goes on
    Snapshot,
    /// It is frozen for a while
    Suspend,
    /// It is shut down, and started afterwards
    Stop,
}

/// What `guest tag` takes.
#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    #[command(flatten)]
    on: PowerArgs,
    /// A tag that they are to have; may be given several times
    #[arg(long, value_name = "TAG", required_unless_present = "remove")]
    add: Vec<String>,
    /// A tag that they are to have no more; may be given several times
    #[arg(long, value_name = "TAG")]
    remove: Vec<String>,
}

/// What `guest delete` takes.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    which: OneArgs,
    /// Its name, once more: asked for on a terminal where it is not given
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Leave it in backup jobs, replication and high availability
    #[arg(long)]
    no_purge: bool,
}

/// Which guest.
#[derive(Debug, Args)]
struct OneArgs {
    /// The guest's number, name or id
    #[arg(value_name = "GUEST")]
    guest: String,
    /// The node it is on, where several clusters have that number
    #[arg(long, value_name = "HOST")]
    node: Option<String>,
    #[command(flatten)]
    how: operate::How,
}

/// Gives guests more or less.
pub(crate) async fn scale(args: ScaleArgs, context: &Context) -> Result<Done, Failure> {
    let change = GuestChange::Scale { cores: args.cores, memory_mib: args.memory, balloon_mib: args.balloon };
    guest_power::run(&args.on, &change, context).await
}

/// Makes a disk larger.
pub(crate) async fn grow_disk(args: GrowDiskArgs, context: &Context) -> Result<Done, Failure> {
    guest_power::run(&args.on, &GuestChange::GrowDisk { disk: args.disk, to_gib: args.to }, context).await
}

/// Makes backups now.
pub(crate) async fn back_up(args: BackUpArgs, context: &Context) -> Result<Done, Failure> {
    let mode = match args.mode {
        Mode::Snapshot => BackupMode::Snapshot,
        Mode::Suspend => BackupMode::Suspend,
        Mode::Stop => BackupMode::Stop,
    };
    let change = GuestChange::BackUp { storage: args.storage, mode, notes: args.notes };
    guest_power::run(&args.on, &change, context).await
}

/// Gives tags and takes some away.
pub(crate) async fn tag(args: TagArgs, context: &Context) -> Result<Done, Failure> {
    guest_power::run(&args.on, &GuestChange::Tag { add: args.add, remove: args.remove }, context).await
}

/// Makes another of a guest.
pub(crate) async fn clone(args: CloneArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let id = fleet.guest(args.of.node.as_deref(), &args.of.guest).await?.id;
    let to = match args.to {
        Some(host) => Some(fleet.host(&host).await?.host.id),
        None => None,
    };
    let (name, vmid, storage, snapshot, full) = (args.name, args.vmid, args.storage, args.snapshot, !args.linked);
    let change = GuestChange::Clone { name, vmid, to, storage, snapshot, full };
    take(Action::Guest { id, change }, &args.of.how, context).await
}

/// Deletes a guest, once its name was typed.
pub(crate) async fn delete(args: DeleteArgs, context: &Context) -> Result<Done, Failure> {
    let guest = context.fleet().await?.guest(args.which.node.as_deref(), &args.which.guest).await?;
    let name = guest.name.unwrap_or(guest.vmid);
    let confirm = match args.confirm {
        Some(typed) => typed,
        None if args.which.how.dry_run => name,
        None if ask::somebody_is_there() => {
            ask::name(&format!("Guest {name} and all its disks will be gone for good."))?
        }
        None => {
            let cause = "it cannot be taken back, and nobody can be asked";
            return Err(usage(&format!("delete guest {name}"), cause, format!("give --confirm {name}")));
        }
    };
    let action = Action::Guest { id: guest.id, change: GuestChange::Delete { confirm, purge: !args.no_purge } };
    take(action, &args.which.how, context).await
}

async fn take(action: Action, how: &operate::How, context: &Context) -> Result<Done, Failure> {
    operate::run(vec![action.into()], how, context).await
}
