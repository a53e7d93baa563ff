//! How warm a machine is, how fast its fans turn, what it draws.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// How warm a machine is, how fast its fans turn, what it draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Sensors {
    /// Temperatures.
    pub temperatures: Vec<Temperature>,
    /// Fans.
    pub fans: Vec<Fan>,
    /// Power drawn.
    pub power: Vec<Power>,
    /// Voltages.
    pub voltages: Vec<Voltage>,
    /// Batteries, mains adapters and UPSes that the kernel knows.
    pub supplies: Vec<PowerSupply>,
}

/// One temperature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Temperature {
    /// Who measured it: `coretemp`, `nvme`, `BMC`.
    pub chip: String,
    /// The model of the drive or device, where the chip belongs to one.
    pub device: Option<String>,
    /// Which of the chip's readings: `Package id 0`, `temp1`.
    pub label: String,
    /// The reading.
    pub celsius: f64,
    /// From here on it is too warm, as the chip says.
    pub high_celsius: Option<f64>,
    /// From here on it comes to harm, as the chip says.
    pub critical_celsius: Option<f64>,
}

/// One fan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Fan {
    /// Who measured it.
    pub chip: String,
    /// Which of the chip's readings.
    pub label: String,
    /// Turns per minute; 0 where it stands still or is not there.
    pub rpm: u64,
}

/// What something draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Power {
    /// Who measured it.
    pub chip: String,
    /// Which of the chip's readings.
    pub label: String,
    /// The reading.
    pub watts: f64,
}

/// One voltage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Voltage {
    /// Who measured it.
    pub chip: String,
    /// Which of the chip's readings.
    pub label: String,
    /// The reading.
    pub volts: f64,
}

/// A battery, a mains adapter or a UPS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PowerSupply {
    /// `BAT0`, `AC`.
    pub name: String,
    /// `Battery`, `Mains`, `UPS`, `USB`.
    pub kind: String,
    /// How full a battery is.
    pub charge_percent: Option<u8>,
    /// `Charging`, `Discharging`, `Full`, `Not charging`.
    pub status: Option<String>,
    /// Whether an adapter gives power.
    pub online: Option<bool>,
}

impl Sensors {
    /// The highest reading.
    pub fn highest(&self) -> Option<&Temperature> {
        self.temperatures.iter().max_by(|a, b| a.celsius.total_cmp(&b.celsius))
    }

    /// The same with readings of chips that were asked less often; a chip seen just now is not replaced.
    #[must_use]
    pub fn with_slow(mut self, slow: &Self) -> Self {
        fn add<T: Clone>(known: &mut Vec<T>, more: &[T], chip: fn(&T) -> &str) {
            let more: Vec<T> =
                more.iter().filter(|new| known.iter().all(|old| chip(old) != chip(new))).cloned().collect();
            known.extend(more);
        }
        add(&mut self.temperatures, &slow.temperatures, |reading| &reading.chip);
        add(&mut self.fans, &slow.fans, |reading| &reading.chip);
        add(&mut self.power, &slow.power, |reading| &reading.chip);
        add(&mut self.voltages, &slow.voltages, |reading| &reading.chip);
        self
    }
}

impl Temperature {
    /// Whether it is at or over a limit of its chip.
    pub fn too_warm(&self) -> bool {
        [self.high_celsius, self.critical_celsius].into_iter().flatten().any(|limit| self.celsius >= limit)
    }
}

/// Which adapter is on, since a machine that runs on its battery is worth an entry; readings change all the time.
impl Watched for Sensors {
    fn watched(&self) -> BTreeMap<String, String> {
        let online = |supply: &PowerSupply| {
            let value = if supply.online? { "online" } else { "offline" };
            Some((format!("power supply {}", supply.name), value.to_owned()))
        };
        self.supplies.iter().filter_map(online).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(chip: &str, celsius: f64) -> Temperature {
        Temperature { chip: chip.into(), celsius, high_celsius: Some(80.0), ..Temperature::default() }
    }

    #[test]
    fn the_highest_reading_is_found() {
        let sensors = Sensors { temperatures: vec![reading("a", 40.0), reading("b", 91.5)], ..Sensors::default() };
        assert_eq!(sensors.highest().map(|highest| (highest.chip.as_str(), highest.too_warm())), Some(("b", true)));
        assert_eq!(Sensors::default().highest(), None);
    }

    #[test]
    fn a_slow_reading_does_not_replace_a_fresh_one() {
        let fresh = Sensors { temperatures: vec![reading("a", 40.0)], ..Sensors::default() };
        let slow = Sensors {
            temperatures: vec![reading("a", 30.0), reading("BMC", 20.0), reading("BMC", 21.0)],
            ..Sensors::default()
        };
        let both: Vec<_> = fresh.with_slow(&slow).temperatures.into_iter().map(|t| (t.chip, t.celsius)).collect();
        assert_eq!(both, [("a".into(), 40.0), ("BMC".into(), 20.0), ("BMC".into(), 21.0)]);
    }
}
