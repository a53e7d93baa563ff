//! The decoders against answers of the genuine code, and against anything at all.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{access, guest, node, plain, resources, status, version};
use crate::model::{GuestKind, GuestStatus};

fn recording(text: &str) -> Value {
    let body: Value = serde_json::from_str(text).unwrap();
    body["data"].clone()
}

macro_rules! recording {
    ($name:literal) => {
        recording(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/pve/", $name, ".json")))
    };
}

#[test]
fn a_node_that_stands_alone() {
    let all = resources::resources(&recording!("cluster_resources")).unwrap();
    assert_eq!(all.nodes.len(), 1);
    assert_eq!((all.nodes[0].online, all.nodes[0].figures.memory_total), (Some(true), Some(25_276_510_208)));
    let told: Vec<_> =
        all.guests.iter().map(|g| (g.vmid, g.kind, g.name.clone().unwrap(), g.status, g.template)).collect();
    use {GuestKind::*, GuestStatus::*};
    assert_eq!(
        told,
        [
            (100, Qemu, "db1".to_owned(), Running, false),
            (101, Lxc, "web1".to_owned(), Running, false),
            (102, Lxc, "db2".to_owned(), Running, false),
            (110, Qemu, "clone1".to_owned(), Stopped, false),
            (9000, Qemu, "tmpl-debian12".to_owned(), Stopped, true),
        ]
    );
    assert_eq!(all.guests[0].tags, ["db", "prod"]);
    assert_eq!(all.storages.len(), 1);
    assert!(all.storages[0].available && !all.storages[0].shared);
    assert_eq!(all.nameless, 0);
    let status = status::cluster_status(&recording!("cluster_status")).unwrap();
    assert_eq!((status.name, status.quorate, status.members.len()), (None, None, 1));
    assert_eq!(version::version(&recording!("version")).unwrap().as_deref(), Some("9.1.8"));
}

#[test]
fn a_cut_off_node_is_offline_and_keeps_its_guests() {
    let status = status::cluster_status(&recording!("pve3down_cluster_status")).unwrap();
    assert_eq!((status.name.as_deref(), status.quorate), (Some("labcluster"), Some(false)));
    let told: Vec<_> = status.members.iter().map(|m| (m.name.as_str(), m.online, m.ip.as_deref(), m.local)).collect();
    assert_eq!(
        told,
        [("pve2", Some(true), Some("10.98.0.12"), true), ("pve3", Some(false), Some("10.98.0.13"), false)]
    );
    let all = resources::resources(&recording!("pve3down_cluster_resources")).unwrap();
    let pve3 = &all.nodes[1];
    assert_eq!(
        (pve3.name.as_str(), pve3.online, pve3.figures.cpu, pve3.figures.uptime),
        ("pve3", Some(false), None, None)
    );
    assert!(all.guests.iter().all(|guest| guest.node == "pve3" && guest.status == GuestStatus::Running));
    assert_eq!(all.guests.len(), 2);
}

#[test]
fn a_login_without_rights_sees_bare_nodes() {
    let all = resources::resources(&recording!("cluster_resources_token_no_acl")).unwrap();
    assert_eq!((all.nodes.len(), all.guests.len(), all.storages.len()), (1, 0, 0));
    assert_eq!(all.nodes[0].figures, resources::Figures::default());
    assert!(access::rights(&json!({})).unwrap().is_empty());
    assert!(access::rights(&json!([])).unwrap().is_empty());
    let all = access::rights(&recording!("access_permissions")).unwrap();
    assert!(all.any_below("/vms", "VM.Audit") && all.on("/", "Sys.Audit") && !all.on("/", "No.Such"));
}

#[test]
fn a_guest_without_fresh_figures_is_unknown() {
    let data = json!([{"type": "qemu", "vmid": "100", "node": "pve1", "status": "unknown", "template": "0"}]);
    let all = resources::resources(&data).unwrap();
    assert_eq!((all.guests[0].status, all.guests[0].name.as_deref()), (GuestStatus::Unknown, None));
    assert_eq!(all.guests[0].figures, resources::Figures::default());
}

#[test]
fn entries_without_a_name_are_counted_and_harm_no_other() {
    let data = json!([
        {"type": "qemu", "node": "pve1"}, {"type": "lxc", "vmid": 7_000_000_000_u64, "node": "pve1"}, {"type": "node"},
        {"type": "storage", "storage": "x"}, {"type": "sdn"}, {}, 7, null, {"type": "node", "node": "pve1", "cpu": "NaN"}
    ]);
    let all = resources::resources(&data).unwrap();
    assert_eq!((all.nodes.len(), all.guests.len(), all.storages.len(), all.nameless), (1, 0, 0, 4));
    assert_eq!((all.nodes[0].online, all.nodes[0].figures.cpu), (None, None));
}

#[test]
fn a_node_tells_of_itself() {
    let said = node::node_status(&recording!("node_status")).unwrap();
    assert_eq!(said.load, Some([1.98, 2.11, 2.75]));
    assert_eq!(
        (said.version.as_deref(), said.kernel.as_deref(), said.architecture.as_deref()),
        (Some("9.1.8"), Some("6.18.44-pve"), Some("x86_64"))
    );
    assert_eq!(
        (said.cpus, said.memory.used, said.memory.available),
        (Some(2), Some(3_297_804_288), Some(21_978_705_920))
    );
    assert_eq!((said.swap.total, said.root.available), (Some(0), Some(77_751_287_808)));
    let older = json!({"kversion": "Linux 6.8.12-4-pve #1 SMP", "loadavg": [0.1, "0.2"], "memory": null});
    let said = node::node_status(&older).unwrap();
    assert_eq!((said.kernel.as_deref(), said.load, said.memory), (Some("6.8.12-4-pve"), None, node::Room::default()));
}

#[test]
fn interfaces_named_after_their_address_give_it_away() {
    assert_eq!(node::macs(&recording!("node_network")).unwrap(), [""; 0]);
    let data = json!([{"iface": "eno1", "altnames": ["enp3s0", "enxBC2411001122"]}, {"iface": "enx001122334455"},
        {"iface": "enx00112233445"}, {"iface": "enxé1122334455"}]);
    assert_eq!(node::macs(&data).unwrap(), ["00:11:22:33:44:55", "bc:24:11:00:11:22"]);
}

#[test]
fn certificates_of_all_nodes_are_told_in_two_ways() {
    let (joining, listed) =
        (node::fingerprints(&recording!("ok_config_join")), node::fingerprints(&recording!("ok_nodes")));
    assert_eq!(joining, listed);
    assert!(listed["pve3"].starts_with("1E:65:"));
    assert_eq!(node::fingerprints(&json!("x")).len(), 0);
}

#[test]
fn guests_are_told_apart_by_their_configuration() {
    let vm = guest::identity(&recording!("qemu_config")).unwrap();
    assert_eq!(vm.macs, ["bc:24:11:98:f3:13"]);
    assert_eq!(vm.smbios_uuid.as_deref(), Some("79117327-a82c-400c-a6ad-7f0ed48e7824"));
    let container = guest::identity(&recording!("lxc_config")).unwrap();
    assert_eq!((container.macs, container.smbios_uuid), (vec!["bc:24:11:8d:ef:fa".to_owned()], None));
    assert_eq!(container.hostname.as_deref(), Some("web1"));
}

#[test]
fn plain_tables_become_the_same_rows() {
    let vms = "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n\
               \x20      100 db1                  running    512                1.00 716       \n\
               \x20      110 clone1               stopped    1024               1.00 0         \n";
    let containers = "VMID       Status     Lock         Name                \n\
                      101        running                 web1                \n\
                      102        stopped    backup       db2                 \n";
    let storages = "Name         Type     Status           Total            Used       Available        %\n\
                    local         dir     active       264212084        19357076        75929000    7.33%\n\
                    nas           nfs   inactive               0               0               0    0.00%\n";
    let mut rows = plain::qm_list(vms, "pve1");
    rows.extend(plain::pct_list(containers, "pve1"));
    rows.extend(plain::pvesm_status(storages, "pve1"));
    let all = resources::resources(&Value::Array(rows)).unwrap();
    let told: Vec<_> = all.guests.iter().map(|g| (g.vmid, g.name.as_deref().unwrap(), g.status)).collect();
    assert_eq!(
        told,
        [
            (100, "db1", GuestStatus::Running),
            (101, "web1", GuestStatus::Running),
            (102, "db2", GuestStatus::Stopped),
            (110, "clone1", GuestStatus::Stopped)
        ]
    );
    assert_eq!(all.guests[0].figures.memory_total, Some(512 << 20));
    assert_eq!(all.storages[0].figures.disk_total, Some(264_212_084 * 1024));
    assert!(all.storages[0].available && !all.storages[1].available);
}

/// Any JSON, with the field names that the decoders look for.
pub(super) fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9:;,=./ \u{e9}-]{0,20}".prop_map(Value::from),
        prop::sample::select(vec!["node", "qemu", "lxc", "storage", "cluster", "1", "NaN", "1e400", "uuid=x"])
            .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "type",
        "vmid",
        "node",
        "name",
        "status",
        "cpu",
        "maxcpu",
        "mem",
        "maxmem",
        "disk",
        "maxdisk",
        "uptime",
        "tags",
        "template",
        "storage",
        "content",
        "shared",
        "quorate",
        "online",
        "ip",
        "cpuinfo",
        "loadavg",
        "memory",
        "swap",
        "rootfs",
        "current-kernel",
        "kversion",
        "pveversion",
        "net0",
        "smbios1",
        "nodelist",
        "pve_fp",
        "iface",
        "altnames",
        "/vms",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..12)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_a_decoder_panic(data in anything(), text in "\\PC{0,200}") {
        let _seen = (
            resources::resources(&data).is_ok(), status::cluster_status(&data).is_ok(), node::node_status(&data).is_ok(),
            node::macs(&data).is_ok(), node::fingerprints(&data), guest::identity(&data).is_ok(),
            access::rights(&data).is_ok(), version::version(&data).is_ok(), version::from_pveversion(&text),
            plain::qm_list(&text, "n"), plain::pct_list(&text, "n"), plain::pvesm_status(&text, "n"),
        );
    }
}
