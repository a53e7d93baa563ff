//! What the kernel shows of its sensors: thousandths of a degree and of a volt, millionths of a watt, turns per minute.

use std::collections::BTreeMap;

use super::super::hardware::text::{files, number, value};
use crate::model::facts::sensors::{Fan, Power, PowerSupply, Sensors, Temperature, Voltage};

/// The files of one chip, zone or supply.
type Entry<'a> = BTreeMap<&'a str, &'a str>;

/// The entries under a folder, in the order of their numbers.
fn entries<'a>(text: &'a str, root: &'a str) -> Vec<(&'a str, Entry<'a>)> {
    let mut entries: BTreeMap<(usize, &str), Entry<'a>> = BTreeMap::new();
    for (entry, file, content) in files(text, root) {
        entries.entry((entry.len(), entry)).or_default().entry(file).or_insert(content);
    }
    entries.into_iter().map(|((_, entry), files)| (entry, files)).collect()
}

/// A finite reading in this many parts of a unit.
fn scaled(text: Option<&&str>, parts: f64) -> Option<f64> {
    number::<f64>(text?).filter(|number| number.is_finite()).map(|number| number / parts)
}

/// All that the kernel shows.
pub(super) fn sensors(text: &str) -> Sensors {
    let mut sensors = Sensors::default();
    let chips = entries(text, "/sys/class/hwmon");
    for (entry, files) in &chips {
        add_chip(&mut sensors, entry, files);
    }
    let has_chip =
        |name: &str| chips.iter().any(|(_, files)| files.get("name").is_some_and(|known| known.trim() == name));
    for (entry, files) in entries(text, "/sys/class/thermal") {
        let kind = files.get("type").and_then(|kind| value(kind)).unwrap_or_else(|| entry.to_owned());
        // Most zones are seen a second time as a chip, with a name that has no hyphens; the package is coretemp's.
        let twice = has_chip(&kind.replace('-', "_")) || (kind == "x86_pkg_temp" && has_chip("coretemp"));
        if let (false, Some(celsius)) = (twice, scaled(files.get("temp"), 1000.0)) {
            let label = value(entry).unwrap_or_default();
            sensors.temperatures.push(Temperature { chip: kind, label, celsius, ..Temperature::default() });
        }
    }
    sensors.supplies = entries(text, "/sys/class/power_supply").into_iter().filter_map(supply).collect();
    sensors
}

/// The readings of one chip.
fn add_chip(sensors: &mut Sensors, entry: &str, files: &Entry<'_>) {
    let chip = files.get("name").and_then(|name| value(name)).or_else(|| value(entry)).unwrap_or_default();
    let device = files.get("device/model").and_then(|model| value(model));
    let mut readings: Vec<(&str, &str)> = files.keys().filter_map(|file| file.split_once('_')).collect();
    readings.sort_by_key(|(reading, _)| (reading.len(), *reading));
    for (reading, kind) in readings {
        let file = |kind: &str| files.get(format!("{reading}_{kind}").as_str());
        let label = file("label").and_then(|label| value(label)).or_else(|| value(reading)).unwrap_or_default();
        let chip = chip.clone();
        let input = file(kind);
        match reading.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "temp" if kind == "input" => {
                let Some(celsius) = scaled(input, 1000.0) else { continue };
                let high_celsius = scaled(file("max"), 1000.0);
                let critical_celsius = scaled(file("crit"), 1000.0);
                let device = device.clone();
                sensors.temperatures.push(Temperature { chip, device, label, celsius, high_celsius, critical_celsius });
            }
            "fan" if kind == "input" => {
                let Some(rpm) = input.and_then(|text| number(text)) else { continue };
                sensors.fans.push(Fan { chip, label, rpm });
            }
            "power" if kind == "average" || (kind == "input" && file("average").is_none()) => {
                let Some(watts) = scaled(input, 1e6).filter(|watts| *watts >= 0.0) else { continue };
                sensors.power.push(Power { chip, label, watts });
            }
            "in" if kind == "input" => {
                let Some(volts) = scaled(input, 1000.0) else { continue };
                sensors.voltages.push(Voltage { chip, label, volts });
            }
            _ => {}
        }
    }
}

fn supply((name, files): (&str, Entry<'_>)) -> Option<PowerSupply> {
    let text = |file: &str| files.get(file).and_then(|text| value(text));
    // Zero is a fact in these two, so they are not read as names are.
    let count = |file: &str| files.get(file).and_then(|text| number::<u8>(text));
    Some(PowerSupply {
        name: value(name)?,
        kind: text("type")?,
        charge_percent: count("capacity").filter(|percent| *percent <= 100),
        status: text("status"),
        online: count("online").map(|online| online > 0),
    })
}
