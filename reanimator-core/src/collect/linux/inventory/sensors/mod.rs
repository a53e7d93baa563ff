//! Collector of [`Sensors`].
//!
//! The kernel is asked, by one `grep` over `/sys/class/hwmon`, `/sys/class/thermal` and `/sys/class/power_supply`: that
//! takes no tool and a few milliseconds. `sensors -j` reads the same files and takes longer, so it is asked by
//! [`slow_questions`] and only where the kernel shows no chip. The BMC takes seconds and NVIDIA's driver a second, so
//! they are asked by those as well. [`Sensors::with_slow`] puts both together.

mod hwmon;
mod tools;

use super::{Answers, Question, hardware::text::COUNT_LIMIT};
use crate::model::{
    Unseen,
    facts::{
        Read,
        sensors::{Sensors, Temperature},
    },
};

/// What is asked every time.
pub fn questions() -> Vec<Question> {
    vec![Question::new(
        "sensors.sys",
        "h=/sys/class/hwmon; t=/sys/class/thermal; p=/sys/class/power_supply; \
         grep -Hs . $h/hwmon*/name $h/hwmon*/device/model $h/hwmon*/temp*_input $h/hwmon*/temp*_label $h/hwmon*/temp*_max \
         $h/hwmon*/temp*_crit $h/hwmon*/fan*_input $h/hwmon*/fan*_label $h/hwmon*/power*_average $h/hwmon*/power*_input \
         $h/hwmon*/power*_label $h/hwmon*/in*_input $h/hwmon*/in*_label $t/thermal_zone*/type $t/thermal_zone*/temp \
         $p/*/type $p/*/capacity $p/*/status $p/*/online",
    )]
}

/// What is asked every quarter of an hour.
pub fn slow_questions() -> Vec<Question> {
    vec![
        Question::new(
            "sensors.ipmi",
            "[ -e /dev/ipmi0 ] || exit 0; if command -v ipmitool >/dev/null 2>&1; then $T20 ipmitool -c sdr list full; \
             else echo @lacks ipmitool >&2; exit 127; fi",
        ),
        Question::new(
            "sensors.nvidia",
            "command -v nvidia-smi >/dev/null 2>&1 || exit 0; \
             $T10 nvidia-smi --query-gpu=name,temperature.gpu,power.draw --format=csv,noheader,nounits",
        ),
        Question::new(
            "sensors.json",
            "[ -e /sys/class/hwmon/hwmon0 ] && exit 0; command -v sensors >/dev/null 2>&1 || exit 0; $T5 sensors -j",
        ),
    ]
}

/// Reads the answers to [`questions`].
pub fn parse(answers: &Answers) -> Read<Sensors> {
    let text = answers.text("sensors.sys");
    let mut facts = hwmon::sensors(text);
    let mut unseen = bounded(&mut facts);
    if facts.temperatures.is_empty() && unseen.is_empty() {
        let why = match answers.get("sensors.sys") {
            Some(answer) if answer.status.is_none() => answer.why(answers.root),
            Some(_) => "the kernel shows no sensor".to_owned(),
            None => "it was not asked".to_owned(),
        };
        unseen.push(Unseen::new("temperatures", why));
    }
    Read { facts, unseen }
}

/// Reads the answers to [`slow_questions`].
pub fn parse_slow(answers: &Answers) -> Read<Sensors> {
    let mut facts = tools::bmc(answers.text("sensors.ipmi"));
    facts = tools::nvidia(facts, answers.text("sensors.nvidia"));
    let mut unseen = Vec::new();
    if !answers.text("sensors.json").trim().is_empty() {
        match answers.json("sensors.json", "sensors") {
            Ok(json) => facts = facts.with_slow(&tools::lm_sensors(&json)),
            Err(note) => unseen.push(note),
        }
    }
    let silent = |name: &str, what: &str| {
        let answer = answers.get(name).filter(|answer| answer.text.trim().is_empty() && answer.status != Some(0))?;
        Some(Unseen::new(what, answer.why(answers.root)))
    };
    unseen.extend(silent("sensors.ipmi", "sensors of the BMC"));
    unseen.extend(silent("sensors.nvidia", "temperature of graphics cards"));
    unseen.extend(bounded(&mut facts));
    Read { facts, unseen }
}

/// Takes out temperatures that no machine has, with a note, and limits that are none.
fn bounded(sensors: &mut Sensors) -> Vec<Unseen> {
    let mut unseen = Vec::new();
    sensors.temperatures.retain(|reading: &Temperature| {
        let possible = (-50.0..=150.0).contains(&reading.celsius);
        if !possible && unseen.len() < 20 {
            let what = format!("temperature {} {}", reading.chip, reading.label);
            unseen.push(Unseen::new(what, format!("its chip says {:.0} °C", reading.celsius)));
        }
        possible
    });
    for reading in &mut sensors.temperatures {
        for limit in [&mut reading.high_celsius, &mut reading.critical_celsius] {
            // Drives that have no limit say 65261 or -273.
            *limit = limit.filter(|celsius| *celsius > 0.0 && *celsius <= 200.0);
        }
    }
    sensors.temperatures.truncate(COUNT_LIMIT);
    sensors.fans.truncate(COUNT_LIMIT);
    sensors.power.truncate(COUNT_LIMIT);
    sensors.voltages.truncate(COUNT_LIMIT);
    sensors.supplies.truncate(COUNT_LIMIT);
    unseen
}

#[cfg(test)]
mod tests;
