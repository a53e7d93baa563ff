//! The processor: `lscpu`, and `/proc` and `/sys` for what it does not say or where it is not installed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::Answers,
    text::{files, number, positive, value},
};
use crate::model::{
    facts::hardware::{Cpu, Virtualization},
    units::Bytes,
};

/// Flags that people ask for.
const FLAGS: [&str; 26] = [
    "vmx",
    "svm",
    "hypervisor",
    "aes",
    "sha_ni",
    "rdrand",
    "avx",
    "avx2",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_tile",
    "sse4_2",
    "bmi2",
    "sme",
    "sev",
    "sgx",
    "ept",
    "asimd",
    "neon",
    "sve",
    "sha2",
    "atomics",
];

/// More CPUs than any machine has.
const CPUS_LIMIT: u32 = 100_000;

/// What `lscpu -J` says, field by field: without the colon, nested or not.
fn fields(lscpu: &Value) -> BTreeMap<String, String> {
    fn collect(list: &Value, depth: usize, fields: &mut BTreeMap<String, String>) {
        for entry in list.as_array().into_iter().flatten() {
            if let (Some(field), Some(data)) = (entry["field"].as_str(), entry["data"].as_str()) {
                fields.entry(field.trim().trim_end_matches(':').to_owned()).or_insert_with(|| data.trim().to_owned());
            }
            if depth > 0 {
                collect(&entry["children"], depth - 1, fields);
            }
        }
    }
    let mut fields_by_name = BTreeMap::new();
    collect(&lscpu["lscpu"], 4, &mut fields_by_name);
    fields_by_name
}

/// `32 MiB (1 instance)`, `32768K`, or a bare number of bytes.
fn cache_size(text: &str) -> Option<Bytes> {
    let text = text.split('(').next()?.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let count = positive(&text[..split])?;
    let unit = match text[split..].trim() {
        "" => 1.0,
        "K" | "KiB" => 1024.0,
        "M" | "MiB" => 1024.0 * 1024.0,
        "G" | "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(Bytes((count * unit) as u64))
}

/// The first processor of `/proc/cpuinfo`.
fn first_processor(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// Sockets, and physical cores per socket, from `/sys/devices/system/cpu/cpu*/topology`. Socket numbers below zero are
/// those of machines that have no word for sockets: one.
fn topology(text: &str) -> (Option<u32>, Option<u32>) {
    let mut sockets: BTreeMap<&str, i64> = BTreeMap::new();
    let mut cores: BTreeMap<&str, &str> = BTreeMap::new();
    for (cpu, file, content) in files(text, "/sys/devices/system/cpu") {
        match file {
            "topology/physical_package_id" => {
                if let Some(socket) = number::<i64>(content) {
                    sockets.insert(cpu, socket.max(0));
                }
            }
            "topology/core_cpus_list" | "topology/thread_siblings_list" => {
                cores.insert(cpu, content);
            }
            _ => {}
        }
    }
    let count = |set: usize| u32::try_from(set).ok().filter(|count| *count > 0);
    let socket_count = count(sockets.values().collect::<BTreeSet<_>>().len());
    let all_cores = count(cores.values().collect::<BTreeSet<_>>().len());
    (socket_count, all_cores.zip(socket_count).map(|(cores, sockets)| cores / sockets).filter(|cores| *cores > 0))
}

/// kHz of files under `/sys/devices/system/cpu/cpu*/cpufreq`, the highest of all CPUs, as MHz.
fn mhz(text: &str, name: &str) -> Option<f64> {
    let readings =
        files(text, "/sys/devices/system/cpu").filter(|(_, file, _)| file.strip_prefix("cpufreq/") == Some(name));
    readings.filter_map(|(.., content)| positive(content)).map(|khz| khz / 1000.0).max_by(f64::total_cmp)
}

/// The clock after the `@` in `Intel(R) Xeon(R) CPU E5-2650 0 @ 2.00GHz`.
fn promised_mhz(model: &str) -> Option<f64> {
    let (_, clock) = model.rsplit_once('@')?;
    positive(clock.trim().strip_suffix("GHz")?).map(|ghz| ghz * 1000.0)
}

/// The processor.
pub(super) fn cpu(answers: &Answers) -> Cpu {
    let lscpu = answers.json("hw.lscpu", "CPU").unwrap_or_default();
    let said = fields(&lscpu);
    let field = |name: &str| said.get(name).map(String::as_str).and_then(value);
    let count =
        |name: &str| said.get(name).and_then(|text| number::<u32>(text)).filter(|n| (1..CPUS_LIMIT).contains(n));
    let first = first_processor(answers.text("hw.cpuinfo"));
    let first_field = |name: &str| first.get(name).copied().and_then(value);
    let files = answers.text("hw.cpu-files");
    let (sockets, cores) = topology(files);
    let online = files_of_cpus(files);

    let flags = said
        .get("Flags")
        .map(String::as_str)
        .or_else(|| first.get("flags").copied())
        .or_else(|| first.get("Features").copied());
    let flags: BTreeSet<&str> = flags.unwrap_or_default().split_whitespace().collect();
    let caches = said.iter().filter_map(|(name, size)| {
        let level = name.strip_suffix(" cache").filter(|level| level.len() <= 4 && level.starts_with('L'))?;
        Some((level.to_owned(), cache_size(size)?))
    });
    let model = field("Model name").or_else(|| first_field("model name")).or_else(|| first_field("Hardware"));
    Cpu {
        vendor: field("Vendor ID").or_else(|| first_field("vendor_id")),
        architecture: field("Architecture").or_else(|| {
            answers.text("hw.cpuinfo").lines().last().and_then(|line| value(line.strip_prefix("@machine ")?))
        }),
        sockets: count("Socket(s)").or(sockets),
        cores: count("Core(s) per socket").or(cores),
        threads: count("CPU(s)").or(online),
        base_mhz: mhz(files, "base_frequency").or_else(|| promised_mhz(model.as_deref()?)),
        max_mhz: mhz(files, "cpuinfo_max_freq").or_else(|| positive(said.get("CPU max MHz")?)),
        current_mhz: first.get("cpu MHz").and_then(|text| positive(text)).or_else(|| mhz(files, "scaling_cur_freq")),
        cache_bytes: caches.collect(),
        flags: FLAGS.iter().filter(|flag| flags.contains(**flag)).map(|flag| (*flag).to_owned()).collect(),
        microcode: first_field("microcode"),
        model,
    }
}

/// How many CPUs have a folder with a topology.
fn files_of_cpus(text: &str) -> Option<u32> {
    let cpus: BTreeSet<&str> =
        files(text, "/sys/devices/system/cpu").map(|(cpu, ..)| cpu).filter(|cpu| cpu.starts_with("cpu")).collect();
    u32::try_from(cpus.len()).ok().filter(|count| *count > 0)
}

/// Whether the machine is one of its own: `systemd-detect-virt`, else what the processor says.
pub(super) fn virtualization(answers: &Answers, cpu: &Cpu) -> Virtualization {
    let line = |name: &str| {
        let said = answers.text("hw.virtual").lines().find_map(|line| line.strip_prefix(name))?;
        Some(said.trim()).filter(|said| !said.is_empty()).map(str::to_owned)
    };
    let lscpu = fields(&answers.json("hw.lscpu", "CPU").unwrap_or_default());
    let asked = line("vm=");
    let some = |word: Option<String>| word.filter(|word| word != "none").and_then(|word| value(&word));
    let hypervisor = some(asked.clone())
        .or_else(|| lscpu.get("Hypervisor vendor").and_then(|text| value(text)).map(|name| name.to_lowercase()));
    let container = some(line("container="));
    let flagged = cpu.flags.iter().any(|flag| flag == "hypervisor");
    let is_virtual = hypervisor.is_some() || container.is_some() || flagged;
    let sure = is_virtual || asked.is_some() || !lscpu.is_empty();
    Virtualization { is_virtual: sure.then_some(is_virtual), hypervisor, container }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_read_in_every_way_that_lscpu_writes_them() {
        for text in ["32 MiB (1 instance)", "33554432 (1 instance)", "32768K", "32768 KiB", "32M"] {
            assert_eq!(cache_size(text), Some(Bytes(32 << 20)), "{text}");
        }
        assert_eq!(cache_size("many"), None);
    }

    #[test]
    fn the_promised_clock_is_in_the_name_of_an_intel() {
        assert_eq!(promised_mhz("Intel(R) Xeon(R) CPU E5-2650 0 @ 2.00GHz"), Some(2000.0));
        assert_eq!(promised_mhz("AMD EPYC"), None);
    }

    #[test]
    fn cores_are_counted_without_lscpu() {
        let cpus = [
            (0, 0, "0,4"),
            (1, 0, "1,5"),
            (2, 1, "2,6"),
            (3, 1, "3,7"),
            (4, 0, "0,4"),
            (5, 0, "1,5"),
            (6, 1, "2,6"),
            (7, 1, "3,7"),
        ];
        let text: String = cpus
            .map(|(cpu, socket, siblings)| {
                format!("/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id:{socket}\n/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list:{siblings}\n")
            })
            .concat();
        assert_eq!((topology(&text), files_of_cpus(&text)), ((Some(2), Some(2)), Some(8)));
    }
}
