//! The watching shell: one `sh` per host that answers one line with one sample.
//!
//! [`script`] is started once over the kept connection. A line `t 17` on its standard input makes it print a block
//! framed by `@begin 17` and `@end 17`, made by a single `grep` over the files in [`FILES`]: each line carries the name
//! of its file, so a missing file is a missing name and nothing else. When the connection goes, `read` fails and the
//! shell ends by itself.
//!
//! The script runs in dash, bash and busybox ash. It holds no single quote, no backslash and no line break, so that it
//! survives any login shell as one single-quoted word.

use std::collections::BTreeMap;

use crate::model::{Memory, Pressure, PressureLine, Swap, Unseen, units::Bytes};

/// The first word of the script: also how a test double knows it.
pub const MARKER: &str = "reanimator-watch-1";

/// The files that a sample is made of.
pub const FILES: [&str; 10] = [
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/diskstats",
    "/proc/net/dev",
    "/proc/spl/kstat/zfs/arcstats",
];

/// The lines worth sending: a fraction of what `/proc` holds on a machine with many CPUs and disks.
const PATTERN: &str = "^(cpu |btime |Mem(Total|Free|Available):|(Buffers|Cached|SReclaimable|Shmem):|Swap(Total|Free):|some |full |size |[0-9]| +[0-9]+ +[0-9]+ [a-km-qs-z]| *[^ ]+: *[0-9]+ +[0-9]+ )";

/// The longest sample that is accepted. A machine with hundreds of disks sends about 100 KiB.
pub const SAMPLE_LIMIT: usize = 1024 * 1024;

/// The text for `sh -c`.
pub fn script() -> String {
    format!(
        ": {MARKER}; exec 2>/dev/null; LC_ALL=C; export LC_ALL; while read -r w n; do [ \"$w\" = t ] || exit 0; echo \"@begin $n\"; \
         grep -HsE \"{PATTERN}\" {}; echo \"@end $n\"; done",
        FILES.join(" ")
    )
}

/// The line that asks for sample `number`.
pub fn request(number: u64) -> String {
    format!("t {number}\n")
}

/// The line that starts the answer.
pub fn begin(number: u64) -> String {
    format!("@begin {number}")
}

/// The line that ends the answer.
pub fn end(number: u64) -> String {
    format!("@end {number}")
}

/// Counters and gauges of one machine at one time, as `/proc` gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Seconds since the machine started, by its own clock.
    pub uptime: Option<f64>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// CPU time in ticks: user, nice, system, idle, iowait, irq, softirq, steal.
    pub cpu: Option<[u64; 8]>,
    /// Main memory.
    pub memory: Option<Memory>,
    /// Swap.
    pub swap: Option<Swap>,
    /// Pressure by resource.
    pub pressure: BTreeMap<String, Pressure>,
    /// Whole disks.
    pub disks: Vec<DiskCounters>,
    /// Interfaces but the loopback.
    pub networks: Vec<NetworkCounters>,
    /// Lines that could not be read, and files that were not there.
    pub unseen: Vec<Unseen>,
}

/// What one disk has done since the machine started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskCounters {
    /// `sda`.
    pub name: String,
    /// Reads finished.
    pub reads: u64,
    /// Sectors of 512 bytes read.
    pub sectors_read: u64,
    /// Writes finished.
    pub writes: u64,
    /// Sectors of 512 bytes written.
    pub sectors_written: u64,
    /// Milliseconds with work under way. A 32-bit counter on many kernels.
    pub busy_milliseconds: u64,
}

/// What one interface has carried since the machine started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkCounters {
    /// `eth0`.
    pub name: String,
    /// Bytes in.
    pub received: u64,
    /// Bytes out.
    pub sent: u64,
    /// Errors and drops, both ways.
    pub errors: u64,
}

/// Reads the lines between `@begin` and `@end`. Never fails: what cannot be read is named in [`Sample::unseen`].
pub fn parse(block: &str) -> Sample {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in block.lines() {
        if let Some((file, content)) = line.split_once(':') {
            files.entry(file).or_default().push(content);
        }
    }
    let lines = |file: &str| files.get(file).map_or(&[][..], Vec::as_slice);
    let mut sample = Sample {
        uptime: lines("/proc/uptime").first().and_then(|line| float(line, 0)),
        load: lines("/proc/loadavg").first().and_then(|line| Some([float(line, 0)?, float(line, 1)?, float(line, 2)?])),
        cpu: lines("/proc/stat").iter().find_map(|line| cpu(line)),
        disks: lines("/proc/diskstats").iter().filter_map(|line| disk(line)).collect(),
        networks: lines("/proc/net/dev").iter().filter_map(|line| network(line)).collect(),
        ..Sample::default()
    };
    let arc = lines("/proc/spl/kstat/zfs/arcstats").iter().find(|line| line.starts_with("size "));
    let arc = arc.and_then(|line| line.split_whitespace().last()?.parse().ok()).map(Bytes);
    (sample.memory, sample.swap) = memory(lines("/proc/meminfo"), arc);
    for resource in ["cpu", "memory", "io"] {
        if let Some(pressure) = pressure(lines(&format!("/proc/pressure/{resource}"))) {
            sample.pressure.insert(resource.to_owned(), pressure);
        }
    }
    sample.unseen = unseen(&sample, &files);
    sample
}

fn unseen(sample: &Sample, files: &BTreeMap<&str, Vec<&str>>) -> Vec<Unseen> {
    let why = |file: &str| match files.get(file) {
        Some(_) => format!("{file} is not in the form that Linux gives it"),
        None => format!("{file} could not be read"),
    };
    let facts = [
        ("uptime", "/proc/uptime", sample.uptime.is_some()),
        ("load", "/proc/loadavg", sample.load.is_some()),
        ("CPU", "/proc/stat", sample.cpu.is_some()),
        ("memory", "/proc/meminfo", sample.memory.is_some()),
        ("swap", "/proc/meminfo", sample.swap.is_some()),
        ("disk rates", "/proc/diskstats", files.contains_key("/proc/diskstats")),
        ("network rates", "/proc/net/dev", !sample.networks.is_empty() || files.contains_key("/proc/net/dev")),
    ];
    let mut unseen: Vec<Unseen> =
        facts.into_iter().filter(|(.., seen)| !seen).map(|(what, file, _)| Unseen::new(what, why(file))).collect();
    if sample.uptime.is_none() {
        unseen.push(Unseen::new("CPU use and rates", "they are counted over /proc/uptime, which was not seen"));
    }
    if sample.pressure.is_empty() {
        unseen
            .push(Unseen::new("pressure", "the kernel has no pressure stall information (PSI) or it is switched off"));
    }
    unseen
}

fn number<T: std::str::FromStr>(line: &str, field: usize) -> Option<T> {
    line.split_whitespace().nth(field)?.parse().ok()
}

/// A number that a figure can be: `nan` and `inf` are numbers to Rust and nonsense from a host.
fn float(line: &str, field: usize) -> Option<f64> {
    number(line, field).filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

fn cpu(line: &str) -> Option<[u64; 8]> {
    let mut words = line.strip_prefix("cpu ")?.split_whitespace();
    let mut times = [0; 8];
    for (index, time) in times.iter_mut().enumerate() {
        match words.next() {
            Some(word) => *time = word.parse().ok()?,
            // Before Linux 2.6.11 there were fewer columns; four are always there.
            None if index >= 4 => break,
            None => return None,
        }
    }
    Some(times)
}

fn memory(lines: &[&str], arc: Option<Bytes>) -> (Option<Memory>, Option<Swap>) {
    let kib = |name: &str| {
        let line = lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        number::<u64>(line, 0).map(Bytes::from_kib)
    };
    let less = |a: Bytes, b: Bytes| Bytes(a.0.saturating_sub(b.0));
    let memory = kib("MemTotal").and_then(|total| {
        let (available, source) = match kib("MemAvailable") {
            Some(available) => (available, "MemAvailable"),
            None => {
                let cache = kib("Buffers").unwrap_or_default()
                    + kib("Cached").unwrap_or_default()
                    + kib("SReclaimable").unwrap_or_default();
                (kib("MemFree")? + less(cache, kib("Shmem").unwrap_or_default()), "MemFree+Buffers+Cached")
            }
        };
        Some(Memory {
            total_bytes: total,
            used_bytes: less(total, available),
            available_bytes: Some(available),
            source: source.to_owned(),
            arc_bytes: arc,
        })
    });
    let swap =
        kib("SwapTotal").and_then(|total| Some(Swap { total_bytes: total, used_bytes: less(total, kib("SwapFree")?) }));
    (memory, swap)
}

fn pressure(lines: &[&str]) -> Option<Pressure> {
    let line = |name: &str| {
        let words = lines.iter().find_map(|line| line.strip_prefix(name))?;
        let share = |key: &str| words.split_whitespace().find_map(|word| float(word.strip_prefix(key)?, 0));
        Some(PressureLine { avg10: share("avg10=")?, avg60: share("avg60=")?, avg300: share("avg300=")? })
    };
    Some(Pressure { some: line("some ")?, full: line("full ") })
}

fn disk(line: &str) -> Option<DiskCounters> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = words.get(2)?;
    let count = |field: usize| words.get(field).and_then(|word| word.parse().ok());
    is_whole_disk(name).then_some(())?;
    Some(DiskCounters {
        name: (*name).to_owned(),
        reads: count(3)?,
        sectors_read: count(5)?,
        writes: count(7)?,
        sectors_written: count(9)?,
        busy_milliseconds: count(12)?,
    })
}

/// Whether a name in `/proc/diskstats` is a whole disk: not a partition, not a mapping of other disks, not a loop.
fn is_whole_disk(name: &str) -> bool {
    let letters_only = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase());
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    if ["xvd", "sd", "vd", "hd"].iter().any(|prefix| name.strip_prefix(prefix).is_some_and(letters_only)) {
        return true;
    }
    if let Some(rest) = name.strip_prefix("nvme") {
        return rest.split_once('n').is_some_and(|(controller, space)| digits(controller) && digits(space));
    }
    ["mmcblk", "pmem", "dasd"].iter().any(|prefix| name.strip_prefix(prefix).is_some_and(digits))
}

fn network(line: &str) -> Option<NetworkCounters> {
    let (name, counters) = line.split_once(':')?;
    let name = name.trim();
    if name == "lo" {
        return None;
    }
    let words: Vec<u64> = counters.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let count = |field: usize| words.get(field).copied();
    Some(NetworkCounters {
        name: name.to_owned(),
        received: count(0)?,
        sent: count(8)?,
        errors: [2, 3, 10, 11].into_iter().filter_map(count).fold(0, u64::saturating_add),
    })
}

/// Whether an interface carries traffic of the machine itself: not a bridge, a bundle, or a guest's end.
///
/// A frame that goes through a bridge is counted on its port and on the bridge; sums take ports only.
pub fn is_real_interface(name: &str) -> bool {
    const VIRTUAL: [&str; 18] = [
        "veth", "docker", "br-", "br", "vmbr", "virbr", "tap", "fwbr", "fwln", "fwpr", "cni", "flannel", "cali",
        "bond", "dummy", "ifb", "tun", "wg",
    ];
    !name.contains('.') && !name.contains('@') && !VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOCK: &str = include_str!("../../../tests/recordings/linux/watch-debian-12.txt");

    #[test]
    fn a_recorded_block_gives_every_figure() {
        let sample = parse(BLOCK);
        assert_eq!(sample.uptime, Some(1792.24));
        assert_eq!(sample.load, Some([0.60, 0.69, 0.75]));
        assert_eq!(sample.cpu, Some([60770, 1921, 28658, 261695, 2875, 0, 476, 340]));
        let memory = sample.memory.expect("memory");
        assert_eq!((memory.total_bytes, memory.source.as_str()), (Bytes::from_kib(24684092), "MemAvailable"));
        assert_eq!(memory.used_bytes, Bytes::from_kib(24684092 - 23934844));
        assert_eq!(sample.swap, Some(Swap::default()));
        assert_eq!(sample.pressure["io"].some.avg60, 0.3);
        assert_eq!(sample.disks.iter().map(|disk| disk.name.as_str()).collect::<Vec<_>>(), ["vda"]);
        assert_eq!(sample.networks.len(), 8);
        assert_eq!(sample.unseen, []);
    }

    #[test]
    fn the_zfs_cache_is_known_apart() {
        let block = format!("{BLOCK}/proc/spl/kstat/zfs/arcstats:size                            4    4294967296\n");
        assert_eq!(parse(&block).memory.expect("memory").arc_bytes, Some(Bytes(4_294_967_296)));
    }

    #[test]
    fn missing_files_are_named_and_the_rest_is_seen() {
        let block: String =
            BLOCK.lines().filter(|line| !line.starts_with("/proc/meminfo")).map(|l| format!("{l}\n")).collect();
        let sample = parse(&block);
        assert_eq!(sample.memory, None);
        assert!(sample.cpu.is_some());
        assert_eq!(sample.unseen[0], Unseen::new("memory", "/proc/meminfo could not be read"));
    }

    #[test]
    fn figures_that_need_a_missing_file_are_named_too() {
        let block: String =
            BLOCK.lines().filter(|line| !line.starts_with("/proc/uptime")).map(|l| format!("{l}\n")).collect();
        let whats: Vec<String> = parse(&block).unseen.into_iter().map(|unseen| unseen.what).collect();
        assert_eq!(whats, ["uptime", "CPU use and rates"]);
    }

    #[test]
    fn figures_that_are_no_numbers_are_not_seen() {
        let sample = parse(
            "/proc/loadavg:nan inf -1 1/2 3\n/proc/uptime:inf 1\n/proc/pressure/cpu:some avg10=nan avg60=0 avg300=0\n",
        );
        assert_eq!((sample.load, sample.uptime, sample.pressure.len()), (None, None, 0));
    }

    #[test]
    fn an_old_kernel_without_mem_available_says_where_used_came_from() {
        let block = "/proc/meminfo:MemTotal: 1000 kB\n/proc/meminfo:MemFree: 100 kB\n/proc/meminfo:Buffers: 50 kB\n\
                     /proc/meminfo:Cached: 400 kB\n/proc/meminfo:Shmem: 20 kB\n";
        let memory = parse(block).memory.expect("memory");
        assert_eq!(memory.used_bytes, Bytes::from_kib(1000 - 100 - 50 - 400 + 20));
        assert_eq!(memory.source, "MemFree+Buffers+Cached");
    }

    #[test]
    fn the_script_survives_any_login_shell_in_single_quotes() {
        assert!(!script().contains(['\'', '\\', '\n', '!']), "{}", script());
    }

    #[test]
    fn whole_disks_are_told_from_their_parts() {
        let whole = ["sda", "sdaa", "vda", "xvda", "nvme0n1", "nvme10n2", "mmcblk0"];
        let parts = ["sda1", "nvme0n1p1", "mmcblk0p2", "loop0", "dm-0", "md0", "zd0", "sr0", "ram0", "nvme0"];
        assert!(whole.iter().all(|name| is_whole_disk(name)));
        assert!(!parts.iter().any(|name| is_whole_disk(name)));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,400}") {
            parse(&text);
        }

        #[test]
        fn no_damage_makes_it_panic(cut in 0..BLOCK.len(), junk in "[\\x00-\\xff]{0,20}") {
            let cut = (0..=cut).rev().find(|at| BLOCK.is_char_boundary(*at)).unwrap_or(0);
            parse(&format!("{}{junk}{}", &BLOCK[..cut], &BLOCK[cut..]));
        }
    }
}
