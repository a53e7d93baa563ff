#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::process::Command;

use proptest::prelude::*;

use super::{super::ask, *};
use crate::model::units::Bytes;

const LSCPU: &str = include_str!("../../../../../tests/recordings/linux/inventory/hardware/lscpu-debian-12.json");
const CPUINFO: &str = include_str!("../../../../../tests/recordings/linux/inventory/hardware/cpuinfo-debian-12.txt");
const CPU_FILES: &str =
    include_str!("../../../../../tests/recordings/linux/inventory/hardware/cpu-files-debian-12.txt");

/// Holds questions to the rule of the room, and every shell that is here to their syntax.
pub(in super::super) fn hold_to_the_rule(questions: &[Question]) {
    for question in questions {
        assert!(!question.text.contains(['\'', '\\', '\n', '!']), "{}", question.name);
    }
    let script = ask::script(questions);
    for shell in [&["dash"][..], &["bash"], &["busybox", "ash"]] {
        let (program, arguments) = shell.split_first().unwrap();
        let Ok(output) = Command::new(program).args(arguments).args(["-n", "-c", &script]).output() else { continue };
        assert!(output.status.success(), "{shell:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What this very machine answers.
pub(in super::super) fn this_machine(questions: &[Question]) -> Answers {
    let output = Command::new("sh").arg("-c").arg(ask::script(questions)).output().unwrap();
    ask::answers(&String::from_utf8_lossy(&output.stdout))
}

#[test]
fn questions_pass_through_any_shell() {
    hold_to_the_rule(&questions());
}

#[test]
fn the_processor_is_read_from_lscpu_and_proc() {
    let answers = Answers::of(true, [("hw.lscpu", LSCPU), ("hw.cpuinfo", CPUINFO), ("hw.cpu-files", CPU_FILES)]);
    let cpu = parse(&answers).facts.cpu;
    assert_eq!((cpu.model.as_deref(), cpu.vendor.as_deref()), (Some("AMD EPYC"), Some("AuthenticAMD")));
    assert_eq!((cpu.sockets, cpu.cores, cpu.threads), (Some(1), Some(2), Some(2)));
    assert_eq!((cpu.architecture.as_deref(), cpu.microcode.as_deref()), (Some("x86_64"), Some("0x1000065")));
    assert_eq!(cpu.current_mhz, Some(2596.122));
    assert_eq!(cpu.cache_bytes["L3"], Bytes(32 << 20));
    assert!(cpu.flags.iter().any(|flag| flag == "aes") && cpu.flags.iter().all(|flag| flag != "svm"));
}

#[test]
fn without_lscpu_the_processor_is_the_same() {
    let with = Answers::of(true, [("hw.lscpu", LSCPU), ("hw.cpuinfo", CPUINFO), ("hw.cpu-files", CPU_FILES)]);
    let without = Answers::of(true, [("hw.cpuinfo", CPUINFO), ("hw.cpu-files", CPU_FILES)]);
    let mut expected = parse(&with).facts.cpu;
    expected.cache_bytes.clear();
    assert_eq!(parse(&without).facts.cpu, expected);
}

#[test]
fn a_virtual_machine_says_on_what() {
    let asked = |text: &str| parse(&Answers::of(true, [("hw.virtual", text)])).facts.virtualization;
    let docker = asked("vm=kvm\ncontainer=docker\n");
    assert_eq!(
        (docker.is_virtual, docker.hypervisor.as_deref(), docker.container.as_deref()),
        (Some(true), Some("kvm"), Some("docker"))
    );
    let metal = asked("vm=none\ncontainer=none\n");
    assert_eq!((metal.is_virtual, metal.hypervisor), (Some(false), None));
    assert_eq!(asked("").is_virtual, None);
}

#[test]
fn this_machine_agrees_with_what_it_says_of_itself() {
    let answers = this_machine(&questions());
    let read = parse(&answers);
    let threads =
        std::fs::read_to_string("/proc/cpuinfo").unwrap().lines().filter(|line| line.starts_with("processor")).count();
    assert_eq!(read.facts.cpu.threads, u32::try_from(threads).ok());
    assert!(read.facts.cpu.model.is_some() || read.facts.cpu.architecture.is_some());
    assert!(read.facts.tpm.is_some());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in "(?s)(/sys/(bus/pci/devices|bus/usb/devices|devices/system/cpu|class/dmi/id)/[a-z0-9:.]{1,6}/(class|idVendor|topology/physical_package_id|speed)|Slot:|Handle 0x1\nMemory Device\n|Size: |[0-9]{1,25}|:|\n|throttled=|vm=|.){0,40}",
    ) {
        let names: Vec<&str> = questions().iter().map(|question| question.name).collect();
        for root in [true, false] {
            parse(&Answers::of(root, names.iter().map(|name| (*name, text.as_str()))));
        }
    }
}
