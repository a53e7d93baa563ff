//! Board, case and firmware as `/sys/class/dmi/id` has them; the TPM; and what a Raspberry Pi says in their place.

use super::{
    super::Answers,
    text::{number, value},
};
use crate::model::{
    Unseen,
    facts::hardware::{Firmware, Part, RaspberryPi, Throttling, Tpm},
};

/// Board, case, product, firmware.
#[derive(Default)]
pub(super) struct Boards {
    pub(super) system: Part,
    pub(super) board: Part,
    pub(super) chassis: Part,
    pub(super) firmware: Firmware,
}

/// Types of cases, as the SMBIOS specification numbers them.
fn chassis_type(number: u32) -> Option<&'static str> {
    Some(match number {
        3 => "Desktop",
        4 => "Low profile desktop",
        5 => "Pizza box",
        6 => "Mini tower",
        7 => "Tower",
        8 => "Portable",
        9 => "Laptop",
        10 => "Notebook",
        13 => "All in one",
        14 => "Sub notebook",
        15 => "Space-saving",
        16 => "Lunch box",
        17 => "Main server chassis",
        22 => "RAID chassis",
        23 => "Rack mount",
        24 => "Sealed-case PC",
        25 => "Multi-system",
        28 => "Blade",
        29 => "Blade enclosure",
        30 => "Tablet",
        31 => "Convertible",
        32 => "Detachable",
        33 => "IoT gateway",
        34 => "Embedded PC",
        35 => "Mini PC",
        36 => "Stick PC",
        _ => return None,
    })
}

/// Board, case, product and firmware; and a note where serial numbers were hidden.
pub(super) fn boards(answers: &Answers) -> (Boards, Option<Unseen>) {
    let text = answers.text("hw.dmi");
    let line = |file: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix("/sys/class/dmi/id/")?.strip_prefix(file)?.strip_prefix(':'))
            .and_then(value)
    };
    let part = |name: &str, vendor: &str, product: Option<String>| Part {
        vendor: line(vendor),
        product,
        version: line(&format!("{name}_version")),
        serial: line(&format!("{name}_serial")),
    };
    let chassis = line("chassis_type").and_then(|kind| chassis_type(number(&kind)?)).map(str::to_owned);
    let boards = Boards {
        system: part("product", "sys_vendor", line("product_name")),
        board: part("board", "board_vendor", line("board_name")),
        chassis: part("chassis", "chassis_vendor", chassis),
        firmware: Firmware { vendor: line("bios_vendor"), version: line("bios_version"), date: line("bios_date") },
    };
    let hidden = !answers.root && !text.trim().is_empty() && boards.system.serial.is_none();
    (boards, hidden.then(|| Unseen::new("serial numbers of board and case", "needs root")))
}

/// The TPM; `None` where the question was not answered.
pub(super) fn tpm(answers: &Answers) -> Option<Tpm> {
    let said = answers.text("hw.tpm").lines().find_map(|line| line.strip_prefix("tpm="))?;
    let mut words = said.split_whitespace();
    let present = words.next().is_some();
    Some(Tpm { present, version: words.next().and_then(value) })
}

/// The four reasons, from the lowest bit on.
fn throttling(bits: u32) -> Throttling {
    let bit = |at: u32| bits & (1 << at) != 0;
    Throttling { under_voltage: bit(0), frequency_capped: bit(1), throttled: bit(2), soft_temperature_limit: bit(3) }
}

/// `throttled=0x50005` of `vcgencmd`, `throttled=50005` of the kernel: hexadecimal both.
fn throttled(text: &str) -> Option<(Throttling, Throttling)> {
    let said = text.lines().find_map(|line| line.strip_prefix("throttled="))?.trim();
    let bits = u32::from_str_radix(said.strip_prefix("0x").unwrap_or(said), 16).ok()?;
    Some((throttling(bits), throttling(bits >> 16)))
}

/// What a Raspberry Pi says; `None` on other machines. And a note where its throttling was not seen.
pub(super) fn raspberry_pi(answers: &Answers) -> (Option<RaspberryPi>, Option<Unseen>) {
    let text = answers.text("hw.pi");
    let Some(model) = text.lines().next().and_then(value).filter(|model| model.contains("Raspberry Pi")) else {
        return (None, None);
    };
    let line =
        |name: &str| text.lines().find_map(|line| value(line.strip_prefix(name)?.trim_start().strip_prefix(':')?));
    let flags = throttled(text);
    let note = flags.is_none().then(|| match answers.get("hw.pi").filter(|answer| !answer.complaint.is_empty()) {
        Some(answer) => Unseen::new("throttling", answer.why(answers.root)),
        None => Unseen::new("throttling", "neither vcgencmd nor the kernel says it"),
    });
    let (now, since_boot) = flags.unzip();
    (Some(RaspberryPi { model, revision: line("Revision"), serial: line("Serial"), now, since_boot }), note)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    const PI: &str =
        "Raspberry Pi 4 Model B Rev 1.4\u{0}\nRevision\t: c03114\nSerial\t\t: 10000000abcdef01\nthrottled=0x50005\n";

    #[test]
    fn a_raspberry_pi_says_what_holds_it_back() {
        let (pi, note) = raspberry_pi(&Answers::of(false, [("hw.pi", PI)]));
        let pi = pi.unwrap();
        assert_eq!((pi.model.as_str(), pi.revision.as_deref()), ("Raspberry Pi 4 Model B Rev 1.4", Some("c03114")));
        let expected = Throttling { under_voltage: true, throttled: true, ..Throttling::default() };
        assert_eq!((pi.now, pi.since_boot, note), (Some(expected), Some(expected), None));
        let capped = throttled("throttled=80002").unwrap();
        assert!(capped.0.frequency_capped && capped.1.soft_temperature_limit && !capped.1.throttled);
    }

    #[test]
    fn a_pi_that_does_not_say_it_is_noted_and_other_boards_are_no_pi() {
        let (pi, note) = raspberry_pi(&Answers::of(false, [("hw.pi", "Raspberry Pi 5 Model B Rev 1.0\u{0}\n")]));
        assert_eq!(pi.unwrap().now, None);
        assert_eq!(note.unwrap().what, "throttling");
        assert_eq!(raspberry_pi(&Answers::of(false, [("hw.pi", "Radxa ROCK 5B\n")])), (None, None));
    }

    #[test]
    fn serial_numbers_need_root() {
        let text = "/sys/class/dmi/id/bios_vendor:Dell Inc.\n/sys/class/dmi/id/bios_version:2.12.2\n/sys/class/dmi/id/bios_date:07/09/2021\n\
                    /sys/class/dmi/id/sys_vendor:Dell Inc.\n/sys/class/dmi/id/product_name:PowerEdge R440\n\
                    /sys/class/dmi/id/chassis_type:23\n/sys/class/dmi/id/board_name:04JN2K\n/sys/class/dmi/id/board_version:A09\n";
        let (read, note) = boards(&Answers::of(false, [("hw.dmi", text)]));
        assert_eq!(note.unwrap().why, "needs root");
        assert_eq!(read.system.product.as_deref(), Some("PowerEdge R440"));
        assert_eq!((read.chassis.product.as_deref(), read.board.version.as_deref()), (Some("Rack mount"), Some("A09")));
        assert_eq!(read.firmware.date.as_deref(), Some("07/09/2021"));
        assert!(boards(&Answers::of(true, [("hw.dmi", text)])).1.is_none());
    }

    #[test]
    fn no_tpm_is_told_from_not_asked() {
        let asked = |text: &str| tpm(&Answers::of(false, [("hw.tpm", text)]));
        assert_eq!(asked("tpm=\n"), Some(Tpm::default()));
        assert_eq!(asked("tpm=tpm0 2\n"), Some(Tpm { present: true, version: Some("2".into()) }));
        assert_eq!(asked(""), None);
    }
}
