//! What tools say of sensors: `ipmitool`, `nvidia-smi`, `sensors -j`.

use serde_json::Value;

use super::super::hardware::text::{number, value};
use crate::model::facts::sensors::{Fan, Power, Sensors, Temperature, Voltage};

/// The name under which readings of the BMC go.
const BMC: &str = "BMC";

/// `ipmitool -c sdr list full`: name, reading, unit, state. A sensor without a reading leaves the second field empty.
pub(super) fn bmc(text: &str) -> Sensors {
    let mut sensors = Sensors::default();
    for line in text.lines().take(2000) {
        let mut fields = line.split(',').map(str::trim);
        let (Some(name), Some(reading), Some(unit)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let (Some(label), Some(reading)) = (value(name), number::<f64>(reading).filter(|n| n.is_finite())) else {
            continue;
        };
        let chip = BMC.to_owned();
        match unit {
            "degrees C" => {
                sensors.temperatures.push(Temperature { chip, label, celsius: reading, ..Temperature::default() })
            }
            "degrees F" => {
                let celsius = (reading - 32.0) / 1.8;
                sensors.temperatures.push(Temperature { chip, label, celsius, ..Temperature::default() });
            }
            "RPM" if reading >= 0.0 => sensors.fans.push(Fan { chip, label, rpm: reading as u64 }),
            "Watts" if reading >= 0.0 => sensors.power.push(Power { chip, label, watts: reading }),
            "Volts" => sensors.voltages.push(Voltage { chip, label, volts: reading }),
            _ => {}
        }
    }
    sensors
}

/// `nvidia-smi`: name, degrees, watts, a line for each card.
pub(super) fn nvidia(mut sensors: Sensors, text: &str) -> Sensors {
    for (card, line) in text.lines().take(64).enumerate() {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [name, celsius, watts] = fields[..] else { continue };
        let (chip, label) = ("nvidia".to_owned(), format!("GPU {card}"));
        if let Some(celsius) = number::<f64>(celsius).filter(|n| n.is_finite()) {
            let (chip, label) = (chip.clone(), label.clone());
            sensors.temperatures.push(Temperature {
                chip,
                device: value(name),
                label,
                celsius,
                ..Temperature::default()
            });
        }
        if let Some(watts) = number::<f64>(watts).filter(|n| n.is_finite() && *n >= 0.0) {
            sensors.power.push(Power { chip, label, watts });
        }
    }
    sensors
}

/// `sensors -j`: chips, their labels, and readings in whole units under `temp1_input` and the like.
pub(super) fn lm_sensors(json: &Value) -> Sensors {
    let mut sensors = Sensors::default();
    let chips = json.as_object().into_iter().flatten();
    let features = chips
        .flat_map(|(chip, features)| features.as_object().into_iter().flatten().map(move |feature| (chip, feature)));
    for (chip, (label, readings)) in features {
        let (Some(chip), Some(label)) = (value(chip), value(label)) else { continue };
        let reading = |kind: &str, ending: &str| {
            let readings = readings.as_object()?;
            let found = readings.iter().find(|(name, _)| {
                let Some(rest) = name.strip_prefix(kind).and_then(|rest| rest.strip_suffix(ending)) else {
                    return false;
                };
                !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit())
            });
            found?.1.as_f64().filter(|number| number.is_finite())
        };
        if let Some(celsius) = reading("temp", "_input") {
            let (high_celsius, critical_celsius) = (reading("temp", "_max"), reading("temp", "_crit"));
            sensors.temperatures.push(Temperature {
                chip,
                device: None,
                label,
                celsius,
                high_celsius,
                critical_celsius,
            });
        } else if let Some(rpm) = reading("fan", "_input").filter(|rpm| *rpm >= 0.0) {
            sensors.fans.push(Fan { chip, label, rpm: rpm as u64 });
        } else if let Some(watts) =
            reading("power", "_average").or_else(|| reading("power", "_input")).filter(|watts| *watts >= 0.0)
        {
            sensors.power.push(Power { chip, label, watts });
        } else if let Some(volts) = reading("in", "_input") {
            sensors.voltages.push(Voltage { chip, label, volts });
        }
    }
    sensors
}
