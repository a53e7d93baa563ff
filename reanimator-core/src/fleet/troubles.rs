//! What is wrong with a host or cluster by its facts alone: pure. What depends on the time is added when it is shown.

use std::collections::BTreeSet;

use crate::model::{
    attention::{
        AttentionKind,
        AttentionLevel::{Critical, Notice, Warning},
        Trouble,
    },
    facts::{HostFacts, cluster::ClusterFacts, pve_node::NodeInventory, sensors::Temperature},
};

/// How many are kept of one host or cluster: a broken shelf has many disks, and a hostile host may claim any number.
const KEPT: usize = 64;

/// What is wrong with a host.
pub(super) fn of_host(facts: &HostFacts) -> Vec<Trouble> {
    let disks = facts.disks.iter().flat_map(|disks| disks.facts.troubles());
    let warm = facts.sensors.iter().flat_map(|sensors| &sensors.facts.temperatures).filter(|each| each.too_warm());
    let node = facts.proxmox.iter().flat_map(|node| of_node(&node.facts));
    let mut known = BTreeSet::new();
    // A shell and the API may tell of the same disk or pool.
    let first = |each: &Trouble| known.insert(same(each));
    disks.chain(warm.map(too_warm)).chain(node).filter(first).take(KEPT).collect()
}

/// What two sources say of one thing is equal in this.
fn same(trouble: &Trouble) -> (AttentionKind, String) {
    let value = |name: &str| trouble.values.get(name).map_or("", String::as_str);
    let disk = value("disk").trim_start_matches("/dev/");
    let thing = match (trouble.kind, value("trouble")) {
        (AttentionKind::DiskHealth, "failed") => format!("{disk} failed"),
        (AttentionKind::Pool, "state") => format!("{} state", value("pool")),
        _ => trouble.what.clone(),
    };
    (trouble.kind, thing)
}

fn too_warm(reading: &Temperature) -> Trouble {
    let reached = |limit: &Option<f64>| limit.filter(|limit| reading.celsius >= *limit);
    let critical = reached(&reading.critical_celsius);
    let level = if critical.is_some() { Critical } else { Warning };
    let sensor = format!("{} {}", reading.chip, reading.label);
    let what = format!("{sensor} reads {:.0} °C, its limit is reached", reading.celsius);
    Trouble::new(AttentionKind::Temperature, level, what)
        .with("sensor", sensor.trim())
        .with("celsius", format!("{:.0}", reading.celsius))
        .with_known("limit", critical.or(reached(&reading.high_celsius)).map(|limit| format!("{limit:.0}")))
}

fn of_node(node: &NodeInventory) -> Vec<Trouble> {
    let failing = node.disks.iter().flatten().filter(|disk| disk.is_failing());
    let failing = failing.map(|disk| {
        Trouble::new(AttentionKind::DiskHealth, Critical, format!("SMART of {} failed", disk.name))
            .with("disk", &disk.name)
            .with("trouble", "failed")
    });
    let unwell = node.zfs.iter().flatten().filter_map(|pool| Some((pool, pool.health.as_deref()?)));
    let pools = unwell.filter(|(_, health)| *health != "ONLINE").map(|(pool, health)| {
        Trouble::new(AttentionKind::Pool, Critical, format!("pool {} is {health}", pool.name))
            .with("pool", &pool.name)
            .with("type", "zfs")
            .with("trouble", "state")
            .with("state", health)
    });
    let services = node.services.iter().flatten().filter(|service| service.is_failed());
    let services = services.map(|service| {
        Trouble::new(AttentionKind::Service, Critical, format!("the service {} failed", service.name))
            .with("service", &service.name)
    });
    failing.chain(pools).chain(services).chain(subscription(node)).collect()
}

/// One that was there and does not hold any more; none at all is a choice.
fn subscription(node: &NodeInventory) -> Option<Trouble> {
    let status = node.license.as_ref()?.status.as_deref()?;
    let what = match status {
        "expired" => "its subscription has expired",
        "invalid" => "its subscription is invalid",
        "suspended" => "its subscription is suspended",
        _ => return None,
    };
    Some(Trouble::new(AttentionKind::Subscription, Notice, what).with("status", status))
}

/// What is wrong with a cluster.
pub(super) fn of_cluster(facts: &ClusterFacts) -> Vec<Trouble> {
    let quorum =
        (facts.quorate == Some(false)).then(|| Trouble::new(AttentionKind::NoQuorum, Critical, "it has lost quorum"));
    let ha = facts.ha.iter().flat_map(|ha| &ha.resources);
    let ha = ha.filter(|each| each.state.as_deref() == Some("error")).map(|each| {
        let what = format!("high availability of {} is in error", each.id);
        Trouble::new(AttentionKind::HighAvailability, Critical, what).with("resource", &each.id)
    });
    let jobs = facts.replication.iter().flatten().filter(|job| !job.disabled);
    let jobs = jobs.filter_map(|job| {
        let count = job.fail_count.filter(|count| *count > 0)?;
        let trouble = Trouble::new(AttentionKind::Replication, Critical, format!("replication {} fails", job.id));
        let trouble = trouble.with("job", &job.id).with("count", count).with_known("error", job.error.as_ref());
        Some(trouble.since(job.last_sync))
    });
    quorum.into_iter().chain(ha).chain(jobs).chain(ceph(facts)).take(KEPT).collect()
}

fn ceph(facts: &ClusterFacts) -> Option<Trouble> {
    let ceph = facts.ceph.as_ref()?;
    let health = ceph.health.as_deref().filter(|health| *health != "HEALTH_OK")?;
    let level = if health == "HEALTH_WARN" { Warning } else { Critical };
    let checks: Vec<&str> = ceph.checks.iter().map(|check| check.name.as_str()).collect();
    let trouble = Trouble::new(AttentionKind::Ceph, level, format!("Ceph says {health}")).with("health", health);
    Some(trouble.with_known("checks", (!checks.is_empty()).then(|| checks.join(", "))))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::facts::{
        Dated,
        cluster::{CephCheck, CephFacts, HaFacts, HaResource, ReplicationJob},
        disks::{Disks, Smart, ZfsPool},
        license::License,
        pve_node::{NodeDisk, NodeService, NodeZfsPool},
        sensors::Sensors,
    };

    fn dated<T: Default>(facts: T) -> Option<Dated<T>> {
        Some(Dated { at: Timestamp::UNIX_EPOCH, facts, ..Dated::default() })
    }

    fn told(troubles: &[Trouble]) -> Vec<String> {
        troubles.iter().map(|each| format!("{:?} {:?}: {}", each.level, each.kind, each.what)).collect()
    }

    #[test]
    fn a_shell_and_the_api_tell_of_the_same_disk_and_pool_once() {
        let smart = Smart { device: "sda".into(), passed: Some(false), ..Smart::default() };
        let pool = ZfsPool { name: "tank".into(), state: "DEGRADED".into(), ..ZfsPool::default() };
        let node = NodeInventory {
            disks: Some(vec![NodeDisk {
                name: "/dev/sda".into(),
                health: Some("FAILED!".into()),
                ..NodeDisk::default()
            }]),
            zfs: Some(vec![NodeZfsPool {
                name: "tank".into(),
                health: Some("DEGRADED".into()),
                ..NodeZfsPool::default()
            }]),
            services: Some(vec![NodeService {
                name: "pveproxy".into(),
                active_state: Some("failed".into()),
                ..NodeService::default()
            }]),
            license: Some(License { status: Some("expired".into()), ..License::default() }),
            ..NodeInventory::default()
        };
        let facts = HostFacts {
            disks: dated(Disks { smart: vec![smart], zfs_pools: vec![pool], ..Disks::default() }),
            proxmox: dated(node),
            ..HostFacts::default()
        };
        assert_eq!(
            told(&of_host(&facts)),
            [
                "Critical DiskHealth: SMART of sda failed: the disk expects to die",
                "Critical Pool: pool tank is DEGRADED",
                "Critical Service: the service pveproxy failed",
                "Notice Subscription: its subscription has expired",
            ]
        );
    }

    #[test]
    fn a_sensor_at_its_critical_limit_is_worse_than_one_that_is_only_high() {
        let reading = |label: &str, celsius, high, critical| Temperature {
            chip: "nvme".into(),
            label: label.into(),
            celsius,
            high_celsius: high,
            critical_celsius: critical,
            ..Temperature::default()
        };
        let temperatures = vec![
            reading("fine", 60.0, Some(80.0), None),
            reading("high", 81.0, Some(80.0), Some(90.0)),
            reading("hot", 90.4, None, Some(90.0)),
        ];
        let facts =
            HostFacts { sensors: dated(Sensors { temperatures, ..Sensors::default() }), ..HostFacts::default() };
        let troubles = of_host(&facts);
        let values = |index: usize| {
            let each: &Trouble = &troubles[index];
            (each.level, each.values["sensor"].as_str(), each.values["celsius"].as_str(), each.values["limit"].as_str())
        };
        assert_eq!(troubles.len(), 2);
        assert_eq!(values(0), (Warning, "nvme high", "81", "80"));
        assert_eq!(values(1), (Critical, "nvme hot", "90", "90"));
    }

    #[test]
    fn a_host_cannot_claim_any_number_of_troubles() {
        let smart =
            (0..1000).map(|number| Smart { device: format!("sd{number}"), passed: Some(false), ..Smart::default() });
        let facts =
            HostFacts { disks: dated(Disks { smart: smart.collect(), ..Disks::default() }), ..HostFacts::default() };
        assert_eq!(of_host(&facts).len(), KEPT);
    }

    #[test]
    fn a_cluster_tells_of_quorum_high_availability_replication_and_ceph() {
        let last = Timestamp::from_second(1_000).ok();
        let job = |id: &str, fails, disabled| ReplicationJob {
            id: id.into(),
            fail_count: Some(fails),
            last_sync: last,
            error: Some("no room".into()),
            disabled,
            ..ReplicationJob::default()
        };
        let resource =
            |id: &str, state: &str| HaResource { id: id.into(), state: Some(state.into()), ..HaResource::default() };
        let facts = ClusterFacts {
            quorate: Some(false),
            ha: Some(HaFacts {
                resources: vec![resource("vm:100", "error"), resource("vm:101", "started")],
                ..HaFacts::default()
            }),
            replication: Some(vec![job("100-0", 3, false), job("101-0", 0, false), job("102-0", 9, true)]),
            ceph: Some(CephFacts {
                health: Some("HEALTH_WARN".into()),
                checks: vec![CephCheck { name: "OSD_DOWN".into(), ..CephCheck::default() }],
                ..CephFacts::default()
            }),
            ..ClusterFacts::default()
        };
        let troubles = of_cluster(&facts);
        assert_eq!(
            told(&troubles),
            [
                "Critical NoQuorum: it has lost quorum",
                "Critical HighAvailability: high availability of vm:100 is in error",
                "Critical Replication: replication 100-0 fails",
                "Warning Ceph: Ceph says HEALTH_WARN",
            ]
        );
        assert_eq!((troubles[2].since, troubles[2].values["error"].as_str()), (last, "no room"));
        assert_eq!(troubles[3].values["checks"], "OSD_DOWN");
        assert!(of_cluster(&ClusterFacts::default()).is_empty());
    }
}
