//! What a Linux host says of itself: counters, who it is, its file systems.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reanimator_core::collect::linux::{file_systems, identity, rates, watch};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (before, after) = text.split_at(text.floor_char_boundary(text.len() / 2));
    let (before, after) = (watch::parse(before), watch::parse(after));
    rates::telemetry(Some(&before), &after);
    rates::telemetry(None, &watch::parse(&text));
    rates::is_too_soon(&before, &after);
    identity::parse(&text);
    let mounts = file_systems::parse_mounts(&text);
    file_systems::measure_command(&mounts);
    file_systems::local_space(&file_systems::parse_measures(&mounts, &text));
});
