use std::process::Command;

use proptest::prelude::*;

use super::{super::ask, *};
use crate::model::{
    facts::{
        Watched,
        disks::{BlockDevice, Health, MemberState},
    },
    units::Bytes,
};

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/recordings/linux/inventory/disks/", $name))
    };
}

const RECORDED: &str = recording!("debian-12-lvm-btrfs-degraded.txt");
const SYSFS: &str = recording!("sysfs-without-lsblk.txt");
const LSBLK: &str = recording!("lsblk-raid-from-documentation.json");
const SMART: &str = recording!("smart-from-documentation.txt");
const MDSTAT: &str = recording!("mdstat-from-documentation.txt");
const ZFS: &str = recording!("zfs-from-documentation.txt");
const THIN: &str = recording!("lvm-thin-from-documentation.txt");

fn of(answers: &[(&str, &str)]) -> Read<Disks> {
    parse(&Answers::of(true, answers.iter().copied()))
}

fn device<'a>(disks: &'a Disks, name: &str) -> &'a BlockDevice {
    disks.devices.iter().find(|device| device.name == name).unwrap()
}

#[test]
fn a_recorded_host_shows_its_disks_and_what_lost_a_device() {
    let Read { facts, unseen } = parse(&ask::answers(RECORDED));
    assert_eq!(unseen, [], "no SMART on virtual disks, no ZFS: nothing is missed");
    let disk = facts.whole_disks().next().unwrap();
    assert_eq!((disk.name.as_str(), disk.size_bytes), ("vda", Some(Bytes(274_877_906_944))));
    assert_eq!(device(&facts, "loop3").mount_points, ["/mnt/again", "/mnt/media"]);
    assert_eq!(facts.whole_disks().count(), 1, "loops and zram are no disks");
    let group = |name: &str| facts.volume_groups.iter().find(|group| group.name == name).unwrap();
    assert_eq!((group("pve").health, group("broken").health), (Health::Good, Health::Degraded));
    assert_eq!(group("pve").free_bytes, Some(Bytes(381_681_664)));
    let names: Vec<_> = group("pve").logical_volumes.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(names, ["data", "root", "vm-100-disk-0"]);
    assert!(group("pve").logical_volumes[0].is_pool());
    assert_eq!(group("pve").logical_volumes[2].pool.as_deref(), Some("data"));
    let btrfs = &facts.btrfs[0];
    assert_eq!((btrfs.name(), btrfs.devices.len(), btrfs.used_bytes), ("media", 2, Some(Bytes(147_456))));
    assert_eq!((btrfs.devices[0].missing, btrfs.devices[1].missing, btrfs.devices[0].errors), (false, true, Some(0)));
    assert_eq!(
        facts.problems(),
        [
            "volume group broken is degraded: 1 of 2 members is missing",
            "btrfs media is degraded: 1 of 2 members is missing",
        ]
    );
    assert_eq!(facts.health(), Health::Degraded);
}

#[test]
fn a_raid_of_two_disks_is_one_device_with_two_parents() {
    let facts = of(&[("disks.block", LSBLK)]).facts;
    let names: Vec<_> = facts.devices.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["sda", "sda1", "sda2", "md0", "pve-root", "sdb", "sdb2", "sr0"]);
    assert_eq!(device(&facts, "md0").parents, ["sda2", "sdb2"]);
    assert_eq!(facts.children_of("sda").count(), 2);
    let sda = device(&facts, "sda");
    assert_eq!(
        (sda.vendor.as_deref(), sda.transport.as_deref(), sda.rotational),
        (Some("ATA"), Some("sata"), Some(true))
    );
    assert_eq!(device(&facts, "pve-root").mount_points, ["/"]);
    assert_eq!(facts.whole_disks().count(), 2);
    assert_eq!(facts.watched()["disk SERIAL-A"], "ATA WDC WD10EZEX-08W 932 GiB serial SERIAL-A");
}

#[test]
fn without_lsblk_the_kernel_tells_of_disks_and_partitions() {
    let Read { facts, unseen } = parse(&ask::answers(SYSFS));
    assert_eq!(device(&facts, "vda").size_bytes, Some(Bytes(274_877_906_944)));
    assert!(facts.devices.iter().all(|device| device.size_bytes != Some(Bytes(0))));
    assert!(unseen.iter().any(|note| note.why == "lsblk is missing or too old"));
    let text = "sda/size:100\nsda/sda1/partition:1\nsda/sda1/size:40\nsda/sda1/ro:1\nsda/queue/scheduler:none [mq-deadline]\nsda/device/model:Disk ";
    let facts = of(&[("disks.block", text)]).facts;
    let part = device(&facts, "sda1");
    assert_eq!((part.kind.as_str(), &part.parents[..], part.read_only), ("part", &["sda".to_owned()][..], Some(true)));
    assert_eq!(device(&facts, "sda").scheduler.as_deref(), Some("mq-deadline"));
    assert_eq!(device(&facts, "sda").model.as_deref(), Some("Disk"));
}

#[test]
fn smart_of_each_kind_of_disk_is_read() {
    let Read { facts, unseen } = of(&[("disks.block", LSBLK), ("disks.smart", SMART)]);
    let disk = |name: &str| facts.smart.iter().find(|disk| disk.device == name).unwrap();
    let sda = disk("sda");
    assert_eq!((sda.health, sda.passed, sda.reallocated_sectors), (Health::Failed, Some(false), Some(1975)));
    assert_eq!((sda.temperature_celsius, sda.power_on_hours, sda.pending_sectors), (Some(25.0), Some(65592), Some(8)));
    assert_eq!(sda.failing_attributes, ["Reallocated_Sector_Ct"]);
    assert_eq!(sda.self_test.as_ref().unwrap().passed, Some(false));
    let ssd = disk("sdb");
    assert_eq!((ssd.health, ssd.wear_percent), (Health::Good, Some(7.0)));
    assert_eq!(ssd.written_bytes, Some(Bytes(52_130_470_912 * 512)));
    let nvme = disk("nvme0");
    assert_eq!((nvme.wear_percent, nvme.media_errors, nvme.unsafe_shutdowns), (Some(3.0), Some(7), Some(10)));
    assert_eq!((nvme.health, nvme.written_bytes), (Health::Warning, Some(Bytes(65_602_088 * 512_000))));
    let sas = disk("bus/0 megaraid,3");
    assert_eq!((sas.health, sas.uncorrectable_sectors), (Health::Good, Some(0)));
    assert_eq!(sas.written_bytes, Some(Bytes(292_086_584_000_000)));
    assert!(disk("sdc").asleep && disk("sdc").health == Health::Unknown);
    let notes: Vec<_> =
        unseen.iter().filter(|note| note.what.starts_with("SMART")).map(|note| note.why.as_str()).collect();
    assert_eq!(notes, ["Smartctl open device: /dev/sdd failed: No such device", "the disk does not support it"]);
    assert!(facts.problems().contains(&"SMART of sda failed: the disk expects to die".to_owned()));
    assert!(facts.problems().contains(&"nvme0 has 7 media errors".to_owned()));
}

#[test]
fn smart_that_cannot_be_seen_says_why() {
    let block = ("disks.block", LSBLK);
    let lacks = ask::Answer { status: Some(127), complaint: "@lacks smartctl".into(), ..ask::Answer::default() };
    let read = parse(&Answers::of(true, [block]).with("disks.smart", lacks));
    assert!(read.unseen.iter().any(|note| note.what == "SMART" && note.why == "smartctl is not installed"));
    let empty = ask::Answer { status: Some(0), ..ask::Answer::default() };
    let read = parse(&Answers::of(false, [block]).with("disks.smart", empty));
    assert!(read.unseen.iter().any(|note| note.what == "SMART" && note.why == "needs root"));
    let old = "@disk /dev/sda sat\nsmartctl 6.6 2017-11-05\n=======> UNRECOGNIZED OPTION: json=c\n";
    let read = of(&[block, ("disks.smart", old)]);
    assert!(read.unseen.iter().any(|note| note.why == "smartctl is older than 7.0"));
}

#[test]
fn the_loop_over_disks_asks_each_that_smartctl_finds() {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("smartctl");
    let text = "#!/bin/sh\nif [ $1 = --scan-open ]; then echo \"/dev/sda -d sat # /dev/sda [SAT], ATA device\"; echo \"# /dev/sdb -d scsi # failed\"; \
                echo \"/dev/bus/0 -d megaraid,3 # SCSI device\"; else cat; echo \"{\\\"smart_status\\\":{\\\"passed\\\":true},\\\"model_name\\\":\\\"$*\\\"}\"; fi\n";
    std::fs::write(&tool, text).unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").args(["-c", &ask::script(&questions())]).env("PATH", path).output().unwrap();
    let facts = parse(&ask::answers(&String::from_utf8_lossy(&output.stdout))).facts;
    let seen: Vec<_> = facts.smart.iter().map(|disk| (disk.device.as_str(), disk.model.as_deref().unwrap())).collect();
    assert_eq!(
        seen,
        [
            ("sda", "--json=c -n standby -a -d sat /dev/sda"),
            ("bus/0 megaraid,3", "--json=c -n standby -a -d megaraid,3 /dev/bus/0"),
        ]
    );
}

#[test]
fn each_software_raid_tells_how_it_is() {
    let facts = of(&[("disks.md", MDSTAT)]).facts;
    let array = |name: &str| facts.md_arrays.iter().find(|array| array.name == name).unwrap();
    assert_eq!((array("md0").health, array("md0").members[1].state), (Health::Degraded, MemberState::Failed));
    assert_eq!((array("md1").health, array("md1").action.as_deref()), (Health::Good, Some("resync")));
    let md3 = array("md3");
    assert_eq!(
        (md3.level.as_deref(), md3.action.as_deref(), md3.progress_percent),
        (Some("raid1"), Some("recovery"), Some(5.0))
    );
    assert_eq!((md3.remaining_seconds, md3.speed_bytes_per_second), (Some(2142), Some(205_925 * 1024)));
    let md5 = array("md5");
    assert_eq!((md5.health, md5.mismatch_count, md5.wanted_members), (Health::Good, Some(128), Some(3)));
    assert_eq!(md5.members.iter().filter(|member| member.state == MemberState::Spare).count(), 1);
    assert_eq!((array("md127").container, array("md127").health), (true, Health::Good));
    assert_eq!(
        facts.problems(),
        [
            "md0 is degraded: 1 of 2 members is missing",
            "nvme1n1p1 in md0 failed",
            "md126 is inactive",
            "md3 is degraded: 1 of 2 members is missing; recovery is at 5 %",
        ]
    );
}

#[test]
fn pools_datasets_scrubs_and_broken_devices_are_read() {
    let facts = of(&[("disks.zfs", ZFS)]).facts;
    let [rpool, tank] = &facts.zfs_pools[..] else { panic!("two pools") };
    assert_eq!(
        (rpool.health, rpool.fragmentation_percent, rpool.capacity_percent),
        (Health::Good, Some(12.0), Some(25.0))
    );
    let scan = rpool.scan.as_ref().unwrap();
    assert_eq!((scan.running, scan.progress_percent), (true, Some(7.01)));
    assert_eq!(scan.at.unwrap().to_string(), "2023-10-11T16:32:05Z");
    assert_eq!(rpool.devices.last().unwrap().role.as_deref(), Some("logs"));
    assert_eq!(rpool.devices[1].depth, 2);
    let scan = tank.scan.as_ref().unwrap();
    assert_eq!(
        (scan.running, scan.errors, scan.at.unwrap().to_string()),
        (false, Some(2), "2024-11-10T00:24:36Z".into())
    );
    assert_eq!(tank.status.as_deref().unwrap().split(' ').next(), Some("One"));
    assert_eq!(tank.devices[2].checksum_errors, Some(1200));
    assert_eq!(tank.devices[3].note.as_deref(), Some("too many errors"));
    assert_eq!((tank.devices[7].name.as_str(), tank.devices[7].role.as_deref()), ("sdd", Some("spares")));
    assert_eq!(
        tank.problems(),
        [
            "pool tank is DEGRADED",
            "pool tank has damaged data: 3 data errors, use '-v' for a list",
            "mirror-0 in pool tank is DEGRADED",
            "sdc in pool tank had 1200 errors",
            "sde in pool tank is FAULTED",
            "mirror-1 in pool tank is DEGRADED",
            "15290234 in pool tank is UNAVAIL",
            "the last scrub of pool tank left 2 errors",
            "pool tank is 93 % full",
        ]
    );
    assert_eq!(facts.zfs_datasets.len(), 4);
    let volume = &facts.zfs_datasets[2];
    assert_eq!((volume.kind.as_str(), volume.volume_size_bytes), ("volume", Some(Bytes(34_359_738_368))));
    assert_eq!((volume.mount_point.as_ref(), volume.compression_ratio), (None, Some(1.1)));
    assert_eq!(facts.zfs_datasets[3].mount_point, None);
}

#[test]
fn a_thin_pool_that_fills_up_is_a_problem() {
    let facts = of(&[("disks.lvm", THIN)]).facts;
    assert_eq!(facts.volume_groups[0].health, Health::Warning);
    assert_eq!(facts.volume_groups[0].logical_volumes[1].active, Some(true));
    assert_eq!(facts.problems(), ["thin pool pve/data is 95 % full", "volume pve/broken: partial"]);
}

#[test]
fn network_mounts_and_swap_are_listed_without_secrets() {
    let text = "nas:/export /mnt/my\\040nas nfs4 ro,relatime,vers=4.2,hard 0 0\n//nas/media /mnt/smb cifs rw,vers=3.1.1,username=joe 0 0\n\
                /dev/sda1 / ext4 rw 0 0\noverlay /x overlay rw 0 0\n@swaps\nFilename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/dm-1 partition\t8388604\t\t1024\t\t-2";
    let facts = of(&[("disks.mounts", text)]).facts;
    let [nfs, smb] = &facts.network_mounts[..] else { panic!("two mounts") };
    assert_eq!((nfs.mount_point.as_str(), nfs.version.as_deref(), nfs.read_only), ("/mnt/my nas", Some("4.2"), true));
    assert_eq!((smb.fs_type.as_str(), smb.version.as_deref(), smb.read_only), ("cifs", Some("3.1.1"), false));
    assert!(!serde_json::to_string(&facts).unwrap().contains("joe"));
    let swap = &facts.swaps[0];
    assert_eq!(
        (swap.size_bytes, swap.used_bytes, swap.priority),
        (Some(Bytes(8_388_604 * 1024)), Some(Bytes(1 << 20)), Some(-2))
    );
}

#[test]
fn absurd_values_are_left_out() {
    let smart = r#"@disk /dev/sda sat
{"smart_status":{"passed":true},"temperature":{"current":9000},"power_on_time":{"hours":-3},"nvme_smart_health_information_log":{"percentage_used":1e99,"available_spare":-4,"data_units_written":18446744073709551615}}"#;
    let facts = of(&[
        ("disks.smart", smart),
        ("disks.block", r#"{"blockdevices":[{"name":"sda","type":"disk","size":-1},{},3]}"#),
    ])
    .facts;
    let disk = &facts.smart[0];
    assert_eq!((disk.temperature_celsius, disk.power_on_hours, disk.wear_percent), (None, None, None));
    assert_eq!((disk.available_spare_percent, disk.written_bytes), (None, None));
    assert_eq!(device(&facts, "sda").size_bytes, None);
}

#[test]
fn what_was_cut_short_is_noted_beside_what_was_seen() {
    let cut = ask::Answer { text: THIN.to_owned(), status: Some(124), complaint: String::new() };
    let pool = "tank\t1\t1\t0\t0\t0\t1.00\tSUSPENDED\n@status\n@datasets\n";
    let read = parse(&Answers::of(false, [("disks.zfs", pool)]).with("disks.lvm", cut));
    assert_eq!((read.facts.volume_groups.len(), read.facts.health()), (1, Health::Failed));
    let notes: Vec<String> = read.unseen.iter().map(|note| format!("{}: {}", note.what, note.why)).collect();
    for note in [
        "LVM: no answer in time",
        "devices of pool tank: zpool status did not tell",
        "ZFS datasets: zfs list did not tell",
    ] {
        assert!(notes.iter().any(|it| it == note), "{note} in {notes:?}");
    }
}

#[test]
fn too_many_devices_are_cut_with_a_note() {
    let rows: Vec<String> = (0..1500).map(|n| format!(r#"{{"name":"sd{n}","size":1}}"#)).collect();
    let read = of(&[("disks.block", &format!(r#"{{"blockdevices":[{}]}}"#, rows.join(",")))]);
    assert_eq!(read.facts.devices.len(), 1024);
    assert!(read.unseen.iter().any(|note| note.why == "only the first 1024 are kept"));
}

#[test]
fn the_questions_survive_any_shell_and_fit_this_machine() {
    for question in questions() {
        assert!(!question.text.contains(['\'', '\\', '\n', '!']), "{}", question.name);
    }
    let script = ask::script(&questions());
    for shell in [&["sh"][..], &["dash"], &["bash"], &["busybox", "ash"]] {
        let Ok(output) = Command::new(shell[0]).args(&shell[1..]).args(["-c", &script]).output() else { continue };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?}");
        let read = parse(&ask::answers(&String::from_utf8_lossy(&output.stdout)));
        let mut disks: Vec<String> = read.facts.whole_disks().map(|disk| disk.name.clone()).collect();
        let mut known: Vec<String> = std::fs::read_dir("/sys/block")
            .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        known.retain(|name| ["sd", "vd", "nvme", "xvd", "mmcblk"].iter().any(|prefix| name.starts_with(prefix)));
        disks.retain(|name| known.contains(name));
        disks.sort();
        known.sort();
        assert_eq!(disks, known, "{shell:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        block in "(?s)(\\{\"blockdevices\":\\[|\\{\"name\":\"a\"|\"children\":\\[|sda/|size:|sda1/|partition:|\\]|\\}|\n|.){0,40}",
        smart in "(?s)(@disk |/dev/sda sat\n|\\{|\"smartctl\":|\"messages\":\\[|\\}|\n|.){0,40}",
        lvm in "(?s)(\\{\"report\":\\[\\{\"vg\":\\[|\\{\"vg_name\":\"a\"|\\]|\\}|.){0,40}",
        md in "(?s)(/proc/mdstat:|md0 : |active |raid1 |a\\[0\\]|\\(F\\)|\\[2/1\\]|recovery =|%|finish=|md0/md/|\n|.){0,40}",
        zfs in "(?s)(a\t1\t|@status\n|  pool: a\n| state: |  scan: |scrub |% done|config:\n|\t  a |\té|@datasets|\n|.){0,40}",
        btrfs in "(?s)(btrfs/u/|devinfo/1/|missing:|error_stats:|Label: |uuid: |devid 1 |size |path |\n|.){0,40}",
        mounts in "(?s)(a /b nfs4 |vers=|\\\\040|@swaps|/x partition 1 2 3|\n|.){0,40}",
    ) {
        let pairs = [
            ("disks.block", &*block), ("disks.smart", &*smart), ("disks.lvm", &*lvm), ("disks.md", &*md),
            ("disks.zfs", &*zfs), ("disks.btrfs", &*btrfs), ("disks.mounts", &*mounts),
        ];
        let facts = of(&pairs).facts;
        facts.problems();
        facts.watched();
        facts.health();
    }
}
