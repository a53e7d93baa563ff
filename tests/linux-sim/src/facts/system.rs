//! Units, sessions, boots, restarts that are due, and the clock.

use jiff::{Timestamp, tz::TimeZone};

use super::{Asked, Said, mixed};

pub(super) fn answer(name: &str, question: &str, asked: &Asked<'_>) -> Option<Said> {
    Some(match name {
        "system" => basics(asked).into(),
        "system-units" => units(asked).into(),
        "system-sessions" => sessions(asked).into(),
        "system-boot" => boot(asked).into(),
        "system-boots" => boots(question, asked).into(),
        "system-reboot" => reboot(asked).into(),
        "system-time" => time(asked).into(),
        _ => return None,
    })
}

fn basics(asked: &Asked<'_>) -> String {
    let processes = 90 + asked.draw(80, 300) + (asked.figures.busy * 20.0) as u64;
    format!(
        "/proc/stat:btime {}\n/proc/1/comm:systemd\ndir:/run/systemd/system\nprocesses:{processes}\nclock:{}\n",
        asked.started(),
        asked.clock
    )
}

fn units(asked: &Asked<'_>) -> String {
    let version = match asked.machine.system.version {
        "13" => "257.2-3",
        "24.04" => "255.4-1ubuntu8.5",
        _ => "252.39-1~deb12u2",
    };
    let failed = asked.one_in(20, 81);
    let (count, state) = if failed { (1, "degraded") } else { (0, "running") };
    let head = format!("manager:systemd\nVersion={version}\nNNames=312\nNFailedUnits={count}\nSystemState={state}\n");
    if !failed {
        return head;
    }
    let since = (asked.figures.uptime * 0.4e6) as u64;
    format!(
        "{head}\nResult=exit-code\nId=broken-backup.service\nDescription=Nightly backup of the books\nActiveState=failed\n\
         StateChangeTimestampMonotonic={since}\n"
    )
}

fn sessions(asked: &Asked<'_>) -> String {
    if !asked.one_in(6, 82) {
        return String::new();
    }
    let since = (asked.clock - 1800).max(asked.started());
    format!("root     pts/0        {} (192.0.2.7)\n", in_utc(since, "%b %e %H:%M"))
}

fn in_utc(second: i64, format: &str) -> String {
    let time = Timestamp::from_second(second).unwrap_or_default().to_zoned(TimeZone::UTC);
    time.strftime(format).to_string()
}

/// A new one with each start.
fn boot_id(asked: &Asked<'_>) -> String {
    let seed = asked.rebooted.map_or(0, f64::to_bits);
    let (high, low) = (mixed(asked.draw(83, u64::MAX) ^ seed), mixed(asked.draw(84, u64::MAX) ^ seed));
    let digits = format!("{high:016x}{low:016x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn boot(asked: &Asked<'_>) -> String {
    let id = boot_id(asked);
    let firmware = match asked {
        _ if asked.is_raspberry_pi() => "efi:no\n",
        _ if asked.is_virtual() => "/sys/class/dmi/id/bios_vendor:SeaBIOS\nefi:no\n",
        _ => "/sys/class/dmi/id/bios_vendor:American Megatrends Inc.\nefi:yes\nsecure: 6 0 0 0 1\n",
    };
    format!("/proc/sys/kernel/random/boot_id:{id}\n{firmware}")
}

/// The boot before, and this one; or that it is still the one that was asked for.
fn boots(question: &str, asked: &Asked<'_>) -> String {
    let id = boot_id(asked);
    if question.contains(&format!("= {id} ]")) {
        return "@same\n".to_owned();
    }
    let time = |second: i64| in_utc(second, "%a %Y-%m-%d %H:%M:%S UTC");
    let (from, to, before) = (time(asked.started()), time(asked.clock), asked.started());
    format!(
        "-1 {:032x} {} {}\n 0 {} {from} {to}\n",
        u128::from(asked.draw(85, u64::MAX)),
        time(before - 30 * 86_400),
        time(before - 60),
        id.replace('-', "")
    )
}

fn reboot(asked: &Asked<'_>) -> String {
    let kernel = asked.machine.system.kernel;
    let due = if asked.one_in(9, 86) { "has:/run/reboot-required\n" } else { "" };
    let packages = if due.is_empty() { "" } else { "/run/reboot-required.pkgs:linux-image-amd64\n" };
    format!(
        "/proc/sys/kernel/osrelease:{kernel}\n{packages}/proc/stat:btime {}\n{due}has:/lib/modules/{kernel}\n\
         has:/boot/vmlinuz-{kernel}\n",
        asked.started()
    )
}

fn time(asked: &Asked<'_>) -> String {
    format!(
        "Timezone=Etc/UTC\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized=yes\nTimeUSec={}\n\
         link:/usr/share/zoneinfo/Etc/UTC\n/etc/timezone:Etc/UTC\n/proc/411/comm:systemd-timesyn\ntimesync:yes\n",
        in_utc(asked.clock, "%a %Y-%m-%d %H:%M:%S UTC")
    )
}
