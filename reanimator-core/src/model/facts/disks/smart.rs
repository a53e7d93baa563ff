//! What a disk says of itself.

use serde::{Deserialize, Serialize};

use super::Health;
use crate::model::{
    attention::{
        AttentionKind,
        AttentionLevel::{Critical, Warning},
        Trouble,
    },
    units::Bytes,
};

/// From this wear on a disk is worth a warning, in percent of what its maker promises.
const WORN_PERCENT: f64 = 90.0;

/// One disk by SMART, also one behind a RAID controller that is no block device here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Smart {
    /// `sda`, `nvme0`, `bus/0 megaraid,3`.
    pub device: String,
    /// How it is, judged by what follows.
    pub health: Health,
    /// Whether it sleeps and was left asleep: then nothing else is known.
    pub asleep: bool,
    /// `ATA`, `NVMe`, `SCSI`.
    pub protocol: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Its size.
    pub size_bytes: Option<Bytes>,
    /// Its own verdict: whether it is not about to fail.
    pub passed: Option<bool>,
    /// How warm it is.
    pub temperature_celsius: Option<f64>,
    /// How long it has been on, over its life.
    pub power_on_hours: Option<u64>,
    /// How often it was switched on.
    pub power_cycles: Option<u64>,
    /// How much of the life that its maker promises is used up; may pass 100.
    pub wear_percent: Option<f64>,
    /// Sectors replaced by spare ones; of a SCSI disk its grown defects.
    pub reallocated_sectors: Option<u64>,
    /// Sectors that could not be read and wait for a write.
    pub pending_sectors: Option<u64>,
    /// Sectors that could not be read at all; of a SCSI disk its uncorrected errors.
    pub uncorrectable_sectors: Option<u64>,
    /// Transfers that were damaged on the cable.
    pub crc_errors: Option<u64>,
    /// NVMe: reads that gave wrong data.
    pub media_errors: Option<u64>,
    /// How often power went away without a goodbye.
    pub unsafe_shutdowns: Option<u64>,
    /// NVMe: spare blocks that are left.
    pub available_spare_percent: Option<f64>,
    /// NVMe: how many there must be.
    pub available_spare_threshold_percent: Option<f64>,
    /// NVMe: the warning bits, where one is set.
    pub critical_warning: Option<u64>,
    /// What was written to it over its life.
    pub written_bytes: Option<Bytes>,
    /// Attributes that are below their limit now.
    pub failing_attributes: Vec<String>,
    /// Its newest self-test.
    pub self_test: Option<SelfTest>,
}

/// The newest self-test of a disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SelfTest {
    /// `Short offline`, `Extended`.
    pub kind: Option<String>,
    /// `Completed without error`.
    pub result: Option<String>,
    /// Whether it found nothing; absent while it runs, and where it was broken off.
    pub passed: Option<bool>,
    /// At how many hours of the disk's life.
    pub power_on_hours: Option<u64>,
}

impl Smart {
    /// What is wrong with it, in sentences.
    pub fn problems(&self) -> Vec<String> {
        super::sentences(self.troubles())
    }

    /// What is wrong with it.
    pub fn troubles(&self) -> Vec<Trouble> {
        let device = &self.device;
        let say = |level, code: &str, what: String| {
            Trouble::new(AttentionKind::DiskHealth, level, what).with("disk", device).with("trouble", code)
        };
        let mut troubles = Vec::new();
        if self.passed == Some(false) {
            troubles.push(say(Critical, "failed", format!("SMART of {device} failed: the disk expects to die")));
        }
        if !self.failing_attributes.is_empty() {
            let names = self.failing_attributes.join(", ");
            let what = format!("{device} is below the limit in {names}");
            troubles.push(say(Critical, "attributes", what).with("detail", names));
        }
        if let Some(bits) = self.critical_warning.filter(|bits| *bits > 0) {
            let words = warning_words(bits);
            troubles.push(say(Critical, "warning", format!("{device} warns: {words}")).with("detail", words));
        }
        if self.spare_is_low() {
            troubles.push(say(Critical, "spare", format!("{device} runs out of spare blocks")));
        }
        if self.self_test.as_ref().and_then(|test| test.passed) == Some(false) {
            troubles.push(say(Critical, "self-test", format!("the newest self-test of {device} failed")));
        }
        let counts = [
            (self.pending_sectors, "pending", "sector that cannot be read", "sectors that cannot be read"),
            (self.uncorrectable_sectors, "uncorrectable", "uncorrectable error", "uncorrectable errors"),
            (self.reallocated_sectors, "reallocated", "reallocated sector", "reallocated sectors"),
            (self.media_errors, "media", "media error", "media errors"),
        ];
        for (count, code, one, many) in counts {
            if let Some(count) = count.filter(|count| *count > 0) {
                let noun = if count == 1 { one } else { many };
                troubles.push(say(Warning, code, format!("{device} has {count} {noun}")).with("count", count));
            }
        }
        if let Some(wear) = self.wear_percent.filter(|wear| *wear >= WORN_PERCENT) {
            let what = format!("{device} is worn: {wear:.0} % of its promised life is used");
            troubles.push(say(Warning, "worn", what).with("percent", format!("{wear:.0}")));
        }
        troubles
    }

    /// How it is, by its figures.
    pub(crate) fn judge(&self) -> Health {
        if self.passed == Some(false) || !self.failing_attributes.is_empty() {
            return Health::Failed;
        }
        if !self.troubles().is_empty() {
            return Health::Warning;
        }
        if self.passed.is_some() { Health::Good } else { Health::Unknown }
    }

    fn spare_is_low(&self) -> bool {
        let pair = self.available_spare_percent.zip(self.available_spare_threshold_percent);
        pair.is_some_and(|(spare, threshold)| spare < threshold)
    }
}

/// The bits of the byte "critical warning" in the NVMe base specification, SMART log.
fn warning_words(bits: u64) -> String {
    const WORDS: [&str; 6] = [
        "spare blocks are low",
        "too warm or too cold",
        "less reliable than it was",
        "read-only",
        "its back-up of volatile memory failed",
        "persistent memory is read-only or unreliable",
    ];
    let words: Vec<&str> =
        WORDS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, word)| *word).collect();
    if words.is_empty() { format!("bits {bits:#x}") } else { words.join(", ") }
}
