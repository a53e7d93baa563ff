//! Collector of [`Hardware`].
//!
//! Names, sizes and numbers come from `/sys` where it has them, from `lscpu`, `lspci` and `dmidecode` where it does not.
//! Memory modules and serial numbers are for root alone; all else any account may see.

mod board;
mod buses;
mod cpu;
mod memory;
pub(super) mod text;

use super::{Answers, Question};
use crate::model::facts::{Read, hardware::Hardware};

/// What is asked.
pub fn questions() -> Vec<Question> {
    vec![
        Question::with_tool("hw.lscpu", "lscpu", "$T5 lscpu -J"),
        Question::new("hw.cpuinfo", "sed -n \"1,/^$/p\" /proc/cpuinfo; echo \"@machine $(uname -m)\""),
        Question::new(
            "hw.cpu-files",
            "c=/sys/devices/system/cpu; grep -Hs . $c/cpu[0-9]*/topology/physical_package_id \
             $c/cpu[0-9]*/topology/thread_siblings_list $c/cpu[0-9]*/cpufreq/cpuinfo_max_freq \
             $c/cpu[0-9]*/cpufreq/base_frequency $c/cpu0/cpufreq/scaling_cur_freq",
        ),
        Question::with_tool("hw.dmi-memory", "dmidecode", "$T10 dmidecode -t 16 -t 17"),
        Question::new("hw.dmi", "grep -Hs . /sys/class/dmi/id/*"),
        Question::new(
            "hw.virtual",
            "if command -v systemd-detect-virt >/dev/null 2>&1; then echo vm=$(systemd-detect-virt -v); \
             echo container=$(systemd-detect-virt -c); elif [ -e /.dockerenv ]; then echo container=docker; \
             elif [ -e /run/.containerenv ]; then echo container=podman; fi",
        ),
        Question::new(
            "hw.tpm",
            "echo tpm=$(ls /sys/class/tpm 2>/dev/null | head -n 1) $(cat /sys/class/tpm/tpm0/tpm_version_major 2>/dev/null)",
        ),
        Question::new(
            "hw.pci",
            "d=/sys/bus/pci/devices; if command -v lspci >/dev/null 2>&1; then $T10 lspci -Dvmmnnk; \
             else grep -Hs . $d/*/class $d/*/vendor $d/*/device $d/*/uevent; fi",
        ),
        Question::with_tool(
            "hw.nvidia",
            "nvidia-smi",
            "$T10 nvidia-smi --query-gpu=pci.bus_id,name,driver_version,memory.total --format=csv,noheader,nounits",
        ),
        Question::new(
            "hw.usb",
            "d=/sys/bus/usb/devices; grep -Hs . $d/*/idVendor $d/*/idProduct $d/*/manufacturer $d/*/product $d/*/serial $d/*/speed",
        ),
        Question::new(
            "hw.pi",
            "m=/proc/device-tree/model; [ -e $m ] || exit 0; cat $m; echo; grep -E \"^(Revision|Serial)\" /proc/cpuinfo; \
             t=/sys/devices/platform/soc/soc:firmware/get_throttled; \
             if command -v vcgencmd >/dev/null 2>&1; then $T5 vcgencmd get_throttled; \
             elif [ -e $t ]; then echo throttled=$(cat $t); fi",
        ),
    ]
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Hardware> {
    let cpu = cpu::cpu(answers);
    let (boards, hidden) = board::boards(answers);
    let (raspberry_pi, throttling) = board::raspberry_pi(answers);
    let (memory, modules) = match memory::banks(answers) {
        Ok(banks) => (banks, None),
        // A Raspberry Pi has its memory soldered on, and no table of modules.
        Err(note) => (Default::default(), raspberry_pi.is_none().then_some(note)),
    };
    let pci = buses::pci(answers);
    let facts = Hardware {
        memory,
        system: boards.system,
        board: boards.board,
        chassis: boards.chassis,
        firmware: boards.firmware,
        virtualization: cpu::virtualization(answers, &cpu),
        tpm: board::tpm(answers),
        gpus: buses::gpus(answers, &pci),
        pci,
        usb: buses::usb(answers),
        raspberry_pi,
        cpu,
    };
    let nothing = (facts.cpu.threads.is_none()).then(|| {
        answers
            .said("hw.lscpu", "CPU")
            .err()
            .unwrap_or_else(|| crate::model::Unseen::new("CPU", "the answer was not understood"))
    });
    Read { facts, unseen: [nothing, modules, hidden, throttling].into_iter().flatten().collect() }
}

#[cfg(test)]
pub(super) mod tests;
