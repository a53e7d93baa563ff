//! Guests scaled, grown, cloned, backed up, tagged and deleted on a look-alike cluster, over the real HTTPS transport.
#![allow(clippy::unwrap_used)]

mod found_again;
mod made;
mod ward;

use pve_sim::Order;
use reanimator_core::{
    host::pve::PveApi as _,
    model::{Guest, GuestChange},
    transport::http::Request,
};
use ward::{Ward, are, outcome};

fn scale(cores: impl Into<Option<u32>>, memory_mib: impl Into<Option<u64>>) -> GuestChange {
    GuestChange::Scale { cores: cores.into(), memory_mib: memory_mib.into(), balloon_mib: None }
}

fn tag(add: &[&str], remove: &[&str]) -> GuestChange {
    let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
    GuestChange::Tag { add: owned(add), remove: owned(remove) }
}

fn grow(disk: &str, to_gib: u64) -> GuestChange {
    GuestChange::GrowDisk { disk: disk.into(), to_gib }
}

fn locked(guest: &Guest) -> Order {
    Order::new("locked").vmid(guest.vmid.parse().unwrap())
}

fn failing(guest: &Guest) -> Order {
    Order::new("task-fails").vmid(guest.vmid.parse().unwrap())
}

#[tokio::test]
async fn a_container_is_scaled_at_once_and_back() {
    let ward = Ward::open().await;
    let guest = ward.guest(101).await;
    let before = ward.config(&guest).await;
    // Not much more: what it uses grows with what it has, and must fit into what it had.
    let more = before["memory"].as_u64().unwrap() + 32;
    let dry = ward.dry_run(&guest, scale(3, more)).await;
    assert!(dry.calls[0].contains(&format!("/lxc/101/config cores=3&memory={more}&digest=")), "{dry:?}");
    let done = ward.carry_out(&guest, scale(3, more)).await;
    are(&done, "done", "done");
    assert_eq!(outcome(&done), format!("it has 3 cores and {more} MiB of memory"));
    are(&ward.carry_out(&guest, scale(3, more)).await, "done", "already");
    ward.refused(&guest, scale(None, 32), "MiB of memory now: stop what uses it first").await;
    let undone = ward.undo(&done).await;
    assert_eq!((undone.state.as_str(), &undone.note), ("undone", &None), "{undone:?}");
    let after = ward.config(&guest).await;
    assert_eq!((&after["cores"], &after["memory"]), (&before["cores"], &before["memory"]));
}

#[tokio::test]
async fn what_a_running_vm_takes_at_its_restart_only_is_said() {
    let ward = Ward::open().await;
    let guest = ward.guest(100).await;
    ward.set(&guest, "balloon", "400").await;
    let done = ward.carry_out(&guest, scale(3, 300)).await;
    are(&done, "done", "done");
    let text = outcome(&done);
    assert!(text.starts_with("it will have 3 cores and 300 MiB of memory: pending until it is restarted"), "{text}");
    let config = ward.config(&guest).await;
    assert_eq!((config["memory"].as_str(), config["balloon"].as_u64()), (Some("300"), Some(300)), "{config}");
    assert_eq!(ward.begun(&guest, "qmconfig").await, 1);
    let again = ward.carry_out(&guest, scale(3, 300)).await;
    are(&again, "done", "already");
    assert!(outcome(&again).contains("pending until it is restarted"), "{again:?}");
    let undone = ward.undo(&done).await;
    assert!(outcome(&undone).starts_with("it has "), "{undone:?}");
    assert_eq!(ward.config(&guest).await["balloon"], 400);
}

#[tokio::test]
async fn a_vm_that_takes_cpus_and_memory_while_it_runs_has_them_at_once() {
    let ward = Ward::open().await;
    let guest = ward.vm_with_cores().await;
    ward.set(&guest, "hotplug", "network,disk,usb,cpu,memory").await;
    let before = ward.config(&guest).await;
    let done = ward.carry_out(&guest, scale(1, 10_240)).await;
    assert_eq!(outcome(&done), "it has 1 core and 10240 MiB of memory");
    let now = ward.api.call(Request::get(Ward::path(&guest, &["status", "current"]))).await.unwrap();
    assert_eq!((now["cpus"].as_u64(), now["maxmem"].as_u64()), (Some(1), Some(10 << 30)), "{now}");
    let undone = ward.undo(&done).await;
    assert!(outcome(&undone).starts_with(&format!("it has {} cores", before["cores"])), "{undone:?}");
    let mut after = ward.config(&guest).await;
    after["digest"] = before["digest"].clone();
    assert_eq!(after, before, "nothing of it is left");
}

#[tokio::test]
async fn sizes_that_make_no_sense_are_refused_and_failures_told_in_proxmoxs_words() {
    let ward = Ward::open().await;
    let (vm, container) = (ward.guest(100).await, ward.guest(101).await);
    ward.refused(&vm, scale(0, None), "needs a core at least").await;
    ward.refused(&vm, scale(999, None), "cannot have 999 CPUs: pve1 has").await;
    ward.refused(&container, scale(None, 8), "16 are the least").await;
    ward.refused(&vm, scale(None, 9_999_999), "cannot have 9999999 MiB of memory: pve1 has").await;
    ward.refused(&vm, scale(None, None), "neither cores nor memory").await;
    ward.fault(failing(&vm)).await;
    let failed = ward.carry_out(&vm, scale(3, None)).await;
    are(&failed, "failed", "failed");
    assert!(outcome(&failed).contains("Proxmox says: simulated failure"), "{failed:?}");
    ward.fault(locked(&container)).await;
    ward.refused(&container, scale(3, None), "is locked by Proxmox: backup").await;
}

#[tokio::test]
async fn a_disk_grows_to_a_size_and_no_further() {
    let ward = Ward::open().await;
    let (vm, container) = (ward.guest(100).await, ward.guest(101).await);
    let done = ward.carry_out(&vm, grow("scsi0", 64)).await;
    are(&done, "done", "done");
    assert_eq!(outcome(&done), "scsi0 has 64 GiB; partitions and file systems in it are as they were");
    let again = ward.carry_out(&vm, grow("scsi0", 64)).await;
    are(&again, "done", "already");
    assert_eq!(ward.begun(&vm, "resize").await, 1);
    assert!(ward.config(&vm).await["scsi0"].as_str().unwrap().ends_with("size=64G"));
    assert_eq!(outcome(&ward.carry_out(&container, grow("rootfs", 16)).await), "rootfs has 16 GiB");

    ward.refused(&vm, grow("scsi0", 63), "has 64 GiB on scsi0, and no disk can be made smaller").await;
    ward.refused(&vm, grow("scsi7", 65), "has no disk scsi7; it has scsi0").await;
    ward.refused(&ward.guest(103).await, grow("ide2", 65), "something else than a disk that can grow").await;
    ward.fault(failing(&vm)).await;
    assert!(outcome(&ward.carry_out(&vm, grow("scsi0", 65)).await).contains("Proxmox says: simulated failure"));
    ward.fault(locked(&vm)).await;
    ward.refused(&vm, grow("scsi0", 65), "is locked by Proxmox: backup").await;
    let undone = ward.undo(&done).await;
    assert!(undone.note.unwrap().contains("cannot be taken back"));
}

#[tokio::test]
async fn tags_are_given_and_taken_and_given_back() {
    let ward = Ward::open().await;
    let guest = ward.guest(100).await;
    let done = ward.carry_out(&guest, tag(&["Rented", "prod"], &["DB", "none"])).await;
    are(&done, "done", "done");
    assert_eq!(outcome(&done), "its tags are prod, rented");
    are(&ward.carry_out(&guest, tag(&["rented"], &["db"])).await, "done", "already");
    let undone = ward.undo(&done).await;
    assert_eq!(outcome(&undone), "its tags are db, prod");
    assert_eq!(outcome(&ward.carry_out(&guest, tag(&[], &["db", "prod"])).await), "it has no tags");

    ward.refused(&guest, tag(&[], &[]), "name some").await;
    ward.refused(&guest, tag(&["a b"], &[]), "cannot have the tag \"a b\"").await;
    ward.refused(&guest, tag(&["a"], &["A"]), "choose one").await;
    ward.fault(locked(&guest)).await;
    ward.refused(&guest, tag(&["a"], &[]), "is locked by Proxmox: backup").await;
}

#[tokio::test]
async fn what_another_writes_meanwhile_is_not_lost() {
    let ward = Ward::open().await;
    let guest = ward.guest(100).await;
    let path = format!("/nodes/{}/qemu/100/config", guest.node);
    ward.fault(Order::new("late").path(&path).milliseconds(300)).await;
    let asked = ward.ask(&guest, tag(&["rented"], &[])).await;
    let carrying = tokio::spawn({
        let (operations, id) = (ward.operations.clone(), asked.id.clone());
        async move { operations.carry_out(&id).await.unwrap() }
    });
    let mut written = 0;
    let looks_again = async || {
        let lines = ward.operations.lines(&asked.id, 0).await.unwrap();
        lines.iter().any(|line| line.text.contains("looking again"))
    };
    while !looks_again().await {
        written += 1;
        assert!(written < 50, "nobody noticed");
        ward.set(&guest, "description", &format!("written {written}")).await;
    }
    let done = carrying.await.unwrap();
    are(&done, "done", "done");
    let config = ward.config(&guest).await;
    assert_eq!(
        (&config["description"], &config["tags"]),
        (&format!("written {written}").into(), &"db;prod;rented".into())
    );
}
