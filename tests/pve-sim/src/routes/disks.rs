//! `/nodes/{node}/disks`: disks with their health, and ZFS pools.
//!
//! All of it is unrecorded (the recorded node had none of its own); it follows
//! the description of the API and its source. The second node of every cluster
//! has a disk that fails, and the pool on it is degraded.

use serde_json::{Value, json};

use super::{Call, Handler};
use crate::refusal::{Answer, Refusal};

/// The handler for a path below `/nodes/{node}`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "disks/list") => disks,
        ("GET", "disks/smart") => smart,
        ("GET", "disks/zfs") => pools,
        ("GET", "disks/zfs/{name}") => pool,
        ("GET", "disks/directory") => |_: &mut Call<'_>| Ok(json!([]).into()),
        _ => return None,
    })
}

/// Whether something is wrong with the disks of the node that answers.
fn is_unwell(call: &Call<'_>) -> bool {
    call.node == 1
}

/// Name, type, model, size, use, turns, wear as the API counts it.
type Disk = (&'static str, &'static str, &'static str, u64, &'static str, i64, Option<u8>);

const DISKS: [Disk; 3] = [
    ("nvme0n1", "nvme", "SIMULATED NVMe 1TB", 1_000_204_886_016, "LVM", 0, Some(97)),
    ("sda", "ssd", "SIMULATED SSD 480GB", 480_103_981_056, "ZFS", 0, Some(71)),
    ("sdb", "hdd", "SIMULATED HDD 500GB", 500_107_862_016, "ZFS", 7200, None),
];

fn disks(call: &mut Call<'_>) -> Answer {
    let serial = &call.cluster.nodes[call.node].hardware.serial;
    let unwell = is_unwell(call);
    let list = DISKS.iter().enumerate().map(|(number, (name, kind, model, size, used, rpm, wear))| {
        let mut disk = json!({
            "devpath": format!("/dev/{name}"),
            "by_id_link": format!("/dev/disk/by-id/{kind}-SIM_{serial}_{number}"),
            "type": kind,
            "vendor": "unknown",
            "model": model,
            "serial": format!("S{}{number}", &serial[..12]),
            "size": size,
            "gpt": 1,
            "used": used,
            "rpm": rpm,
            "wwn": format!("eui.{}", &serial[..16]),
            "osdid": -1,
            "osdid-list": null,
        });
        if !call.params.flag("skipsmart") {
            let (fails, worn) = (unwell && *name == "sdb", unwell && *name == "sda");
            disk["health"] = json!(if fails { "FAILED!" } else { "PASSED" });
            disk["wearout"] = match wear {
                Some(_) if worn => json!(4),
                Some(left) => json!(left),
                None => json!("N/A"),
            };
        }
        disk
    });
    Ok(list.collect::<Value>().into())
}

fn smart(call: &mut Call<'_>) -> Answer {
    let disk = call.params.string("disk");
    if !DISKS.iter().any(|(name, ..)| disk == format!("/dev/{name}")) {
        return Err(Refusal::died(format!("no such disk '{disk}'")));
    }
    Ok(json!({
        "health": "PASSED",
        "type": "text",
        "text": "\nSMART/Health Information (NVMe Log 0x02)\n\
            Critical Warning:                   0x00\n\
            Temperature:                        41 Celsius\n\
            Percentage Used:                    3%\n\
            Power On Hours:                     9,312\n",
    })
    .into())
}

fn pools(call: &mut Call<'_>) -> Answer {
    let size = 480_u64 << 30;
    let allocated = size / 3;
    Ok(json!([{
        "name": "tank", "health": if is_unwell(call) { "DEGRADED" } else { "ONLINE" },
        "size": size, "alloc": allocated, "free": size - allocated, "frag": 17, "dedup": 1.0,
    }])
    .into())
}

fn pool(call: &mut Call<'_>) -> Answer {
    let name = call.params.string("name");
    if name != "tank" {
        return Err(Refusal::died(format!("cannot open '{name}': no such pool")));
    }
    let unwell = is_unwell(call);
    let state = if unwell { "DEGRADED" } else { "ONLINE" };
    let device = |name: &str, state: &str, errors: [u64; 3]| {
        json!({"name": name, "state": state, "read": errors[0], "write": errors[1], "cksum": errors[2], "msg": "",
            "leaf": 1})
    };
    let second = match unwell {
        true => device("sdb", "FAULTED", [3, 61, 0]),
        false => device("sdb", "ONLINE", [0; 3]),
    };
    let mut answer = json!({
        "name": "tank", "state": state, "errors": "No known data errors",
        "scan": "scrub repaired 0B in 00:41:12 with 0 errors on Sun Nov  8 01:05:13 2026",
        "children": [{"name": "tank", "state": state, "read": 0, "write": 0, "cksum": 0, "msg": "", "leaf": 0,
            "children": [{"name": "mirror-0", "state": state, "read": 0, "write": 0, "cksum": 0, "msg": "",
                "leaf": 0, "children": [device("sda", "ONLINE", [0; 3]), second]}]}],
    });
    if unwell {
        answer["status"] = json!(
            "One or more devices are faulted in response to persistent errors. Sufficient replicas exist for \
             the pool to continue functioning in a degraded state."
        );
        answer["action"] = json!("Replace the faulted device, or use 'zpool clear' to mark the device repaired.");
    }
    Ok(answer.into())
}
