//! Where disks go: storages that are there, take them, and have room; and disks that cannot go.

use std::collections::BTreeMap;

use super::case::{Case, How, Landing};
use crate::model::{
    Action, Bytes, GuestChange, GuestKind, HostId, Objection, Rule,
    scene::{SceneDisk, SceneGuest},
};

/// A storage that something needs on a host.
#[derive(Default)]
struct Need {
    /// What it must be able to hold.
    content: Option<&'static str>,
    /// Room for what is written there.
    room: Bytes,
    /// Whether something is written there whose size nobody knows.
    unknown: bool,
}

/// A storage that is missing, or does not take what comes, stops everything; one that may become full does much later,
/// and then for all who use it.
pub(super) fn storage(case: &Case<'_>) -> Vec<Objection> {
    let mut objections: Vec<Objection> = Vec::new();
    for landing in &case.landings {
        objections.extend(judge(case, landing.to, &needs(landing), &format!("guest {}", landing.guest.name)));
    }
    if let Some((on, needs, who)) = other_needs(case) {
        objections.extend(judge(case, on, &needs, &who));
    }
    objections
}

/// The storages that a guest needs where it comes to.
fn needs<'a>(landing: &Landing<'a>) -> BTreeMap<&'a str, Need> {
    let mut needs: BTreeMap<&str, Need> = BTreeMap::new();
    let holds = holds(landing.guest.kind);
    for disk in &landing.guest.disks {
        let Some(own) = disk.storage.as_deref() else { continue };
        let (name, written) = match landing.how {
            How::Remote { storage, .. } if !disk.cdrom => (storage, true),
            How::Copy { storage, full: true } if !disk.cdrom => (storage.unwrap_or(own), true),
            How::Move { disks: true, storage } if !disk.shared && !disk.cdrom => (storage.unwrap_or(own), true),
            How::Move { .. } | How::Along if disk.shared => (own, false),
            // A copy that is based on the first has its disks beside those.
            How::Copy { full: false, .. } if !disk.cdrom => (own, false),
            _ => continue,
        };
        let need = needs.entry(name).or_default();
        need.content = if disk.cdrom { need.content } else { Some(holds) };
        need.unknown |= written && disk.size.is_none();
        need.room = need.room + disk.size.filter(|_| written).unwrap_or_default();
    }
    needs
}

const fn holds(kind: GuestKind) -> &'static str {
    match kind {
        GuestKind::Qemu => "images",
        GuestKind::Lxc => "rootdir",
    }
}

/// The storages that an action needs which brings nothing elsewhere.
fn other_needs<'a>(case: &Case<'a>) -> Option<(&'a HostId, BTreeMap<&'a str, Need>, String)> {
    if let Action::Storage { host, storage, content, name, .. } = case.action {
        let need = Need { content: Some(content.as_str()), ..Need::default() };
        return Some((host, [(storage.as_str(), need)].into(), name.clone()));
    }
    let (_, guest) = case.guest()?;
    let (storage, need) = match case.change()? {
        GuestChange::BackUp { storage, .. } => (storage.as_str(), Need { content: Some("backup"), ..Need::default() }),
        GuestChange::GrowDisk { disk, to_gib } => growth(guest, disk, *to_gib)?,
        _ => return None,
    };
    Some((&guest.host, [(storage, need)].into(), format!("guest {}", guest.name)))
}

fn growth<'a>(guest: &'a SceneGuest, disk: &str, to_gib: u64) -> Option<(&'a str, Need)> {
    let disk = guest.disks.iter().find(|known| known.name == disk)?;
    let room = Bytes(to_gib.saturating_mul(1 << 30).saturating_sub(disk.size.unwrap_or_default().0));
    Some((disk.storage.as_deref()?, Need { content: None, room, unknown: false }))
}

/// What speaks against it that `who` has all that on a host.
fn judge(case: &Case<'_>, on: &HostId, needs: &BTreeMap<&str, Need>, who: &str) -> Vec<Objection> {
    let Some(host) = case.scene.hosts.get(on) else { return Vec::new() };
    let Some(node) = &host.node else { return Vec::new() };
    let (never, maybe) =
        (|why| Some(Objection::for_good(Rule::Storage, why)), |why| Some(Objection::new(Rule::Storage, why)));
    let judged = needs.iter().filter_map(|(name, need)| {
        let at = format!("storage {name} of {}", host.name);
        let Some(storage) = node.storages.get(*name) else {
            return never(format!("{} has no storage {name}, which {who} needs", host.name));
        };
        match need.content {
            _ if !storage.active => return never(format!("{at} cannot be used now")),
            Some(content) if !storage.content.contains(content) => {
                return never(format!("{at} holds no {content}, which {who} needs"));
            }
            _ if need.unknown => return maybe(format!("nobody knows how large the disks of {who} are")),
            _ if need.room.0 == 0 => return None,
            _ => {}
        }
        match storage.free {
            None => maybe(format!("nobody knows how much room {at} has")),
            Some(free) if free < need.room => maybe(format!("{at} has room for {free}, and {who} needs {}", need.room)),
            Some(_) => None,
        }
    });
    judged.collect()
}

/// What lies on its node only stays there, unless it is copied along.
pub(super) fn local_disks(case: &Case<'_>) -> Vec<Objection> {
    case.landings.iter().filter_map(|landing| left_behind(case, landing)).collect()
}

fn left_behind(case: &Case<'_>, landing: &Landing<'_>) -> Option<Objection> {
    let guest = landing.guest;
    let elsewhere = guest.host != *landing.to;
    let stays = |disk: &&SceneDisk| {
        let bound = disk.storage.is_none() || (disk.cdrom && !disk.shared);
        match landing.how {
            How::Move { disks: true, .. } => bound,
            How::Move { disks: false, .. } | How::Along => !disk.shared,
            // A drive comes there empty.
            How::Remote { .. } => disk.storage.is_none(),
            How::Copy { .. } => elsewhere && !disk.shared,
        }
    };
    let disks: Vec<&str> = guest.disks.iter().filter(stays).map(|disk| disk.name.as_str()).collect();
    (!disks.is_empty()).then(|| {
        let on = case.scene.host_name(&guest.host);
        let copied = matches!(landing.how, How::Move { disks: false, .. });
        let hint = if copied { "; they may be copied along" } else { "" };
        let why = format!("guest {} has disks that only {on} has: {}{hint}", guest.name, disks.join(", "));
        Objection::for_good(Rule::LocalDisks, why)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, guest, lab, migrate, node, words};
    use crate::model::{
        Action, BackupMode, Bytes, GuestChange, MigrationMode, Rule, StorageChange, StorageContent, scene::SceneDisk,
    };

    const NONE: [&str; 0] = [];
    const GIB: u64 = 1 << 30;

    fn with_disks(name: &str, to: &str, storage: Option<&str>) -> Action {
        let storage = storage.map(str::to_owned);
        change(name, GuestChange::Migrate { to: to.into(), mode: MigrationMode::Auto, local_disks: true, storage })
    }

    fn clone(to: Option<&str>, full: bool) -> Action {
        let to = to.map(Into::into);
        let (name, vmid, storage, snapshot) = ("copy".into(), None, None, None);
        change("mail", GuestChange::Clone { name, vmid, to, storage, snapshot, full })
    }

    #[test]
    fn a_target_has_the_storage_and_room_on_it() {
        let mut scene = lab();
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Storage), NONE);
        node(&mut scene, "pve2").storages.remove("shared");
        let why = "pve2 has no storage shared, which guest mail needs";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Storage), [why]);
        assert_eq!(words(&scene, &with_disks("dns", "pve2", None), Rule::Storage), NONE);
        let local = node(&mut scene, "pve2").storages.get_mut("local").expect("it is there");
        local.free = Some(Bytes(4 * GIB));
        let why = "storage local of pve2 has room for 4.0 GiB, and guest dns needs 8.0 GiB";
        assert_eq!(words(&scene, &with_disks("dns", "pve2", None), Rule::Storage), [why]);
        let why = "pve2 has no storage fast, which guest dns needs";
        assert_eq!(words(&scene, &with_disks("dns", "pve2", Some("fast")), Rule::Storage), [why]);
        let local = node(&mut scene, "pve2").storages.get_mut("local").expect("it is there");
        local.content = ["iso".to_owned()].into();
        let why = "storage local of pve2 holds no rootdir, which guest dns needs";
        assert_eq!(words(&scene, &with_disks("dns", "pve2", None), Rule::Storage), [why]);
    }

    #[test]
    fn growing_backing_up_and_uploading_need_a_storage_too() {
        let mut scene = lab();
        let grow = |to_gib| change("mail", GuestChange::GrowDisk { disk: "scsi0".into(), to_gib });
        assert_eq!(words(&scene, &grow(64), Rule::Storage), NONE);
        assert_eq!(words(&scene, &grow(400), Rule::Storage).len(), 1);
        let backup = |storage: &str| GuestChange::BackUp {
            storage: storage.into(),
            mode: BackupMode::Snapshot,
            notes: String::new(),
        };
        assert_eq!(words(&scene, &change("mail", backup("local")), Rule::Storage), NONE);
        let why = "storage shared of pve1 holds no backup, which guest mail needs";
        assert_eq!(words(&scene, &change("mail", backup("shared")), Rule::Storage), [why]);
        let upload = Action::Storage {
            host: "pve1".into(),
            storage: "local".into(),
            content: StorageContent::Iso,
            name: "debian.iso".into(),
            change: StorageChange::Upload { file: "1".into() },
        };
        assert_eq!(words(&scene, &upload, Rule::Storage), NONE);
        node(&mut scene, "pve1").storages.get_mut("local").expect("it is there").active = false;
        assert_eq!(words(&scene, &upload, Rule::Storage), ["storage local of pve1 cannot be used now"]);
    }

    #[test]
    fn a_copy_needs_room_where_its_disks_are_copied() {
        let mut scene = lab();
        node(&mut scene, "pve1").storages.get_mut("shared").expect("it is there").free = Some(Bytes(GIB));
        assert_eq!(words(&scene, &clone(None, true), Rule::Storage).len(), 1);
        assert_eq!(words(&scene, &clone(None, false), Rule::Storage), NONE);
    }

    #[test]
    fn disks_of_one_node_are_copied_along_or_stay() {
        let mut scene = lab();
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::LocalDisks), NONE);
        let why = "guest dns has disks that only pve1 has: rootfs; they may be copied along";
        assert_eq!(words(&scene, &migrate("dns", "pve2"), Rule::LocalDisks), [why]);
        assert_eq!(words(&scene, &with_disks("dns", "pve2", None), Rule::LocalDisks), NONE);
        let folder = SceneDisk { name: "mp0".into(), ..SceneDisk::default() };
        guest(&mut scene, "dns").disks.push(folder);
        let why = "guest dns has disks that only pve1 has: mp0";
        assert_eq!(words(&scene, &with_disks("dns", "pve2", None), Rule::LocalDisks), [why]);
        assert_eq!(words(&scene, &clone(Some("pve2"), true), Rule::LocalDisks), NONE);
        guest(&mut scene, "mail").disks[0].shared = false;
        assert_eq!(words(&scene, &clone(Some("pve2"), true), Rule::LocalDisks).len(), 1);
        assert_eq!(words(&scene, &clone(None, true), Rule::LocalDisks), NONE);
    }
}
