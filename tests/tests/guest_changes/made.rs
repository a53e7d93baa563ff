//! Guests and backups that are made, and guests that are deleted.

use std::collections::BTreeSet;

use pve_sim::Order;
use reanimator_core::{
    access::{Credential, Principal, Role},
    host::pve::PveApi as _,
    model::{BackupMode, Guest, GuestChange},
    transport::http::Request,
};

use crate::{
    failing, locked,
    ward::{Ward, are, outcome, plan},
};

pub(crate) fn copy(name: &str, vmid: impl Into<Option<u32>>) -> GuestChange {
    let (to, storage, snapshot) = (None, None, None);
    GuestChange::Clone { name: name.into(), vmid: vmid.into(), to, storage, snapshot, full: true }
}

pub(crate) fn back_up(storage: &str, mode: BackupMode) -> GuestChange {
    GuestChange::BackUp { storage: storage.into(), mode, notes: "before\nthe move".into() }
}

pub(crate) fn delete(confirm: &str) -> GuestChange {
    GuestChange::Delete { confirm: confirm.into(), purge: true }
}

fn linked(name: &str) -> GuestChange {
    let (vmid, to, storage, snapshot) = (None, None, None, None);
    GuestChange::Clone { name: name.into(), vmid, to, storage, snapshot, full: false }
}

#[tokio::test]
async fn a_clone_is_made_under_the_next_free_number_and_taken_back() {
    let ward = Ward::open().await;
    let template = ward.guest(104).await;
    let done = ward.carry_out(&template, copy("web9", None)).await;
    are(&done, "done", "done");
    assert_eq!(outcome(&done), "guest 112 is there on pve1");
    assert_eq!(ward.called("web9").await, [112]);
    ward.refused(&template, copy("web9", None), "guest 112 is called so").await;
    are(&ward.carry_out(&template, copy("web9", 112)).await, "done", "already");
    let undone = ward.undo(&done).await;
    assert_eq!((undone.state.as_str(), outcome(&undone)), ("undone", "it is gone"), "{undone:?}");
    assert_eq!(ward.called("web9").await, [0_u64; 0]);
    assert_eq!(ward.begun(&template, "qmclone").await, 1);
}

#[tokio::test]
async fn a_clone_goes_where_it_is_wanted_or_is_refused() {
    let ward = Ward::open().await;
    let (vm, template) = (ward.guest(103).await, ward.guest(104).await);
    let other = ward.guest(100).await.host_id;
    let wanted = |change: GuestChange, storage: Option<&str>, elsewhere: bool, snapshot: Option<&str>| match change {
        GuestChange::Clone { name, vmid, full, .. } => GuestChange::Clone {
            name,
            vmid,
            full,
            to: other.clone().filter(|_| elsewhere),
            storage: storage.map(str::to_owned),
            snapshot: snapshot.map(str::to_owned),
        },
        other => other,
    };
    let moved = wanted(copy("moved", 900), Some("shared-nfs"), true, Some("before-upgrade"));
    let done = ward.carry_out(&vm, moved).await;
    assert_eq!(outcome(&done), "guest 900 is there on pve1", "{done:?}");

    let refused = [
        (wanted(copy("x", None), Some("tank"), true, None), "cannot be cloned to pve1: tank is of pve2 alone"),
        (wanted(copy("x", None), Some("local"), false, None), "cannot have a clone on local: it holds no images"),
        (wanted(copy("x", None), Some("nowhere"), false, None), "pve2 does not have it now"),
        (wanted(copy("x", None), None, false, Some("none")), "has no snapshot none"),
        (linked("x"), "is no template"),
        (copy("a b", None), "cannot be cloned as \"a b\""),
        (copy("x", 99), "numbers are 100 to 999999999"),
        (copy("x", 100), "that is the number of db1"),
    ];
    for (change, why) in refused {
        ward.refused(&vm, change, why).await;
    }
    ward.refused(&ward.guest(101).await, copy("x", None), "is a container that runs").await;
    ward.refused(&template, wanted(linked("x"), Some("tank"), false, None), "name no storage").await;
    ward.fault(failing(&vm)).await;
    assert!(outcome(&ward.carry_out(&vm, copy("x", None)).await).contains("Proxmox says: simulated failure"));
    ward.fault(locked(&vm)).await;
    ward.refused(&vm, copy("x", None), "is locked by Proxmox").await;
}

/// Whoever asks for the next free number before another takes it is told the same one.
#[tokio::test]
async fn two_clones_at_once_never_take_one_number() {
    let ward = Ward::open().await;
    let (vm, container) = (ward.guest(103).await, ward.guest(102).await);
    // Decisions are made one after the other; what was decided may still come late.
    for (guest, kind) in [(&vm, "qemu"), (&container, "lxc")] {
        let path = format!("/nodes/{}/{kind}/{}/clone", guest.node, guest.vmid);
        ward.fault(Order::new("slow").path(&path).milliseconds(1_500)).await;
    }
    let asked = [ward.ask(&vm, copy("one", None)).await, ward.ask(&container, copy("two", None)).await];
    let carrying = asked.map(|asked| {
        let operations = ward.operations.clone();
        tokio::spawn(async move { operations.carry_out(&asked.id).await.unwrap() })
    });
    let mut said = Vec::new();
    for done in carrying {
        let done = done.await.unwrap();
        are(&done, "done", "done");
        said.extend(ward.operations.lines(&done.id, 0).await.unwrap().into_iter().map(|line| line.text));
    }
    assert!(said.iter().any(|line| line.contains("looking again")), "{said:?}");
    let numbers: BTreeSet<u64> = ward.called("one").await.into_iter().chain(ward.called("two").await).collect();
    assert_eq!(numbers, BTreeSet::from([112, 113]));
}

#[tokio::test]
async fn a_backup_is_made_and_named_with_its_size() {
    let ward = Ward::open().await;
    let guest = ward.guest(102).await;
    let dry = ward.dry_run(&guest, back_up("shared-nfs", BackupMode::Snapshot)).await;
    assert!(
        dry.calls[0].starts_with(&format!("POST /nodes/{}/vzdump vmid=102&storage=shared-nfs", guest.node)),
        "{dry:?}"
    );
    let done = ward.carry_out(&guest, back_up("shared-nfs", BackupMode::Stop)).await;
    are(&done, "done", "done");
    let text = outcome(&done);
    assert!(text.starts_with("shared-nfs:backup/vzdump-lxc-102-") && text.ends_with(" GiB"), "{text}");
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.text.starts_with("INFO: Finished Backup of VM 102")), "{lines:?}");
    let path = ["nodes", &*guest.node, "storage", "shared-nfs", "content"];
    let content = ward.api.call(Request::get(path).param("vmid", "102")).await.unwrap();
    assert!(content.as_array().unwrap().iter().any(|row| row["notes"] == "before\nthe move"), "{content}");
    assert!(ward.undo(&done).await.note.unwrap().contains("cannot be taken back"));

    let snapshot = BackupMode::Snapshot;
    ward.refused(&guest, back_up("tank", snapshot), "cannot be backed up to tank: it holds no backups").await;
    ward.refused(&guest, back_up("x", snapshot), "for backups it has local, shared-nfs").await;
    ward.fault(failing(&guest)).await;
    assert!(
        outcome(&ward.carry_out(&guest, back_up("local", snapshot)).await).contains("Proxmox says: simulated failure")
    );
    ward.fault(locked(&guest)).await;
    ward.refused(&guest, back_up("local", snapshot), "is locked by Proxmox: backup").await;
}

#[tokio::test]
async fn a_guest_is_deleted_by_its_name_only_and_not_while_it_is_of_use() {
    let ward = Ward::open().await;
    let (running, guest) = (ward.guest(100).await, ward.guest(102).await);
    ward.refused(&running, delete("db1"), "runs: shut it down first").await;
    ward.refused(&guest, delete("db1"), "is called db2, and \"db1\" was typed").await;
    ward.set(&guest, "protection", "1").await;
    ward.refused(&guest, delete("db2"), "is protected from being removed").await;
    ward.set(&guest, "protection", "0").await;
    ward.fault(failing(&guest)).await;
    assert!(outcome(&ward.carry_out(&guest, delete("db2")).await).contains("Proxmox says: simulated failure"));
    let dry = ward.dry_run(&guest, delete("db2")).await;
    let call = format!("DELETE /nodes/{}/lxc/102 destroy-unreferenced-disks=1&purge=1", guest.node);
    assert_eq!((dry.calls, dry.risk.as_str()), (vec![call], "destructive"));

    let done = ward.carry_out(&guest, delete("db2")).await;
    are(&done, "done", "done");
    assert_eq!((outcome(&done), ward.called("db2").await), ("it is gone", vec![]));
    let again = ward.carry_out(&guest, delete("db2")).await;
    are(&again, "done", "already");
    assert!(ward.undo(&done).await.note.unwrap().contains("cannot be taken back"));
}

#[tokio::test]
async fn a_template_stays_while_others_are_based_on_it() {
    let ward = Ward::open().await;
    // The disk of this one is on a storage that tells what is based on what.
    let guest = ward.guest(103).await;
    ward.api.call(Request::delete(Ward::path(&guest, &["snapshot", "before-upgrade"]))).await.unwrap();
    settled(&ward, &guest).await;
    ward.api.call(Request::post(Ward::path(&guest, &["template"]))).await.unwrap();
    settled(&ward, &guest).await;
    let made = ward.carry_out(&guest, linked("child")).await;
    are(&made, "done", "done");
    ward.refused(&guest, delete("clone1"), "disks of guest 112 are based on its own").await;
    ward.undo(&made).await;
    are(&ward.carry_out(&guest, delete("clone1")).await, "done", "done");
}

#[tokio::test]
async fn deleting_is_for_admins() {
    let ward = Ward::open().await;
    let guest = ward.guest(102).await;
    let access = ward.fleet.access();
    let token = access.create_token("ci", Role::Operator, ward.fleet.now()).await.unwrap();
    let operator: Principal = access.authenticate(Credential::Bearer(&token), ward.fleet.now()).await.unwrap();
    assert!(ward.operations.ask(plan(&guest, delete("db2")), &operator, "192.0.2.1").await.is_err());
    assert!(ward.operations.ask(plan(&guest, copy("db3", None)), &operator, "192.0.2.1").await.is_ok());
}

/// Waits until a guest has no lock any more and no task goes on.
async fn settled(ward: &Ward, guest: &Guest) {
    let active = || Request::get(["nodes", &*guest.node, "tasks"]).param("source", "active");
    while ward.api.call(active()).await.unwrap() != serde_json::json!([]) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
