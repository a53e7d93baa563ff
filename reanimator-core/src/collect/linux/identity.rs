//! Who a Linux machine is: asked once per connection, and every quarter of an hour.

use crate::model::{Identity, Unseen};

/// The word that marks the command, for test doubles.
pub const MARKER: &str = "reanimator-identity-1";

/// The text for `sh -c`. Each line of the answer is `NAME:VALUE`; names with a slash are files.
pub fn command() -> String {
    format!(
        ": {MARKER}; LC_ALL=C; export LC_ALL; \
         grep -Hs . /etc/machine-id /proc/sys/kernel/hostname /proc/sys/kernel/osrelease /etc/os-release /usr/lib/os-release \
         /sys/class/dmi/id/product_uuid /sys/class/net/*/address /proc/device-tree/model; \
         grep -Hs -m 1 -E \"^(model name|Model|Hardware|cpu model)\" /proc/cpuinfo; \
         echo \"architecture:$(uname -m)\"; \
         echo \"cpus:$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null)\"; \
         echo \"virtualization:$(systemd-detect-virt 2>/dev/null)\"; \
         echo \"clock:$(date +%s)\"; echo \"uid:$(id -u)\"; \
         command -v pveversion >/dev/null 2>&1 && echo \"pveversion:$(pveversion 2>/dev/null)\"; exit 0"
    )
}

/// What the answer says, beside the identity itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Who the machine is.
    pub identity: Identity,
    /// Its clock, in seconds since 1970.
    pub clock: Option<i64>,
    /// Whether we are root there.
    pub root: bool,
    /// What could not be seen, and why.
    pub unseen: Vec<Unseen>,
}

/// Reads the answer. Never fails: what is missing is `None`.
pub fn parse(text: &str) -> Answer {
    let value = |name: &str| values(text, name).map(str::trim).find(|value| !value.is_empty()).map(str::to_owned);
    let os_release = |key: &str| {
        let lines = values(text, "/etc/os-release").chain(values(text, "/usr/lib/os-release"));
        let mut found = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.next().map(|value| value.trim().trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
    };
    let root = value("uid").as_deref() == Some("0");
    let proxmox = value("pveversion");
    let identity = Identity {
        machine_id: value("/etc/machine-id").filter(|id| id.len() == 32),
        smbios_uuid: value("/sys/class/dmi/id/product_uuid").map(|uuid| uuid.to_lowercase()),
        macs: macs(text),
        hostname: value("/proc/sys/kernel/hostname"),
        os: os_release("PRETTY_NAME"),
        os_id: os_release("ID"),
        os_version: os_release("VERSION_ID"),
        kernel: value("/proc/sys/kernel/osrelease"),
        architecture: value("architecture"),
        virtualization: value("virtualization"),
        cpus: value("cpus").and_then(|count| count.parse().ok()),
        cpu_model: value("/proc/cpuinfo").and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())),
        // `pve-manager/8.1.4/ec5affc9e41f1d79 (running kernel: 6.5.11-8-pve)`
        proxmox_version: proxmox.as_deref().and_then(|line| line.split('/').nth(1)).map(str::to_owned),
        proxmox_node: proxmox.and(value("/proc/sys/kernel/hostname")).map(|name| short(&name)),
    };
    let mut unseen = Vec::new();
    if identity.smbios_uuid.is_none() && !root && identity.virtualization.as_deref() != Some("lxc") {
        unseen.push(Unseen::new("SMBIOS UUID", "needs root"));
    }
    if identity.machine_id.is_none() {
        unseen.push(Unseen::new("machine id", "/etc/machine-id is missing or empty"));
    }
    Answer { clock: value("clock").and_then(|seconds| seconds.parse().ok()), root, identity, unseen }
}

/// What follows `name:` in each line that starts so.
fn values<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// A node is called by the first label of its host name.
fn short(hostname: &str) -> String {
    hostname.split('.').next().unwrap_or(hostname).to_owned()
}

/// Hardware addresses of real interfaces, sorted, each once.
fn macs(text: &str) -> Vec<String> {
    let mut macs: Vec<String> = text
        .lines()
        .filter_map(|line| {
            let (name, address) = line.strip_prefix("/sys/class/net/")?.split_once("/address:")?;
            let address = address.trim().to_lowercase();
            let useful = address.len() == 17 && address != "00:00:00:00:00:00";
            (useful && name != "lo" && super::watch::is_real_interface(name)).then_some(address)
        })
        .collect();
    macs.sort();
    macs.dedup();
    macs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = include_str!("../../../tests/recordings/linux/identity-debian-12.txt");

    #[test]
    fn a_recorded_answer_is_read() {
        let answer = parse(ANSWER);
        assert_eq!(answer.identity.os.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(
            (answer.identity.os_id.as_deref(), answer.identity.os_version.as_deref()),
            (Some("debian"), Some("12"))
        );
        assert_eq!(answer.identity.architecture.as_deref(), Some("x86_64"));
        assert_eq!(answer.identity.cpus, Some(2));
        assert_eq!(answer.identity.macs, ["02:00:00:00:00:01"]);
        assert!(answer.root && answer.clock.is_some());
    }

    #[test]
    fn a_proxmox_node_says_so() {
        let text = "/proc/sys/kernel/hostname:pve1.example.org\npveversion:pve-manager/9.1.8/abc (running kernel: 6.17.2-pve)\n";
        let identity = parse(text).identity;
        assert_eq!(identity.proxmox_version.as_deref(), Some("9.1.8"));
        assert_eq!(identity.proxmox_node.as_deref(), Some("pve1"));
    }

    #[test]
    fn what_needs_root_says_so() {
        assert!(parse("uid:1000\n").unseen.contains(&Unseen::new("SMBIOS UUID", "needs root")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,300}") {
            parse(&text);
        }
    }
}
