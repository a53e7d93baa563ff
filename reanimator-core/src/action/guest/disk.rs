//! Disks of VMs and containers made larger.
//!
//! The size that is asked for is the one that the disk is to have, so asking twice makes it no larger than asking once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Place, said},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::guest_devices,
    fleet::Fleet,
    model::{
        Action, GuestId, GuestKind,
        facts::guest::{GuestDisk, GuestDiskKind},
    },
    transport::http::Request,
};

/// The largest size that makes sense in GiB: 1 PiB.
const MOST_GIB: u64 = 1 << 20;

/// One disk growing.
pub(super) struct GrowEffect {
    at: Place,
    disk: String,
    to_gib: u64,
    words: String,
}

impl GrowEffect {
    pub(super) async fn new(fleet: &Fleet, id: &GuestId, action: &Action, disk: &str, to_gib: u64) -> Result<Self> {
        let at = Place::of(fleet, id, "grow a disk of guest").await?;
        Ok(Self { words: action.words_with(|_| at.name.clone()), at, disk: disk.to_owned(), to_gib })
    }

    /// Its disks, and what locks it.
    async fn look(&self) -> Result<(Vec<GuestDisk>, Option<String>)> {
        let (config, data) = self.at.config().await?;
        Ok((guest_devices::disks(&data, &BTreeMap::new())?, config.lock))
    }

    fn request(&self) -> Request {
        let request = Request::put(self.at.path(&["resize"]));
        request.param("disk", self.disk.as_str()).param("size", format!("{}G", self.to_gib))
    }

    fn problem(&self, disks: &[GuestDisk], disk: Option<&GuestDisk>) -> Option<String> {
        let name = &self.disk;
        let Some(disk) = disk else {
            let names: Vec<&str> = disks.iter().filter(|disk| can_grow(disk)).map(|disk| &*disk.disk_name).collect();
            return Some(format!("has no disk {name}; it has {}", names.join(", ")));
        };
        if !can_grow(disk) {
            return Some(format!("has {name} for something else than a disk that can grow"));
        }
        let Some(size) = disk.size_gb else {
            return Some(format!("has a disk {name} whose size is not told: grow it where it is kept"));
        };
        if self.to_gib > MOST_GIB {
            return Some(format!("cannot have a disk of {} GiB: {MOST_GIB} are the most", self.to_gib));
        }
        let shrinks = size > gib(self.to_gib);
        shrinks.then(|| format!("has {size} GiB on {name}, and no disk can be made smaller"))
    }
}

#[async_trait]
impl Effect for GrowEffect {
    async fn check(&self) -> Result<Check> {
        let (disks, lock) = self.look().await?;
        let disk = disks.iter().find(|disk| disk.disk_name == self.disk);
        if let Some(problem) = self.problem(&disks, disk) {
            return Ok(self.at.refuse(&problem));
        }
        let size = disk.and_then(|disk| disk.size_gb).unwrap_or_default();
        if size >= gib(self.to_gib) {
            return Ok(Check::Already(format!("{} has {size} GiB already", self.disk)));
        }
        if let Some(lock) = lock {
            return Ok(self.at.refuse(&format!("is locked by Proxmox: {lock}")));
        }
        let newest = self.at.newest_task().await?;
        Ok(Check::Ready {
            before: json!({ "node": self.at.node, "newest_task": newest, "size_gib": size }),
            calls: vec![said(&self.request())],
        })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        self.at.begin(self.request(), &self.words).await
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        self.at.find(before, &["resize"]).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.at.api.as_ref(), handle, said).await
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let (disks, _) = self.look().await?;
        let size = disks.iter().find(|disk| disk.disk_name == self.disk).and_then(|disk| disk.size_gb);
        match size {
            Some(size) if size >= gib(self.to_gib) => Ok(match self.at.kind {
                GuestKind::Qemu => {
                    format!("{} has {size} GiB; partitions and file systems in it are as they were", self.disk)
                }
                GuestKind::Lxc => format!("{} has {size} GiB", self.disk),
            }),
            _ => Err(Error::new(ErrorKind::Conflict, self.words.clone())
                .because(match size {
                    Some(size) => format!("its task ended well, and yet it has {size} GiB"),
                    None => "its task ended well, and yet its size is not told".to_owned(),
                })
                .next("look at its disks with `reanimator guest show`")),
        }
    }

    /// Nothing makes a disk smaller.
    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}

fn can_grow(disk: &GuestDisk) -> bool {
    matches!(disk.kind, GuestDiskKind::Disk | GuestDiskKind::RootFs | GuestDiskKind::MountPoint)
}

#[expect(clippy::cast_precision_loss, reason = "far below what a double holds exactly")]
fn gib(size: u64) -> f64 {
    size as f64
}
