//! CPU, memory modules, firmware, buses and sensors.

use std::fmt::Write as _;

use super::{Asked, Said, lacks, nothing};

pub(super) fn answer(name: &str, asked: &Asked<'_>) -> Option<Said> {
    Some(match name {
        "hw.lscpu" => lscpu(asked).into(),
        "hw.cpuinfo" => cpuinfo(asked).into(),
        "hw.cpu-files" => cpu_files(asked).into(),
        "hw.dmi-memory" if asked.is_raspberry_pi() => lacks("dmidecode"),
        "hw.dmi-memory" => memory(asked).into(),
        "hw.dmi" if asked.is_raspberry_pi() => nothing(),
        "hw.dmi" => dmi(asked).into(),
        "hw.virtual" => format!("vm={}\ncontainer=none\n", asked.machine.system.virtualization).into(),
        "hw.tpm" if asked.is_virtual() || asked.is_raspberry_pi() => "tpm=\n".into(),
        "hw.tpm" => "tpm=tpm0 2\n".into(),
        "hw.pci" => pci(asked).into(),
        "hw.nvidia" => lacks("nvidia-smi"),
        "hw.usb" if asked.is_virtual() => nothing(),
        "hw.usb" => usb().into(),
        "hw.pi" if asked.is_raspberry_pi() => raspberry_pi(asked).into(),
        "hw.pi" => "".into(),
        "sensors.sys" if asked.is_virtual() => nothing(),
        "sensors.sys" => sensors(asked).into(),
        "sensors.ipmi" | "sensors.nvidia" | "sensors.json" => "".into(),
        _ => return None,
    })
}

fn model<'a>(asked: &Asked<'a>) -> &'a str {
    let line = asked.machine.system.cpu_model;
    if asked.is_raspberry_pi() { "Cortex-A72" } else { line.split_once(": ").map_or(line, |(_, model)| model) }
}

fn vendor(asked: &Asked<'_>) -> &'static str {
    match asked.machine.system.cpu_model {
        _ if asked.is_raspberry_pi() => "ARM",
        model if model.contains("AMD") => "AuthenticAMD",
        _ => "GenuineIntel",
    }
}

/// Threads of each core: two on bare metal, where they fit.
fn threads(asked: &Asked<'_>) -> u32 {
    if asked.is_virtual() || asked.is_raspberry_pi() { 1 } else { 2 }
}

fn lscpu(asked: &Asked<'_>) -> String {
    let (cpus, threads) = (asked.machine.cpus, threads(asked));
    let cores = cpus / threads;
    let mut fields = vec![
        ("Architecture:", asked.machine.system.architecture.to_owned()),
        ("Byte Order:", "Little Endian".to_owned()),
        ("CPU(s):", cpus.to_string()),
        ("On-line CPU(s) list:", format!("0-{}", cpus - 1)),
        ("Vendor ID:", vendor(asked).to_owned()),
        ("Model name:", model(asked).to_owned()),
        ("Thread(s) per core:", threads.to_string()),
        ("Core(s) per socket:", cores.to_string()),
        ("Socket(s):", "1".to_owned()),
        ("L1d cache:", format!("{} KiB ({cores} instances)", cores * 32)),
        ("L1i cache:", format!("{} KiB ({cores} instances)", cores * 32)),
        ("L2 cache:", format!("{cores} MiB ({cores} instances)")),
        ("NUMA node(s):", "1".to_owned()),
        ("NUMA node0 CPU(s):", format!("0-{}", cpus - 1)),
        ("Vulnerability Meltdown:", "Not affected".to_owned()),
        ("Vulnerability Spectre v2:", "Mitigation; Retpolines, STIBP disabled, RSB filling".to_owned()),
    ];
    if asked.is_virtual() {
        fields.extend([
            ("Hypervisor vendor:", "KVM".to_owned()),
            ("Virtualization type:", "full".to_owned()),
            ("L3 cache:", "16 MiB (1 instance)".to_owned()),
        ]);
    } else if !asked.is_raspberry_pi() {
        let flags = "fpu vme de pse tsc msr pae cx8 apic sep mtrr pge cmov pat clflush mmx fxsr sse sse2 ht syscall nx \
                     rdtscp lm constant_tsc nopl pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c rdrand";
        fields.extend([
            ("Virtualization:", if vendor(asked) == "AuthenticAMD" { "AMD-V" } else { "VT-x" }.to_owned()),
            ("CPU max MHz:", "3300.0000".to_owned()),
            ("CPU min MHz:", "1500.0000".to_owned()),
            ("L3 cache:", "128 MiB (8 instances)".to_owned()),
            ("Flags:", flags.to_owned()),
        ]);
    }
    let rows: Vec<String> = fields
        .iter()
        .map(|(field, data)| format!("{{\n         \"field\": \"{field}\",\n         \"data\": \"{data}\"\n      }}"))
        .collect();
    format!("{{\n   \"lscpu\": [\n      {}\n   ]\n}}\n", rows.join(","))
}

fn cpuinfo(asked: &Asked<'_>) -> String {
    let machine = asked.machine.system.architecture;
    if asked.is_raspberry_pi() {
        return format!(
            "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n\
             CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n@machine {machine}\n"
        );
    }
    let (cpus, cores) = (asked.machine.cpus, asked.machine.cpus / threads(asked));
    format!(
        "processor\t: 0\nvendor_id\t: {}\ncpu family\t: 23\nmodel\t\t: 49\nmodel name\t: {}\nstepping\t: 0\n\
         microcode\t: 0x830107c\ncpu MHz\t\t: 2996.122\ncache size\t: 512 KB\nphysical id\t: 0\nsiblings\t: {cpus}\n\
         core id\t\t: 0\ncpu cores\t: {cores}\napicid\t\t: 0\nfpu\t\t: yes\nflags\t\t: fpu vme de pse tsc msr pae\n\
         bogomips\t: 5988.75\naddress sizes\t: 43 bits physical, 48 bits virtual\n\n@machine {machine}\n",
        vendor(asked),
        model(asked),
    )
}

fn cpu_files(asked: &Asked<'_>) -> String {
    let (cpus, threads, mut text) = (asked.machine.cpus, threads(asked), String::new());
    let folder = "/sys/devices/system/cpu";
    for cpu in 0..cpus {
        let _written = writeln!(text, "{folder}/cpu{cpu}/topology/physical_package_id:0");
    }
    for cpu in 0..cpus {
        let (core, cores) = (cpu % (cpus / threads), cpus / threads);
        let siblings = if threads == 1 { core.to_string() } else { format!("{core},{}", core + cores) };
        let _written = writeln!(text, "{folder}/cpu{cpu}/topology/thread_siblings_list:{siblings}");
    }
    if !asked.is_virtual() {
        for cpu in 0..cpus {
            let _written = writeln!(text, "{folder}/cpu{cpu}/cpufreq/cpuinfo_max_freq:3300000");
        }
        let now = 1_500_000 + (1_800_000.0 * asked.figures.busy) as u64;
        let _written = writeln!(text, "{folder}/cpu0/cpufreq/scaling_cur_freq:{now}");
    }
    text
}

/// `dmidecode -t 16 -t 17`: two modules that make up the main memory.
fn memory(asked: &Asked<'_>) -> String {
    let gib = asked.figures.memory_kib.0.div_ceil(1024 * 1024);
    let (correction, kind, speed) =
        if asked.is_virtual() { ("Multi-bit ECC", "RAM", "Unknown") } else { ("Multi-bit ECC", "DDR4", "3200 MT/s") };
    let mut text = format!(
        "# dmidecode 3.4\nGetting SMBIOS data from sysfs.\nSMBIOS 3.2.0 present.\n\n\
         Handle 0x1000, DMI type 16, 23 bytes\nPhysical Memory Array\n\tLocation: System Board Or Motherboard\n\
         \tUse: System Memory\n\tError Correction Type: {correction}\n\tMaximum Capacity: 1 TB\n\
         \tError Information Handle: Not Provided\n\tNumber Of Devices: 2\n\n"
    );
    for slot in 0..2_u32 {
        let (maker, part) =
            if asked.is_virtual() { ("QEMU", "Not Specified") } else { ("Samsung", "M393A4K40DB3-CWE") };
        let serial = if asked.is_virtual() { "Not Specified".to_owned() } else { asked.serial(60 + u64::from(slot)) };
        let width = if asked.is_virtual() { "Unknown" } else { "72 bits" };
        let _written = write!(
            text,
            "Handle 0x110{slot}, DMI type 17, 40 bytes\nMemory Device\n\tArray Handle: 0x1000\n\
             \tError Information Handle: Not Provided\n\tTotal Width: {width}\n\tData Width: {}\n\tSize: {} MB\n\
             \tForm Factor: DIMM\n\tSet: None\n\tLocator: DIMM {slot}\n\tBank Locator: Not Specified\n\tType: {kind}\n\
             \tType Detail: Other\n\tSpeed: {speed}\n\tManufacturer: {maker}\n\tSerial Number: {serial}\n\
             \tAsset Tag: Not Specified\n\tPart Number: {part}\n\tRank: Unknown\n\tConfigured Memory Speed: {speed}\n\n",
            if asked.is_virtual() { "Unknown" } else { "64 bits" },
            gib * 512,
        );
    }
    text
}

fn dmi(asked: &Asked<'_>) -> String {
    let fields = if asked.is_virtual() {
        [
            ("bios_date", "04/01/2014".to_owned()),
            ("bios_vendor", "SeaBIOS".to_owned()),
            ("bios_version", "rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org".to_owned()),
            ("chassis_type", "1".to_owned()),
            ("chassis_vendor", "QEMU".to_owned()),
            ("product_name", "Standard PC (i440FX + PIIX, 1996)".to_owned()),
            ("product_uuid", asked.machine.uuid.clone()),
            ("product_version", "pc-i440fx-8.1".to_owned()),
            ("sys_vendor", "QEMU".to_owned()),
        ]
    } else {
        [
            ("bios_date", "03/15/2024".to_owned()),
            ("bios_vendor", "American Megatrends Inc.".to_owned()),
            ("bios_version", "2.8".to_owned()),
            ("board_name", "H11SSL-i".to_owned()),
            ("board_serial", asked.serial(50)),
            ("board_vendor", "Supermicro".to_owned()),
            ("chassis_type", "23".to_owned()),
            ("product_name", "Super Server".to_owned()),
            ("sys_vendor", "Supermicro".to_owned()),
        ]
    };
    fields.iter().map(|(name, value)| format!("/sys/class/dmi/id/{name}:{value}\n")).collect()
}

/// `lspci -Dvmmnnk`.
fn pci(asked: &Asked<'_>) -> String {
    let devices: &[(&str, &str, &str, &str)] = if asked.is_raspberry_pi() {
        &[("PCI bridge [0604]", "Broadcom Inc. and subsidiaries [14e4]", "BCM2711 PCIe Bridge [2711]", "pcieport")]
    } else if asked.is_virtual() {
        &[
            ("Host bridge [0600]", "Intel Corporation [8086]", "440FX - 82441FX PMC [Natoma] [1237]", ""),
            ("SCSI storage controller [0100]", "Red Hat, Inc. [1af4]", "Virtio block device [1001]", "virtio-pci"),
            ("Ethernet controller [0200]", "Red Hat, Inc. [1af4]", "Virtio network device [1000]", "virtio-pci"),
        ]
    } else {
        &[
            (
                "Host bridge [0600]",
                "Advanced Micro Devices, Inc. [AMD] [1022]",
                "Starship/Matisse Root Complex [1480]",
                "",
            ),
            (
                "SATA controller [0106]",
                "Advanced Micro Devices, Inc. [AMD] [1022]",
                "FCH SATA Controller [AHCI mode] [7901]",
                "ahci",
            ),
            ("Ethernet controller [0200]", "Intel Corporation [8086]", "I210 Gigabit Network Connection [1533]", "igb"),
            (
                "VGA compatible controller [0300]",
                "ASPEED Technology, Inc. [1a03]",
                "ASPEED Graphics Family [2000]",
                "ast",
            ),
        ]
    };
    let mut text = String::new();
    for (at, (class, vendor, device, driver)) in devices.iter().enumerate() {
        let _written =
            writeln!(text, "Slot:\t0000:00:{at:02x}.0\nClass:\t{class}\nVendor:\t{vendor}\nDevice:\t{device}");
        if !driver.is_empty() {
            let _written = writeln!(text, "Driver:\t{driver}");
        }
        text.push('\n');
    }
    text
}

fn usb() -> &'static str {
    "/sys/bus/usb/devices/usb1/idVendor:1d6b\n/sys/bus/usb/devices/usb1/idProduct:0002\n\
     /sys/bus/usb/devices/usb1/manufacturer:Linux xhci-hcd\n/sys/bus/usb/devices/usb1/product:xHCI Host Controller\n\
     /sys/bus/usb/devices/usb1/speed:480\n"
}

fn raspberry_pi(asked: &Asked<'_>) -> String {
    let throttled = if asked.one_in(10, 51) { "0x50000" } else { "0x0" };
    format!(
        "Raspberry Pi 4 Model B Rev 1.4\0\nRevision\t: c03114\nSerial\t\t: 10000000{:08x}\nthrottled={throttled}\n",
        asked.draw(52, 1 << 32)
    )
}

fn sensors(asked: &Asked<'_>) -> String {
    let (hwmon, thermal) = ("/sys/class/hwmon", "/sys/class/thermal/thermal_zone0");
    let cpu = asked.millidegrees(38.0, 78.0);
    if asked.is_raspberry_pi() {
        return format!(
            "{hwmon}/hwmon0/name:cpu_thermal\n{hwmon}/hwmon1/name:rpi_volt\n{hwmon}/hwmon0/temp1_input:{cpu}\n\
             {hwmon}/hwmon0/temp1_crit:110000\n{thermal}/type:cpu-thermal\n{thermal}/temp:{cpu}\n"
        );
    }
    let (chip, label) =
        if vendor(asked) == "AuthenticAMD" { ("k10temp", "Tctl") } else { ("coretemp", "Package id 0") };
    let disk = asked.millidegrees(30.0, 52.0);
    let fan = 900 + (1500.0 * asked.figures.busy) as u64;
    format!(
        "{hwmon}/hwmon0/name:{chip}\n{hwmon}/hwmon1/name:drivetemp\n{hwmon}/hwmon2/name:nct6798\n\
         {hwmon}/hwmon0/temp1_input:{cpu}\n{hwmon}/hwmon1/temp1_input:{disk}\n{hwmon}/hwmon0/temp1_label:{label}\n\
         {hwmon}/hwmon0/temp1_max:90000\n{hwmon}/hwmon0/temp1_crit:95000\n{hwmon}/hwmon2/fan2_input:{fan}\n\
         {hwmon}/hwmon2/fan2_label:CPU fan\n{thermal}/type:x86_pkg_temp\n{thermal}/temp:{cpu}\n"
    )
}
