#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use proptest::prelude::*;

use super::{
    super::hardware::tests::{hold_to_the_rule, this_machine},
    *,
};

const SYS: &str = include_str!("../../../../../tests/recordings/linux/inventory/sensors/sys-documented.txt");
const JSON: &str = include_str!("../../../../../tests/recordings/linux/inventory/sensors/sensors-documented.json");
const IPMI: &str = include_str!("../../../../../tests/recordings/linux/inventory/sensors/ipmitool-documented.csv");

#[test]
fn questions_pass_through_any_shell() {
    hold_to_the_rule(&questions());
    hold_to_the_rule(&slow_questions());
}

#[test]
fn chips_zones_and_supplies_of_the_kernel_are_read() {
    let read = parse(&Answers::of(false, [("sensors.sys", SYS)]));
    let temperatures: Vec<_> =
        read.facts.temperatures.iter().map(|t| (t.chip.as_str(), t.label.as_str(), t.celsius)).collect();
    assert_eq!(
        temperatures,
        [
            ("acpitz", "temp1", 27.8),
            ("coretemp", "Package id 0", 51.0),
            ("coretemp", "Core 0", 40.0),
            ("nvme", "Composite", 45.85),
            ("pch_cannonlake", "thermal_zone1", 56.0),
        ]
    );
    let nvme = &read.facts.temperatures[3];
    assert_eq!(nvme.device.as_deref(), Some("Samsung SSD 980 1TB"));
    assert_eq!((nvme.high_celsius, nvme.critical_celsius), (None, Some(84.85)));
    assert_eq!(read.facts.highest().unwrap().chip, "pch_cannonlake");
    assert_eq!((read.facts.fans[0].label.as_str(), read.facts.fans[0].rpm), ("CPU fan", 1180));
    assert_eq!((read.facts.power[0].watts, read.facts.voltages[0].volts), (32.5, 0.92));
    assert_eq!((read.facts.supplies[1].charge_percent, read.facts.supplies[0].online), (Some(0), Some(false)));
    assert_eq!(read.unseen, [Unseen::new("temperature nct6798 AUXTIN", "its chip says -62 °C")]);
}

#[test]
fn the_bmc_is_read_and_a_sensor_that_is_silent_is_left_out() {
    let read = parse_slow(&Answers::of(true, [("sensors.ipmi", IPMI)]));
    let facts = read.facts;
    assert_eq!((facts.temperatures.len(), facts.fans.len(), facts.power.len()), (2, 2, 1));
    assert_eq!((facts.temperatures[0].label.as_str(), facts.temperatures[0].celsius), ("Inlet Temp", 23.0));
    assert_eq!((facts.fans[1].rpm, facts.power[0].watts), (1775, 220.0));
}

#[test]
fn lm_sensors_is_read_where_the_kernel_shows_nothing() {
    let read = parse_slow(&Answers::of(true, [("sensors.json", JSON)]));
    assert_eq!(read.facts.temperatures.len(), 3);
    let package = read.facts.temperatures.iter().find(|t| t.label == "Package id 0").unwrap();
    assert_eq!((package.celsius, package.critical_celsius), (51.0, Some(105.0)));
    assert_eq!((read.facts.fans[0].rpm, read.unseen.len()), (3386, 0));
    let broken = parse_slow(&Answers::of(true, [("sensors.json", "{\"a\":{\nERROR: Can't get value")]));
    assert_eq!(broken.unseen, [Unseen::new("sensors", "the answer is no JSON")]);
}

#[test]
fn a_bmc_without_its_tool_is_noted() {
    let lacks = crate::collect::linux::inventory::Answer {
        text: String::new(),
        status: Some(127),
        complaint: "@lacks ipmitool".into(),
    };
    let read = parse_slow(&Answers::of(true, []).with("sensors.ipmi", lacks));
    assert_eq!(read.unseen, [Unseen::new("sensors of the BMC", "ipmitool is not installed")]);
}

#[test]
fn this_machine_answers() {
    let read = parse(&this_machine(&questions()));
    assert!(!read.facts.temperatures.is_empty() || !read.unseen.is_empty());
    parse_slow(&this_machine(&slow_questions()));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "(?s)(/sys/class/(hwmon/hwmon1|thermal/thermal_zone0|power_supply/BAT0)/(name|temp|type|capacity|temp1_input|fan1_input|power1_average|in0_input)|:|-?[0-9]{1,30}|NaN|inf|,|degrees C|\n|.){0,40}",
    ) {
        let names = ["sensors.sys", "sensors.ipmi", "sensors.nvidia", "sensors.json"];
        let answers = Answers::of(true, names.map(|name| (name, text.as_str())));
        for read in [parse(&answers), parse_slow(&answers)] {
            assert!(read.facts.temperatures.iter().all(|reading| (-50.0..=150.0).contains(&reading.celsius)));
        }
    }
}
