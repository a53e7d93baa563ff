//! What is read of nodes and clusters, against answers of the genuine code. Disks, ZFS pools, USB devices, rules of high
//! availability, replication and Ceph were not there to record: their shapes are those of the API's own description
//! and of its source.
#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cluster_ha, cluster_jobs, cluster_members, node_machine, node_software, subscription, tests::anything};
use crate::model::facts::{
    cluster::{ClusterFacts, HaFacts},
    pve_node::{NodeInventory, NodeZfsPool},
};

macro_rules! recording {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/recordings/pve/",
            $name,
            ".json"
        )))
        .unwrap()["data"]
            .take()
    };
}

#[test]
fn a_node_tells_what_it_is_built_of() {
    let mut facts = NodeInventory::default();
    node_machine::status_into(&recording!("node_status"), &mut facts).unwrap();
    let cpu = facts.cpu.as_ref().unwrap();
    assert_eq!(
        (cpu.model.as_deref(), cpu.sockets, cpu.cores, cpu.threads),
        (Some("Intel(R) Xeon(R) Processor"), Some(1), Some(2), Some(2))
    );
    assert_eq!((cpu.mhz, cpu.virtualization), (Some(2000.0), Some(false)));
    assert_eq!(cpu.flags, ["aes", "sha_ni", "avx", "avx2", "avx512f", "hypervisor"]);
    assert_eq!((facts.boot_mode.as_deref(), facts.secure_boot), (Some("legacy-bios"), None));
    assert_eq!(facts.proxmox_version.as_deref(), Some("9.1.8"));
    let two = json!({"cpuinfo": {"sockets": 2, "cores": 40, "cpus": 80, "flags": "vmx", "hvm": "1"}});
    node_machine::status_into(&two, &mut facts).unwrap();
    let cpu = facts.cpu.unwrap();
    assert_eq!((cpu.sockets, cpu.cores, cpu.threads, cpu.virtualization), (Some(2), Some(20), Some(80), Some(true)));
    let pci = node_machine::pci(&recording!("node_hardware_pci")).unwrap();
    assert_eq!((pci.len(), pci[0].ids.as_deref(), pci[0].iommu_group), (5, Some("1af4:1045"), None));
    let cards = node_machine::interfaces(&recording!("node_network")).unwrap();
    assert_eq!(cards[0].to_string(), "bridge 10.98.0.11/24 of eno1");
    assert!(cards[0].active && cards[0].autostart && !cards[1].autostart);
    assert_eq!(node_machine::disks(&recording!("node_disks")).unwrap(), []);
}

#[test]
fn worn_disks_and_pools_that_are_not_well_say_so() {
    let disks = node_machine::disks(&json!([
        {"devpath": "/dev/nvme0n1", "type": "nvme", "model": "X 1TB", "serial": "S1", "size": 1_000_204_886_016_u64,
         "health": "PASSED", "wearout": 97, "used": "ZFS", "rpm": 0, "vendor": "unknown"},
        {"devpath": "/dev/sda", "type": "hdd", "health": "FAILED!", "wearout": "N/A", "rpm": "7200"},
        {"devpath": "/dev/sdb", "type": "unknown", "health": "UNKNOWN", "wearout": "112", "rpm": -1},
        {"devpath": "/dev/sda1", "parent": "/dev/sda"}, {"model": "nameless"},
    ]))
    .unwrap();
    let told: Vec<_> =
        disks.iter().map(|disk| (disk.name.as_str(), disk.wear_percent, disk.rpm, disk.is_failing())).collect();
    assert_eq!(
        told,
        [("nvme0n1", Some(3.0), None, false), ("sda", None, Some(7200), true), ("sdb", Some(0.0), None, false)]
    );
    assert_eq!((disks[0].vendor.as_deref(), disks[2].kind.as_deref()), (None, None));
    assert_eq!(disks[0].to_string(), "X 1TB S1, 932 GiB, PASSED");
    let pools =
        json!([{"name": "tank", "health": "DEGRADED", "size": 10, "alloc": 4, "free": 6, "frag": 12, "dedup": 1.0}]);
    let mut pool: NodeZfsPool = node_machine::zfs(&pools).unwrap().remove(0);
    let status = json!({"name": "tank", "state": "DEGRADED", "scan": "scrub repaired 0B", "errors": "No known data errors",
        "children": [{"name": "mirror-0", "state": "DEGRADED", "children": [
            {"name": "sda", "state": "ONLINE", "read": 0, "write": 0, "cksum": 0},
            {"name": "sdb", "state": "FAULTED", "read": 3, "write": 61, "cksum": 0, "msg": "too many errors"}]},
            {"name": "spares", "children": [{"name": "sdc", "state": "AVAIL"}]}]});
    node_machine::zfs_pool_into(&status, &mut pool).unwrap();
    let [faulted] = pool.troubled.as_slice() else { panic!("{:?}", pool.troubled) };
    assert_eq!(
        (faulted.name.as_str(), faulted.write_errors, pool.fragmentation_percent),
        ("sdb", Some(61), Some(12.0))
    );
}

#[test]
fn a_node_tells_what_runs_on_it() {
    let services = node_software::services(&recording!("node_services")).unwrap();
    assert!(services.iter().any(|each| each.name == "pveproxy" && each.state.as_deref() == Some("running")));
    assert!(!services.iter().any(crate::model::facts::pve_node::NodeService::is_failed));
    let certificates = node_software::certificates(&recording!("node_certs")).unwrap();
    assert_eq!((certificates[1].names.len(), certificates[1].names[5].as_str()), (6, "pve1.lab.local"));
    assert_eq!(certificates[1].not_after.unwrap().as_second(), 1_858_211_926);
    let packages = node_software::packages(&recording!("node_apt_versions")).unwrap();
    assert!(
        packages.iter().any(|each| each.package == "corosync" && each.version.as_deref() == Some("3.1.9-2+deb13u1"))
    );
    assert!(!packages.iter().any(|each| each.package == "ceph-fuse"), "it is not installed");
    let all = node_software::repositories(&recording!("node_apt_repositories")).unwrap();
    assert_eq!((all.enterprise, all.no_subscription, all.list.len()), (None, None, 1));
    assert!(all.list[0].enabled && all.errors.is_empty() && all.warnings.is_empty());
    let set = json!({"standard-repos": [{"handle": "enterprise", "status": 0}, {"handle": "no-subscription", "status": 1}],
        "errors": [{"path": "/etc/apt/x.list", "error": "no such suite"}]});
    let all = node_software::repositories(&set).unwrap();
    assert_eq!((all.enterprise, all.enabled_words()), (Some(false), vec!["no-subscription"]));
    assert_eq!(all.errors, ["/etc/apt/x.list: no such suite"]);
    assert!(node_software::updates(&recording!("node_apt_update")).unwrap().is_empty());
    let license = subscription::license(&recording!("node_subscription")).unwrap();
    assert_eq!((license.status.as_deref(), license.level, license.expires), (Some("notfound"), None, None));
    let mut facts = NodeInventory::default();
    let now = Timestamp::from_second(1_795_227_890).unwrap();
    node_software::time_into(&recording!("node_time"), now, &mut facts).unwrap();
    node_software::dns_into(&recording!("node_dns"), &mut facts).unwrap();
    assert_eq!((facts.time_zone.as_deref(), facts.clock_skew_seconds), (Some("UTC"), Some(8)));
    assert_eq!(
        (facts.dns_servers.as_slice(), facts.search_domain.as_deref()),
        (&["127.0.0.1".to_owned()][..], Some("lab.local"))
    );
}

#[test]
fn votes_are_counted_and_links_are_named() {
    let mut facts = ClusterFacts::default();
    cluster_members::status_into(&recording!("pve3down_cluster_status"), &mut facts).unwrap();
    cluster_members::votes_into(&recording!("ok_config_nodes"), &mut facts).unwrap();
    assert_eq!((facts.name.as_deref(), facts.quorate, facts.nodes.len()), (Some("labcluster"), Some(false), 2));
    assert_eq!((facts.expected_votes, facts.quorum_votes, facts.online_votes), (Some(2), Some(2), Some(1)));
    assert_eq!((facts.nodes[1].node_id.as_deref(), facts.nodes[1].rings["0"].as_str()), (Some("2"), "10.98.0.13"));
    cluster_members::options_into(&json!({"crs": {"ha": "static"}, "migration": "type=secure"}), &mut facts).unwrap();
    assert_eq!((facts.scheduling.as_deref(), facts.migration.as_deref()), (Some("static"), Some("type=secure")));
    cluster_members::options_into(&recording!("cluster_options"), &mut facts).unwrap();
    let mut alone = ClusterFacts::default();
    cluster_members::status_into(&recording!("cluster_status"), &mut alone).unwrap();
    cluster_members::votes_into(&recording!("cluster_config_nodes"), &mut alone).unwrap();
    assert_eq!((alone.expected_votes, alone.quorate, alone.nodes[0].node_id.as_deref()), (None, None, None));
    let mut zones = cluster_members::zones(&recording!("cluster_sdn_zones")).unwrap();
    cluster_members::zone_states_into(&recording!("cluster_resources"), &mut zones).unwrap();
    assert_eq!((zones[0].name.as_str(), zones[0].status["pve1"].as_str()), ("localnetwork", "ok"));
    assert!(cluster_members::vnets(&recording!("cluster_sdn_vnets")).unwrap().is_empty());
    let renewed = ClusterFacts { zones: Some(zones), ..facts.clone() }.renewed_by(ClusterFacts {
        nodes: facts
            .nodes
            .iter()
            .map(|node| crate::model::facts::cluster::ClusterNode {
                online: Some(true),
                votes: None,
                rings: Default::default(),
                ..node.clone()
            })
            .collect(),
        quorate: Some(true),
        ..ClusterFacts::default()
    });
    assert_eq!((renewed.online_votes, renewed.quorate, renewed.zones.is_some()), (Some(2), Some(true), true));
}

#[test]
fn high_availability_tells_resources_rules_and_nodes() {
    let idle = cluster_ha::status(&recording!("ok_ha_status")).unwrap();
    assert_eq!((idle.quorate, idle.fencing.as_deref(), idle.resources.len()), (Some(true), Some("standby"), 0));
    assert_eq!(cluster_ha::status(&recording!("pve3down_ha_status")).unwrap().quorate, Some(false));
    let mut busy: HaFacts = cluster_ha::status(&json!([
        {"type": "master", "node": "pve1", "status": "pve1 (active)"},
        {"type": "lrm", "node": "pve2", "status": "pve2 (idle)"},
        {"type": "service", "sid": "vm:100", "node": "pve1", "state": "error", "request_state": "started"}]))
    .unwrap();
    let manager =
        json!({"manager_status": {"master_node": "pve1", "node_status": {"pve2": "maintenance", "pve1": "online"}}});
    cluster_ha::manager_into(&manager, &mut busy).unwrap();
    cluster_ha::resources_into(
        &json!([{"sid": "vm:100", "state": "started", "max_restart": 2}, {"sid": "ct:7"}]),
        &mut busy,
    )
    .unwrap();
    assert_eq!(
        (busy.master.as_deref(), busy.nodes.len(), busy.nodes[0].state.as_deref()),
        (Some("pve1"), 2, Some("maintenance"))
    );
    assert_eq!((busy.resources[0].state.as_deref(), busy.resources[0].max_restart), (Some("error"), Some(2)));
    let rules = cluster_ha::rules(&json!([{"rule": "gpu", "type": "node-affinity", "nodes": "pve1:2,pve2", "resources": "vm:100", "strict": 1},
        {"rule": "apart", "type": "resource-affinity", "affinity": "negative", "resources": "vm:100,ct:7", "disable": 1, "errors": {"resources": ["too many"]}}])).unwrap();
    assert_eq!((rules[0].nodes.as_slice(), rules[0].strict), (&["pve1:2".to_owned(), "pve2".to_owned()][..], true));
    assert_eq!(
        (rules[1].affinity.as_deref(), rules[1].disabled, rules[1].errors.as_slice()),
        (Some("negative"), true, &["too many".to_owned()][..])
    );
    assert!(cluster_ha::rules(&recording!("cluster_ha_rules")).unwrap().is_empty());
}

#[test]
fn jobs_failures_and_ceph_are_told() {
    let jobs = cluster_jobs::backup_jobs(&recording!("cluster_backup")).unwrap();
    assert_eq!(jobs[0].to_string(), "all to local, daily");
    assert_eq!(jobs[0].next_run.unwrap().as_second(), 1_795_305_600);
    assert!(jobs[0].selection.all && jobs[0].selection.vmids.is_empty());
    let numbers: Vec<String> = (100..400).map(|vmid| vmid.to_string()).collect();
    let rows = json!([
        {"id": "some", "vmid": numbers.join(","), "node": "pve2"},
        {"id": "others", "exclude": "100,101"},
        {"id": "pool", "pool": "prod", "enabled": "0"},
        {"id": "one", "vmid": 100},
    ]);
    let jobs = cluster_jobs::backup_jobs(&rows).unwrap();
    let some = &jobs[0].selection;
    assert_eq!((some.vmids.len(), some.node.as_deref(), some.all), (300, Some("pve2"), false), "none is cut off");
    assert!(some.covers("399", "pve2") && !some.covers("39", "pve2") && !some.covers("399", "pve1"));
    assert!(jobs[1].selection.covers("102", "pve1") && !jobs[1].selection.covers("101", "pve1"));
    assert!(jobs[3].selection.covers("100", "pve1"));
    assert_eq!((jobs[2].selection.pool.as_deref(), jobs[2].enabled), (Some("prod"), false));
    let pool = json!([{"poolid": "prod", "members": [
        {"type": "lxc", "vmid": 102, "id": "lxc/102"}, {"type": "qemu", "vmid": "110"}, {"type": "storage", "storage": "nas"},
    ]}]);
    let members: Vec<String> = cluster_jobs::pool_members(&pool, "prod").unwrap().into_iter().collect();
    assert_eq!(members, ["102", "110"]);
    assert!(cluster_jobs::pool_members(&pool, "test").is_err());
    assert!(cluster_jobs::not_backed_up(&recording!("cluster_backup_notbacked")).unwrap().is_empty());
    assert!(cluster_jobs::replication(&recording!("cluster_replication")).unwrap().is_empty());
    let failures = cluster_jobs::failed_tasks(&recording!("cluster_tasks")).unwrap();
    assert!(
        failures.iter().any(|each| each.error == "VM 100 already running" && each.subject.as_deref() == Some("100"))
    );
    assert!(failures.windows(2).all(|pair| pair[0].ended_at >= pair[1].ended_at));
    assert!(cluster_jobs::failed_tasks(&recording!("ok_cluster_tasks")).unwrap().is_empty());
    let ceph = cluster_jobs::ceph(&json!({
        "health": {"status": "HEALTH_WARN", "checks": {"OSD_DOWN": {"severity": "HEALTH_WARN", "summary": {"message": "1 osds down", "count": 1}}}},
        "quorum_names": ["pve1", "pve2"], "monmap": {"num_mons": 3}, "osdmap": {"num_osds": 6, "num_up_osds": 5, "num_in_osds": 6},
        "pgmap": {"bytes_total": 100, "bytes_used": 40, "num_pgs": 33, "misplaced_ratio": 0.125}})).unwrap();
    assert_eq!((ceph.health.as_deref(), ceph.checks[0].message.as_deref()), (Some("HEALTH_WARN"), Some("1 osds down")));
    assert_eq!(
        (ceph.monitors, ceph.monitors_in_quorum, ceph.osds_up, ceph.misplaced_percent),
        (Some(3), Some(2), Some(5), Some(12.5))
    );
}

proptest! {
    #[test]
    fn no_answer_makes_a_decoder_of_facts_panic(data in anything(), text in "\\PC{0,80}") {
        let filled = json!({"status": text, "level": text, "key": text, "flags": text, "health": text, "wearout": text,
            "devpath": text, "crs": text, "children": [{"name": text, "children": [data]}], "cpuinfo": {"cores": text}});
        for data in [&data, &filled, &json!([data]), &json!([filled])] {
            let (mut node, mut cluster, mut pool) = (NodeInventory::default(), ClusterFacts::default(), NodeZfsPool::default());
            let (mut ha, mut zones) = (HaFacts::default(), Vec::new());
            let _seen = (
                node_machine::status_into(data, &mut node).is_ok(), node_machine::pci(data).is_ok(),
                node_machine::usb(data).is_ok(), node_machine::disks(data).is_ok(), node_machine::zfs(data).is_ok(),
                node_machine::zfs_pool_into(data, &mut pool).is_ok(), node_machine::interfaces(data).is_ok(),
                node_software::services(data).is_ok(), node_software::certificates(data).is_ok(),
                node_software::updates(data).is_ok(), node_software::packages(data).is_ok(),
                node_software::repositories(data).is_ok(), subscription::license(data).is_ok(),
            );
            let _seen = (
                node_software::time_into(data, Timestamp::UNIX_EPOCH, &mut node).is_ok(),
                node_software::dns_into(data, &mut node).is_ok(), cluster_members::status_into(data, &mut cluster).is_ok(),
                cluster_members::votes_into(data, &mut cluster).is_ok(), cluster_members::options_into(data, &mut cluster).is_ok(),
                cluster_members::zones(data).is_ok(), cluster_members::vnets(data).is_ok(),
                cluster_members::zone_states_into(data, &mut zones).is_ok(), cluster_ha::status(data).is_ok(),
                cluster_ha::manager_into(data, &mut ha).is_ok(), cluster_ha::resources_into(data, &mut ha).is_ok(),
                cluster_ha::rules(data).is_ok(), cluster_ha::groups(data).is_ok(), cluster_jobs::ceph(data).is_ok(),
                cluster_jobs::replication(data).is_ok(), cluster_jobs::backup_jobs(data).is_ok(),
                cluster_jobs::not_backed_up(data).is_ok(), cluster_jobs::failed_tasks(data).is_ok(),
            );
        }
    }
}
