//! Block devices, SMART and mounts.

use serde_json::{Value, json};

use super::{Asked, Said, lacks};
use crate::answers;

/// Sectors are counted in half a KiB.
const SECTOR: u64 = 512;

pub(super) fn answer(name: &str, asked: &Asked<'_>) -> Option<Said> {
    Some(match name {
        "disks.block" => format!("{:#}\n", block(asked)).into(),
        // A virtual disk has no SMART, and an SD card neither.
        "disks.smart" if asked.is_virtual() || asked.is_raspberry_pi() => "".into(),
        "disks.smart" => smart(asked).into(),
        "disks.lvm" => lacks("vgs"),
        "disks.md" => "/proc/mdstat:Personalities : \n/proc/mdstat:unused devices: <none>\n".into(),
        "disks.zfs" => lacks("zpool"),
        "disks.btrfs" => "".into(),
        "disks.mounts" => mounts(asked).into(),
        _ => return None,
    })
}

/// The disk's size: the root file system with a few percent around it.
fn size(asked: &Asked<'_>) -> u64 {
    let bytes = asked.figures.disk_kib.0 * 1024;
    (bytes + bytes / 20) / SECTOR * SECTOR
}

fn model(asked: &Asked<'_>) -> Option<&'static str> {
    match asked.machine.system.disk {
        "sda" => Some("Samsung SSD 870 EVO"),
        "nvme0n1" => Some("Samsung SSD 970 EVO Plus"),
        _ => None,
    }
}

fn transport(asked: &Asked<'_>) -> Option<&'static str> {
    match asked.machine.system.disk {
        "sda" => Some("sata"),
        "nvme0n1" => Some("nvme"),
        "vda" => Some("virtio"),
        _ => None,
    }
}

fn serial(asked: &Asked<'_>) -> Option<String> {
    model(asked).map(|_| asked.serial(70))
}

fn block(asked: &Asked<'_>) -> Value {
    let system = asked.machine.system;
    let device = |name: &str, kind: &str, size: u64, mount: Option<&str>| {
        json!({
            "path": format!("/dev/{name}"), "mountpoints": [mount], "name": name, "kname": name, "type": kind,
            "size": size, "model": null, "vendor": null, "serial": null, "wwn": null, "rev": null, "rota": false,
            "tran": null, "rm": false, "ro": false, "fstype": null, "label": null, "uuid": null, "sched": "mq-deadline",
        })
    };
    let mut disk = device(system.disk, "disk", size(asked), None);
    disk["model"] = json!(model(asked));
    disk["serial"] = json!(serial(asked));
    disk["tran"] = json!(transport(asked));
    let mut root = device(system.partition, "part", asked.figures.disk_kib.0 * 1024, Some("/"));
    root["fstype"] = json!("ext4");
    root["uuid"] = json!(asked.machine.uuid);
    disk["children"] = json!([root]);
    json!({ "blockdevices": [disk] })
}

fn smart(asked: &Asked<'_>) -> String {
    let nvme = asked.machine.system.disk == "nvme0n1";
    let (device, kind) = if nvme { ("/dev/nvme0", "nvme") } else { ("/dev/sda", "sat") };
    let answer = if nvme { of_nvme(asked) } else { of_sata(asked) };
    format!("@disk {device} {kind}\n{answer}\n\n")
}

/// What it has been through: hours, percent of its life used, and whether it fails.
fn life(asked: &Asked<'_>) -> (u64, u64, bool) {
    let used = if asked.one_in(12, 71) { 91 + asked.draw(72, 15) } else { asked.draw(73, 60) };
    (2000 + asked.draw(74, 50_000), used, asked.one_in(40, 75))
}

fn head(asked: &Asked<'_>, device: &str, kind: &str, protocol: &str, passed: bool) -> Value {
    let (hours, _, _) = life(asked);
    let celsius = asked.millidegrees(30.0, 52.0) / 1000;
    json!({
        "json_format_version": [1, 0],
        "smartctl": {"version": [7, 3], "exit_status": if passed { 0 } else { 24 }},
        "device": {"name": device, "info_name": device, "type": kind, "protocol": protocol},
        "model_name": model(asked),
        "serial_number": serial(asked),
        "firmware_version": "SVT02B6Q",
        "user_capacity": {"blocks": size(asked) / SECTOR, "bytes": size(asked)},
        "logical_block_size": SECTOR,
        "rotation_rate": 0,
        "smart_status": {"passed": passed},
        "temperature": {"current": celsius},
        "power_on_time": {"hours": hours},
        "power_cycle_count": asked.draw(76, 200),
    })
}

fn of_sata(asked: &Asked<'_>) -> Value {
    let (hours, used, fails) = life(asked);
    let written = asked.figures.disk_bytes.1 / SECTOR;
    let attribute = |id: u64, name: &str, value: u64, thresh: u64, raw: u64, failed: &str| {
        json!({"id": id, "name": name, "value": value, "worst": value, "thresh": thresh, "when_failed": failed,
               "raw": {"value": raw, "string": raw.to_string()}})
    };
    let (reallocated, when) = if fails { (1975, "now") } else { (0, "") };
    let mut said = head(asked, "/dev/sda", "sat", "ATA", !fails);
    said["ata_smart_attributes"] = json!({"revision": 1, "table": [
        attribute(5, "Reallocated_Sector_Ct", if fails { 1 } else { 100 }, 10, reallocated, when),
        attribute(9, "Power_On_Hours", 95, 0, hours, ""),
        attribute(177, "Wear_Leveling_Count", 100_u64.saturating_sub(used).max(1), 0, used * 12, ""),
        attribute(197, "Current_Pending_Sector", 100, 0, if fails { 8 } else { 0 }, ""),
        attribute(199, "CRC_Error_Count", 100, 0, 0, ""),
        attribute(241, "Total_LBAs_Written", 99, 0, written, ""),
    ]});
    said["ata_smart_self_test_log"] = json!({"standard": {"revision": 1, "count": 0}});
    said
}

fn of_nvme(asked: &Asked<'_>) -> Value {
    let (hours, used, fails) = life(asked);
    let mut said = head(asked, "/dev/nvme0", "nvme", "NVMe", !fails);
    if let Some(head) = said.as_object_mut() {
        head.remove("rotation_rate");
    }
    said["nvme_smart_health_information_log"] = json!({
        "critical_warning": if fails { 4 } else { 0 },
        "temperature": asked.millidegrees(30.0, 52.0) / 1000,
        "available_spare": if fails { 6 } else { 100 },
        "available_spare_threshold": 10,
        "percentage_used": used,
        "data_units_read": asked.figures.disk_bytes.0 / 512_000,
        "data_units_written": asked.figures.disk_bytes.1 / 512_000,
        "power_cycles": asked.draw(76, 200),
        "power_on_hours": hours,
        "unsafe_shutdowns": asked.draw(77, 30),
        "media_errors": if fails { 7 } else { 0 },
        "num_err_log_entries": 0,
        "warning_temp_time": 0,
        "critical_comp_time": 0,
    });
    said
}

fn mounts(asked: &Asked<'_>) -> String {
    let mut text = answers::mounts(asked.machine);
    if asked.one_in(8, 78) {
        text += "192.0.2.9:/srv/media /mnt/media nfs4 rw,relatime,vers=4.2,proto=tcp,clientaddr=192.0.2.10 0 0\n";
    }
    text + "@swaps\nFilename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/swapfile\t\t\t\tfile\t\t1048572\t\t8572\t\t-2\n"
}
