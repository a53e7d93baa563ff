//! Memory modules: what `dmidecode -t 16 -t 17` prints. It has no JSON.

use super::{
    super::Answers,
    text::{COUNT_LIMIT, number, value},
};
use crate::model::{
    Unseen,
    facts::hardware::{MemoryBanks, MemoryModule},
    units::Bytes,
};

/// One structure of the firmware's table: its title, and `Name: value` lines.
struct Structure<'a> {
    title: &'a str,
    lines: Vec<(&'a str, &'a str)>,
}

impl<'a> Structure<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.lines.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// The structures: each begins with a line that starts with `Handle`, then comes its title.
fn structures(text: &str) -> Vec<Structure<'_>> {
    let mut structures: Vec<Structure<'_>> = Vec::new();
    let mut title_next = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("Handle 0x") {
            title_next = true;
        } else if title_next {
            structures.push(Structure { title: line, lines: Vec::new() });
            title_next = false;
        } else if let (Some(structure), Some((name, value))) = (structures.last_mut(), line.split_once(':')) {
            structure.lines.push((name.trim(), value.trim()));
        }
    }
    structures
}

/// `16 GB`, `8192 MB`: dmidecode's prefixes are binary.
fn size(text: &str) -> Option<Bytes> {
    let (count, unit) = text.trim().split_once(' ')?;
    let shift = match unit.trim() {
        "bytes" => 0,
        "kB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        "PB" => 50,
        _ => return None,
    };
    let bytes = number::<u64>(count)?.checked_mul(1 << shift)?;
    (bytes > 0).then_some(Bytes(bytes))
}

/// `2933 MT/s`; older versions write `MHz`.
fn speed(text: &str) -> Option<u32> {
    let (count, unit) = text.trim().split_once(' ')?;
    matches!(unit, "MT/s" | "MHz").then(|| number(count)).flatten().filter(|speed| *speed > 0)
}

fn module(structure: &Structure<'_>) -> MemoryModule {
    let text = |name: &str| structure.get(name).and_then(value);
    MemoryModule {
        slot: text("Locator"),
        bank: text("Bank Locator"),
        size_bytes: structure.get("Size").and_then(size),
        kind: text("Type"),
        form_factor: text("Form Factor"),
        speed_mts: structure.get("Speed").and_then(speed),
        configured_speed_mts: structure
            .get("Configured Memory Speed")
            .or_else(|| structure.get("Configured Clock Speed"))
            .and_then(speed),
        manufacturer: text("Manufacturer"),
        part_number: text("Part Number"),
        serial: text("Serial Number"),
    }
}

/// The modules.
///
/// # Errors
/// A note that they were not seen.
pub(super) fn banks(answers: &Answers) -> Result<MemoryBanks, Unseen> {
    const WHAT: &str = "memory modules";
    let text = answers.said("hw.dmi-memory", WHAT)?;
    let structures = structures(text);
    let slots = || structures.iter().filter(|structure| structure.title == "Memory Device").take(COUNT_LIMIT);
    let arrays = || structures.iter().filter(|structure| structure.title == "Physical Memory Array");
    if slots().next().is_none() {
        let why = answers.get("hw.dmi-memory").filter(|answer| !answer.complaint.is_empty());
        return Err(Unseen::new(
            WHAT,
            why.map_or_else(|| "the firmware lists none".to_owned(), |answer| answer.why(answers.root)),
        ));
    }
    let empty = |structure: &&Structure<'_>| structure.get("Size") == Some("No Module Installed");
    let main = || arrays().filter(|array| array.get("Use").is_none_or(|used| used == "System Memory"));
    let capacity: Bytes = main().filter_map(|array| array.get("Maximum Capacity").and_then(size)).sum();
    let correction = main().find_map(|array| array.get("Error Correction Type")).filter(|text| *text != "Unknown");
    Ok(MemoryBanks {
        modules: slots().filter(|slot| !empty(slot)).map(module).collect(),
        empty_slots: u32::try_from(slots().filter(empty).count()).ok(),
        capacity_bytes: (capacity.0 > 0).then_some(capacity),
        ecc: correction.map(|text| text.contains("ECC")),
        error_correction: correction.and_then(value),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    const SERVER: &str =
        include_str!("../../../../../tests/recordings/linux/inventory/hardware/dmidecode-server-documented.txt");

    #[test]
    fn modules_are_read_and_empty_slots_counted() {
        let banks = banks(&Answers::of(true, [("hw.dmi-memory", SERVER)])).unwrap();
        assert_eq!((banks.modules.len(), banks.empty_slots), (2, Some(1)));
        assert_eq!((banks.ecc, banks.capacity_bytes), (Some(true), Some(Bytes(2 << 40))));
        let first = &banks.modules[0];
        assert_eq!(first.slot.as_deref(), Some("CPU0_DIMMA0"));
        assert_eq!(
            (first.size_bytes, first.speed_mts, first.configured_speed_mts),
            (Some(Bytes(32 << 30)), Some(2933), Some(2400))
        );
        assert_eq!((first.kind.as_deref(), first.part_number.as_deref()), (Some("DDR4"), Some("HMAA4GR7AJR8N-WM")));
        let second = &banks.modules[1];
        assert_eq!((second.size_bytes, second.configured_speed_mts), (Some(Bytes(8 << 30)), Some(1333)));
        assert_eq!((second.manufacturer.as_deref(), second.serial.as_deref()), (None, None));
    }

    #[test]
    fn sizes_that_cannot_be_are_none() {
        for text in ["No Module Installed", "0 MB", "99999999999999 PB", "-1 GB", "GB", "1 XB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn a_machine_without_a_table_says_so() {
        let text = "# dmidecode 3.4\n# No SMBIOS nor DMI entry point found, sorry.\n";
        let note = banks(&Answers::of(true, [("hw.dmi-memory", text)])).unwrap_err();
        assert_eq!(note, Unseen::new("memory modules", "the firmware lists none"));
    }
}
