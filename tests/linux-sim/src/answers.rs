//! The texts that a host answers with: the watching shell's sample, identity, mounts and `df`, as real ones have them.

use std::fmt::Write as _;

use crate::machine::{Figures, Machine};

/// What `/proc` gives between `@begin` and `@end`.
pub(crate) fn sample(machine: &Machine, figures: &Figures) -> String {
    let Figures { uptime, load, ticks, memory_kib: (total, available), .. } = figures;
    let system = machine.system;
    let mut text = String::with_capacity(2048);
    let idle = ticks[2] as f64 / 100.0;
    let mut line = |file: &str, content: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _written = writeln!(text, "/proc/{file}:{content}");
    };
    line("uptime", format_args!("{uptime:.2} {idle:.2}"));
    line("loadavg", format_args!("{:.2} {:.2} {:.2} 1/187 4711", load[0], load[1], load[2]));
    line("stat", format_args!("cpu  {} 0 {} {} {} 0 0 0 0 0", ticks[0], ticks[1], ticks[2], ticks[3]));
    for (name, kib) in [
        ("MemTotal:", *total),
        ("MemFree:", available / 2),
        ("MemAvailable:", *available),
        ("Buffers:", available / 20),
        ("Cached:", available / 3),
        ("SwapTotal:", 1_048_572),
        ("SwapFree:", 1_040_000),
        ("Shmem:", 8952),
        ("SReclaimable:", available / 30),
    ] {
        line("meminfo", format_args!("{name:<15}{kib:>9} kB"));
    }
    for resource in ["cpu", "memory", "io"] {
        let share = if resource == "cpu" { figures.busy * 10.0 } else { 0.0 };
        let total = (uptime * share * 1e4) as u64;
        line(
            &format!("pressure/{resource}"),
            format_args!("some avg10={share:.2} avg60={share:.2} avg300={share:.2} total={total}"),
        );
        line(&format!("pressure/{resource}"), format_args!("full avg10=0.00 avg60=0.00 avg300=0.00 total=0"));
    }
    let (read, written) = figures.disk_bytes;
    line(
        "diskstats",
        format_args!(
            "   8       0 {} {} 0 {} {} {} 0 {} {} 0 {} {} 0 0 0 0 0 0",
            system.disk,
            read / 16_384,
            read / 512,
            read / 65_536,
            written / 16_384,
            written / 512,
            written / 65_536,
            written / 131_072,
            written / 65_536,
        ),
    );
    let (received, sent) = figures.network_bytes;
    for (name, received, sent) in [("lo", 3293, 3293), (system.interface, received, sent)] {
        line(
            "net/dev",
            format_args!(
                "{name:>6}: {received:>7} {:>7}    0    0    0     0          0         0 {sent:>8} {:>7}    0    0    0     0       0          0",
                received / 900,
                sent / 900,
            ),
        );
    }
    text
}

/// What the identity command answers.
pub(crate) fn identity(machine: &Machine, clock: i64) -> String {
    let system = machine.system;
    let mut text = format!(
        "/etc/machine-id:{}\n/proc/sys/kernel/hostname:{}\n/proc/sys/kernel/osrelease:{}\n",
        machine.machine_id,
        machine.name(),
        system.kernel,
    );
    for line in os_release(machine).lines() {
        let _written = writeln!(text, "/etc/os-release:{line}");
    }
    let _written = write!(
        text,
        "/sys/class/dmi/id/product_uuid:{}\n/sys/class/net/{}/address:{}\n/sys/class/net/lo/address:00:00:00:00:00:00\n\
         /proc/cpuinfo:{}\narchitecture:{}\ncpus:{}\nvirtualization:{}\nclock:{clock}\nuid:0\n",
        machine.uuid,
        system.interface,
        machine.mac,
        system.cpu_model,
        system.architecture,
        machine.cpus,
        system.virtualization,
    );
    text
}

/// `/etc/os-release`.
pub(crate) fn os_release(machine: &Machine) -> String {
    let system = machine.system;
    format!("PRETTY_NAME=\"{}\"\nVERSION_ID=\"{}\"\nID={}\n", system.pretty, system.version, system.id)
}

/// `/proc/self/mounts`.
pub(crate) fn mounts(machine: &Machine) -> String {
    format!(
        "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n\
         /dev/{} / ext4 rw,relatime,errors=remount-ro 0 0\ntmpfs /run tmpfs rw,nosuid,nodev,size=401536k 0 0\n",
        machine.system.partition
    )
}

/// `df -P -k`.
pub(crate) fn df(machine: &Machine, figures: &Figures) -> String {
    let (total, used) = figures.disk_kib;
    row("1024-blocks", machine, total, used)
}

/// `df -P -i`.
pub(crate) fn df_inodes(machine: &Machine, figures: &Figures) -> String {
    let (total, used) = figures.disk_kib;
    row("Inodes", machine, total / 16, used / 64)
}

fn row(unit: &str, machine: &Machine, total: u64, used: u64) -> String {
    let percent = (used * 100).div_ceil(total.max(1));
    let name = format!("/dev/{}", machine.system.partition);
    format!(
        "Filesystem     {unit} Used Available Capacity Mounted on\n{name:<14} {total} {used} {} {percent}% /\n",
        total - used
    )
}

/// What `uptime` prints.
pub(crate) fn uptime(figures: &Figures, clock: i64) -> String {
    let (hours, minutes, seconds) = (clock / 3600 % 24, clock / 60 % 60, clock % 60);
    let up = figures.uptime as u64;
    let (days, up_hours, up_minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    let [one, five, fifteen] = figures.load;
    format!(
        " {hours:02}:{minutes:02}:{seconds:02} up {days} days, {up_hours:2}:{up_minutes:02},  0 users,  \
         load average: {one:.2}, {five:.2}, {fifteen:.2}\n"
    )
}
