//! The rules that a new fleet begins with.

use super::{
    super::attention::{
        AttentionKind,
        AttentionLevel::{self, Critical, Warning},
    },
    AlertCondition, AlertRule, Direction,
};

/// The rules that a new fleet begins with: each may be changed, switched off and removed.
///
/// ```
/// for rule in reanimator_core::model::default_rules() {
///     rule.check()?;
/// }
/// # Ok::<(), reanimator_core::Error>(())
/// ```
pub fn default_rules() -> Vec<AlertRule> {
    let all = || Some("all".to_owned());
    let hosts = |name, level, condition, comment| AlertRule { hosts: all(), ..rule(name, level, condition, comment) };
    let full = AlertCondition::Threshold {
        metric: "disk_percent".to_owned(),
        enter: 90.0,
        leave: 85.0,
        for_seconds: 300,
        direction: Direction::Above,
    };
    let memory = AlertCondition::Threshold {
        metric: "memory_percent".to_owned(),
        enter: 95.0,
        leave: 90.0,
        for_seconds: 600,
        direction: Direction::Above,
    };
    let filling = AlertCondition::Filling { within_hours: 72, from_percent: 30.0 };
    let storages = |name, condition, comment| AlertRule {
        storages: all(),
        guests: Some("kind:lxc".to_owned()),
        ..rule(name, Warning, condition, comment)
    };
    let cluster = attention(
        &[
            AttentionKind::Offline,
            AttentionKind::NoQuorum,
            AttentionKind::Ceph,
            AttentionKind::HighAvailability,
            AttentionKind::Replication,
        ],
        120,
    );
    let backup = attention(&[AttentionKind::BackupFailed, AttentionKind::BackupOld], 0);
    vec![
        hosts("offline", Critical, AlertCondition::Offline { for_seconds: 120 }, "a host does not answer"),
        storages("disk-filling", filling, "a disk will be full within three days, by its trend"),
        storages("disk-full", full, "a disk is nearly full"),
        hosts("memory", Warning, memory, "memory is nearly used up"),
        hosts("temperature", Warning, attention(&[AttentionKind::Temperature], 120), "a sensor is too warm"),
        hosts(
            "smart",
            Critical,
            attention(&[AttentionKind::DiskHealth, AttentionKind::Pool, AttentionKind::PoolFull], 0),
            "a disk or a pool is not as it should be",
        ),
        hosts(
            "failed-unit",
            Warning,
            attention(&[AttentionKind::FailedUnits, AttentionKind::Service], 120),
            "a unit or a service of Proxmox has failed",
        ),
        AlertRule {
            clusters: all(),
            guests: all(),
            ..rule("backup", Warning, backup, "a backup has failed, or is older than it should be")
        },
        hosts("certificate", Warning, AlertCondition::Certificate { within_days: 14 }, "a certificate is near its end"),
        AlertRule { clusters: all(), ..rule("cluster", Critical, cluster, "a cluster is not as it should be") },
    ]
}

fn rule(name: &str, level: AttentionLevel, condition: AlertCondition, comment: &str) -> AlertRule {
    AlertRule {
        name: name.to_owned(),
        enabled: true,
        level,
        hosts: None,
        guests: None,
        storages: None,
        clusters: None,
        condition,
        comment: comment.to_owned(),
        built_in: true,
        revision: 0,
    }
}

fn attention(kinds: &[AttentionKind], for_seconds: u64) -> AlertCondition {
    AlertCondition::Attention { kinds: kinds.iter().copied().collect(), least: Warning, for_seconds }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn they_are_sound_marked_and_named_once() {
        let rules = default_rules();
        let names: std::collections::BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names.len(), rules.len());
        for rule in &rules {
            rule.check().unwrap();
            assert!(rule.built_in && !rule.comment.is_empty());
        }
    }
}
