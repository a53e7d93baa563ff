//! SMART, by `smartctl` for each disk that it finds.
//!
//! A disk in standby is left there (`-n standby`). JSON is known since smartmontools 7.0. What the answers mean follows
//! `ataprint.cpp`, `nvmeprint.cpp` and `scsiprint.cpp` of smartmontools; what an attribute means depends on the maker, so
//! attributes are read by the name that its data base of drives gives them.

use serde_json::Value;

use super::{Answers, Question, plain};
use crate::model::{
    Unseen,
    facts::disks::{BlockDevice, SelfTest, Smart},
    units::Bytes,
};

const NAME: &str = "disks.smart";

/// The most disks that are asked on one host.
const DISKS_LIMIT: usize = 48;

/// How long all of them may take together; those that are not reached by then are noted.
const SECONDS_LIMIT: usize = 60;

/// NVMe counts data in thousands of sectors of 512 bytes.
const NVME_UNIT: u64 = 512_000;

pub(super) fn question() -> Question {
    Question::with_tool(
        NAME,
        "smartctl",
        format!(
            "end=$(( $(date +%s) + {SECONDS_LIMIT} )); $T10 smartctl --scan-open | head -n {DISKS_LIMIT} | \
             while read -r device d type rest; do case $device in /dev/*) echo \"@disk $device $type\"; \
             if [ $(date +%s) -lt $end ]; then \
             $T10 smartctl --json=c -n standby -a -d \"$type\" \"$device\" </dev/null; echo; fi ;; esac; done"
        ),
    )
}

pub(super) fn parse(answers: &Answers, devices: &[BlockDevice], unseen: &mut Vec<Unseen>) -> Vec<Smart> {
    let text = answers.text(NAME);
    if text.trim().is_empty() {
        // Virtual disks have no SMART: where there are no others, nothing is missed.
        if devices.is_empty() || devices.iter().any(may_tell) {
            let why = answers.get(NAME).map_or("it was not asked".to_owned(), |answer| match answer.lacks() {
                None if !answers.root => "needs root".to_owned(),
                _ => answer.why(answers.root),
            });
            unseen.push(Unseen::new("SMART", why));
        }
        return Vec::new();
    }
    let mut disks = Vec::new();
    for part in text.split("@disk ").skip(1).take(DISKS_LIMIT) {
        let (head, json) = part.split_once('\n').unwrap_or((part, ""));
        let device = name_of(head);
        match serde_json::from_str(json).ok().map(|json| read(&json, &device)) {
            Some(Ok(disk)) => disks.push(disk),
            Some(Err(why)) => unseen.push(Unseen::new(format!("SMART of {device}"), why)),
            None => unseen.push(Unseen::new(format!("SMART of {device}"), why_no_json(json))),
        }
    }
    disks
}

fn may_tell(device: &BlockDevice) -> bool {
    device.kind == "disk" && ["sd", "nvme", "hd"].iter().any(|prefix| device.name.starts_with(prefix))
}

/// `/dev/sda sat` is `sda`; behind a controller the type says which disk it is: `bus/0 megaraid,3`.
fn name_of(head: &str) -> String {
    let (path, kind) = head.split_once(' ').unwrap_or((head, ""));
    let name = path.strip_prefix("/dev/").unwrap_or(path);
    let name = if kind.contains(',') { format!("{name} {kind}") } else { name.to_owned() };
    plain::clip(&name).unwrap_or_default()
}

fn why_no_json(text: &str) -> &'static str {
    match text {
        _ if text.trim().is_empty() => "no answer in time",
        _ if text.contains("json") || text.contains("option") => "smartctl is older than 7.0",
        _ => "the answer is no JSON",
    }
}

/// One answer; an error is the reason why it says nothing.
fn read(json: &Value, device: &str) -> Result<Smart, String> {
    let messages = plain::list(&json["smartctl"], "messages");
    let messages: Vec<String> = messages.iter().filter_map(|message| plain::text(message, "string")).collect();
    if messages.iter().any(|message| is_asleep(message)) {
        return Ok(Smart { device: device.to_owned(), asleep: true, ..Smart::default() });
    }
    let mut disk = common(json, device);
    read_ata(json, &mut disk);
    read_nvme(json, &mut disk);
    read_scsi(json, &mut disk);
    let says = disk.passed.is_some() || disk.temperature_celsius.is_some() || disk.power_on_hours.is_some();
    if !says {
        return Err(messages.into_iter().next().unwrap_or_else(|| "the disk does not support it".to_owned()));
    }
    disk.health = disk.judge();
    Ok(disk)
}

/// `Device is in STANDBY mode, exit(2)`. The exit status alone does not tell: it is that of a disk that cannot be opened.
fn is_asleep(message: &str) -> bool {
    message.starts_with("Device is in ") && ["STANDBY", "SLEEP"].iter().any(|mode| message.contains(mode))
}

fn common(json: &Value, device: &str) -> Smart {
    let bounded = |name: &str| plain::text(json, name);
    Smart {
        device: device.to_owned(),
        protocol: plain::text(&json["device"], "protocol"),
        model: bounded("model_name").or_else(|| bounded("scsi_model_name")),
        serial: bounded("serial_number"),
        firmware: bounded("firmware_version").or_else(|| bounded("scsi_revision")),
        size_bytes: plain::bytes(&json["user_capacity"], "bytes").filter(|size| size.0 > 0),
        passed: json["smart_status"]["passed"].as_bool(),
        // Nothing outside of this still answers, and 0 is what disks without a sensor say.
        temperature_celsius: plain::number(&json["temperature"], "current")
            .filter(|celsius| (-60.0..=150.0).contains(celsius) && *celsius != 0.0),
        power_on_hours: plain::count(&json["power_on_time"], "hours"),
        power_cycles: plain::count(json, "power_cycle_count"),
        // Since smartmontools 7.5, for every kind of disk.
        wear_percent: wear(plain::number(&json["endurance_used"], "current_percent")),
        ..Smart::default()
    }
}

fn wear(percent: Option<f64>) -> Option<f64> {
    percent.filter(|percent| (0.0..=255.0).contains(percent))
}

fn read_ata(json: &Value, disk: &mut Smart) {
    let sector = plain::count(json, "logical_block_size").unwrap_or(512);
    for attribute in plain::list(&json["ata_smart_attributes"], "table").iter().take(64) {
        let Some(name) = plain::text(attribute, "name") else { continue };
        let raw = raw(attribute);
        match name.as_str() {
            "Reallocated_Sector_Ct" | "Reallocate_NAND_Blk_Cnt" => disk.reallocated_sectors = raw,
            "Current_Pending_Sector" | "Current_Pending_ECC_Cnt" | "Total_Pending_Sectors" => {
                disk.pending_sectors = raw
            }
            "Offline_Uncorrectable" | "Total_Offl_Uncorrectabl" => disk.uncorrectable_sectors = raw,
            "UDMA_CRC_Error_Count" | "CRC_Error_Count" => disk.crc_errors = raw,
            "Unsafe_Shutdown_Count" | "Unexpect_Power_Loss_Ct" => disk.unsafe_shutdowns = raw,
            "Wear_Leveling_Count"
            | "SSD_Life_Left"
            | "Media_Wearout_Indicator"
            | "Percent_Lifetime_Remain"
            | "Percent_Lifetime_Used"
            | "Remaining_Lifetime_Perc" => {
                // The normalised value counts down from 100, whatever the name says.
                let left = plain::count(attribute, "value").filter(|left| (1..=100).contains(left));
                disk.wear_percent = disk.wear_percent.or(left.map(|left| 100.0 - left as f64));
            }
            "Total_LBAs_Written" => disk.written_bytes = written(raw, sector),
            "Host_Writes_32MiB" => disk.written_bytes = written(raw, 32 << 20),
            "Host_Writes_MiB" => disk.written_bytes = written(raw, 1 << 20),
            "Host_Writes_GiB" | "Lifetime_Writes_GiB" | "Total_Writes_GiB" => {
                disk.written_bytes = written(raw, 1 << 30);
            }
            _ => {}
        }
        if plain::text(attribute, "when_failed").as_deref() == Some("now") {
            disk.failing_attributes.push(name);
        }
    }
    let log = &json["ata_smart_self_test_log"];
    let newest = plain::list(&log["standard"], "table").first().or(plain::list(&log["extended"], "table").first());
    if let Some(test) = newest {
        disk.self_test = Some(SelfTest {
            kind: plain::text(&test["type"], "string"),
            result: plain::text(&test["status"], "string"),
            passed: test["status"]["passed"].as_bool(),
            power_on_hours: plain::count(test, "lifetime_hours"),
        });
    }
}

fn written(count: Option<u64>, unit: u64) -> Option<Bytes> {
    count.and_then(|count| count.checked_mul(unit)).map(Bytes)
}

/// The raw value of an attribute as people read it: its words begin with it, while the number may hold more than that.
fn raw(attribute: &Value) -> Option<u64> {
    let raw = &attribute["raw"];
    let words = plain::text(raw, "string");
    let digits = words.as_deref().and_then(|words| words.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    digits.or_else(|| plain::count(raw, "value"))
}

fn read_nvme(json: &Value, disk: &mut Smart) {
    let log = &json["nvme_smart_health_information_log"];
    if !log.is_object() {
        return;
    }
    disk.wear_percent = disk.wear_percent.or(wear(plain::number(log, "percentage_used")));
    disk.power_on_hours = disk.power_on_hours.or(plain::count(log, "power_on_hours"));
    disk.power_cycles = disk.power_cycles.or(plain::count(log, "power_cycles"));
    disk.media_errors = plain::count(log, "media_errors");
    disk.unsafe_shutdowns = plain::count(log, "unsafe_shutdowns");
    disk.available_spare_percent = plain::percent(log, "available_spare");
    disk.available_spare_threshold_percent = plain::percent(log, "available_spare_threshold");
    disk.critical_warning = plain::count(log, "critical_warning").filter(|bits| *bits > 0);
    disk.written_bytes = written(plain::count(log, "data_units_written"), NVME_UNIT);
    if let Some(test) = plain::list(&json["nvme_self_test_log"], "table").first() {
        let result = &test["self_test_result"];
        // 0 is without error; 5, 6 and 7 are failures; the rest was broken off (NVMe base specification).
        let passed = plain::count(result, "value").and_then(|value| match value {
            0 => Some(true),
            5..=7 => Some(false),
            _ => None,
        });
        disk.self_test = Some(SelfTest {
            kind: plain::text(&test["self_test_code"], "string"),
            result: plain::text(result, "string"),
            passed,
            power_on_hours: plain::count(test, "power_on_hours"),
        });
    }
}

fn read_scsi(json: &Value, disk: &mut Smart) {
    disk.reallocated_sectors = disk.reallocated_sectors.or(plain::count(json, "scsi_grown_defect_list"));
    disk.wear_percent = disk.wear_percent.or(wear(plain::number(json, "scsi_percentage_used_endurance_indicator")));
    let log = &json["scsi_error_counter_log"];
    if log.is_object() {
        let counts = ["read", "write", "verify"].map(|name| plain::count(&log[name], "total_uncorrected_errors"));
        disk.uncorrectable_sectors = counts.into_iter().flatten().reduce(u64::saturating_add);
        let gigabytes = plain::number(&log["write"], "gigabytes_processed").filter(|it| (0.0..=1e9).contains(it));
        disk.written_bytes = disk.written_bytes.or(gigabytes.map(|gigabytes| Bytes((gigabytes * 1e9) as u64)));
    }
}
