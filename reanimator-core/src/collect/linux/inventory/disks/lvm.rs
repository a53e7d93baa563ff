//! LVM: `vgs`, `pvs` and `lvs` as JSON, which they have known since 2.02.158.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Answers, Question, bound, note, plain};
use crate::model::{
    Unseen,
    facts::disks::{LogicalVolume, PhysicalVolume, VolumeGroup},
};

const NAME: &str = "disks.lvm";

/// The most volumes that are kept of one host.
const VOLUMES_LIMIT: usize = 2048;

pub(super) fn question() -> Question {
    const HOW: &str = "--reportformat json --units b --nosuffix";
    Question::with_tool(
        NAME,
        "vgs",
        format!(
            "$T20 vgs {HOW} -o vg_name,vg_size,vg_free,vg_missing_pv_count; \
             $T20 pvs {HOW} -o pv_name,vg_name,pv_size,pv_free,pv_missing; \
             $T20 lvs {HOW} -o lv_name,vg_name,lv_size,lv_layout,pool_lv,origin,data_percent,metadata_percent,\
             copy_percent,lv_active,lv_health_status"
        ),
    )
}

pub(super) fn parse(answers: &Answers, expected: bool, unseen: &mut Vec<Unseen>) -> Vec<VolumeGroup> {
    note(answers, NAME, "LVM", expected, unseen);
    let mut groups: BTreeMap<String, VolumeGroup> = BTreeMap::new();
    let mut volumes = 0;
    for row in rows(answers.text(NAME), "vg") {
        let Some(name) = plain::text(&row, "vg_name") else { continue };
        let group = VolumeGroup {
            name: name.clone(),
            size_bytes: plain::bytes(&row, "vg_size"),
            free_bytes: plain::bytes(&row, "vg_free"),
            missing_members: plain::count(&row, "vg_missing_pv_count"),
            ..VolumeGroup::default()
        };
        groups.insert(name, group);
    }
    for row in rows(answers.text(NAME), "pv") {
        if let Some(group) = plain::text(&row, "vg_name").and_then(|name| groups.get_mut(&name)) {
            group.physical_volumes.push(physical_volume(&row));
        }
    }
    for row in rows(answers.text(NAME), "lv").take(VOLUMES_LIMIT + 1) {
        let Some(group) = plain::text(&row, "vg_name").and_then(|name| groups.get_mut(&name)) else { continue };
        volumes += 1;
        if volumes <= VOLUMES_LIMIT {
            group.logical_volumes.extend(logical_volume(&row));
        }
    }
    if volumes > VOLUMES_LIMIT {
        unseen.push(Unseen::new("LVM volumes", format!("only the first {VOLUMES_LIMIT} are kept")));
    }
    if groups.is_empty() && expected && !answers.text(NAME).trim().is_empty() {
        unseen.push(Unseen::new("LVM", if answers.root { "vgs names no volume group" } else { "needs root" }));
    }
    let mut groups: Vec<VolumeGroup> = groups.into_values().collect();
    bound(&mut groups, VOLUMES_LIMIT, "volume groups", unseen);
    for group in &mut groups {
        group.health = group.judge();
    }
    groups
}

/// The rows of that kind in all reports.
fn rows(text: &str, kind: &'static str) -> impl Iterator<Item = Value> {
    plain::documents(text).flat_map(move |document| {
        let reports = plain::list(&document, "report");
        reports.iter().flat_map(|report| plain::list(report, kind)).cloned().collect::<Vec<_>>()
    })
}

fn physical_volume(row: &Value) -> PhysicalVolume {
    PhysicalVolume {
        path: plain::text(row, "pv_name").unwrap_or_default(),
        size_bytes: plain::bytes(row, "pv_size"),
        free_bytes: plain::bytes(row, "pv_free"),
        missing: plain::text(row, "pv_missing").is_some_and(|word| word != "0"),
    }
}

fn logical_volume(row: &Value) -> Option<LogicalVolume> {
    Some(LogicalVolume {
        name: plain::text(row, "lv_name")?,
        kind: plain::text(row, "lv_layout"),
        size_bytes: plain::bytes(row, "lv_size"),
        pool: plain::text(row, "pool_lv"),
        origin: plain::text(row, "origin"),
        data_percent: plain::percent(row, "data_percent"),
        metadata_percent: plain::percent(row, "metadata_percent"),
        synced_percent: plain::percent(row, "copy_percent"),
        // `active`, `active exclusively`; nothing where it is not.
        active: row["lv_active"].as_str().filter(|word| *word != "unknown").map(|word| word.starts_with("active")),
        trouble: plain::text(row, "lv_health_status"),
    })
}
