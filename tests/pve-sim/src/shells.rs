//! What the shells of the nodes see: their own commands first in PATH, and
//! the few files that tell one machine from another.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::Error;
use crate::figures::chance;

/// The commands that ask the simulation.
const TOOLS: [&str; 10] =
    ["pvesh", "pveversion", "qm", "pct", "pvesm", "ha-manager", "systemctl", "shutdown", "poweroff", "reboot"];

/// The id of its boot, which a node's shells see.
const BOOT_ID: &str = "proc/sys/kernel/random/boot_id";

/// Files that are each node's own.
const OWN: [&str; 5] = [
    "etc/machine-id",
    "proc/sys/kernel/hostname",
    "sys/class/dmi/id/product_uuid",
    "sys/class/net/vmbr0/address",
    BOOT_ID,
];

/// Settings of apt, and what dpkg knows, of a node: up to date. Without them the machine's own would be looked at, and changed.
const APT: &str = "Dir \"ROOT/\";\nDir::State::status \"ROOT/var/lib/dpkg/status\";\nAPT::Sandbox::User \"root\";\n\
                   DPkg::Options { \"--force-not-root\"; \"--force-bad-path\"; };\n";
const INSTALLED: &str = "Package: pve-manager\nStatus: install ok installed\nMaintainer: The look-alike <look-alike@example.org>\n\
                         Architecture: all\nVersion: 9.1.8\nDescription: a package of the look-alike\n\n";

/// A reader that takes the node's own files in the place of the machine's.
///
/// The names of network cards are the machine's, so the first becomes the
/// node's and the others are left out. Anything else is left to the real tool.
const READER: &str = r#"#!/bin/sh
own=
for word do
    case $word in
        /etc/machine-id|/proc/sys/kernel/hostname|/proc/sys/kernel/random/boot_id) own=1 ;;
        /sys/class/dmi/id/product_uuid|/sys/class/net/*) own=1 ;;
    esac
done
[ "$own" ] || exec REAL "$@"
card=
for word do
    shift
    case $word in
        /sys/class/net/*/address)
            [ "$card" ] && continue
            card=1
            word=$PVE_SIM_ROOT/sys/class/net/vmbr0/address ;;
        /etc/machine-id|/proc/sys/kernel/hostname|/proc/sys/kernel/random/boot_id) word=$PVE_SIM_ROOT$word ;;
        /sys/class/dmi/id/product_uuid) word=$PVE_SIM_ROOT$word ;;
    esac
    set -- "$@" "$word"
done
REAL "$@" | sed "s|^$PVE_SIM_ROOT||"
"#;

/// The folder with the commands and the nodes' files; gone when dropped.
pub(crate) struct Shells {
    folder: Arc<TempDir>,
    program: PathBuf,
}

/// What one node's shells get.
#[derive(Clone)]
pub(crate) struct Shell {
    folder: Arc<TempDir>,
    variables: BTreeMap<String, String>,
    root: PathBuf,
}

impl Shells {
    /// Writes the commands. `program` is the program `pve-sim`.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(crate) fn new(program: PathBuf) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Ssh(format!("cannot write the commands of the nodes: {error}"));
        let folder = tempfile::Builder::new().prefix("pve-sim-").tempdir().map_err(failed)?;
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).map_err(failed)?;
        for tool in TOOLS {
            let script = format!("#!/bin/sh\nexec \"$PVE_SIM_PROGRAM\" shim {tool} \"$@\"\n");
            executable(&bin.join(tool), &script).map_err(failed)?;
        }
        for reader in ["grep", "cat"] {
            if let Some(real) = find_real(reader) {
                executable(&bin.join(reader), &READER.replace("REAL", &real)).map_err(failed)?;
            }
        }
        // What is started so keeps the environment of its node, which the real one would not.
        executable(&bin.join("systemd-run"), include_str!("machines/systemd-run")).map_err(failed)?;
        executable(&bin.join("hostname"), "#!/bin/sh\nprintf '%s\\n' \"$PVE_SIM_NODE\"\n").map_err(failed)?;
        let id = find_real("id").unwrap_or_else(|| "id".to_owned());
        let script = format!("#!/bin/sh\n[ \"$*\" = -u ] && echo 0 && exit\nexec {id} \"$@\"\n");
        executable(&bin.join("id"), &script).map_err(failed)?;
        Ok(Self { folder: Arc::new(folder), program })
    }

    /// Writes a node's own files and gives what its shells get.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(crate) fn node(&self, name: &str, seed: u64, control: &str) -> Result<Shell, Error> {
        let failed = |error: std::io::Error| Error::Ssh(format!("cannot write the files of {name}: {error}"));
        let root = self.folder.path().join("nodes").join(name);
        let number = |salt: u64| (chance(seed, salt) * 4_294_967_296.0) as u32;
        let words: Vec<String> = (0..4).map(|salt| format!("{:08x}", number(salt + 40))).collect();
        let id = words.concat();
        let uuid = format!("{}-{}-4{}-a{}-{}", &id[..8], &id[8..12], &id[13..16], &id[17..20], &id[20..]);
        let mac = number(50);
        let mac = format!("bc:24:11:{:02x}:{:02x}:{:02x}", mac >> 24, (mac >> 16) & 255, (mac >> 8) & 255);
        let boot = uuid::Uuid::new_v4().to_string();
        for (path, text) in OWN.iter().zip([&id, name, &uuid, &mac, &boot]) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&root)).map_err(failed)?;
            fs::write(path, format!("{text}\n")).map_err(failed)?;
        }
        let text = |path: &Path| path.to_string_lossy().into_owned();
        for folder in [
            "etc/apt/preferences.d",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/lib/dpkg/info",
        ] {
            fs::create_dir_all(root.join(folder)).map_err(failed)?;
        }
        fs::write(root.join("etc/apt/apt.conf"), APT.replace("ROOT", &text(&root))).map_err(failed)?;
        fs::write(root.join("etc/apt/sources.list"), "").map_err(failed)?;
        fs::write(root.join("var/lib/dpkg/status"), INSTALLED).map_err(failed)?;
        fs::write(root.join("var/lib/dpkg/info/pve-manager.list"), "/.\n").map_err(failed)?;
        let bin = text(&self.folder.path().join("bin"));
        let variables = [
            ("PATH", format!("{bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")),
            ("HOME", text(&root)),
            ("USER", "root".to_owned()),
            ("LOGNAME", "root".to_owned()),
            ("SHELL", "/bin/sh".to_owned()),
            ("APT_CONFIG", text(&root.join("etc/apt/apt.conf"))),
            ("DPKG_ROOT", text(&root)),
            ("DPKG_ADMINDIR", text(&root.join("var/lib/dpkg"))),
            ("PVE_SIM_NODE", name.to_owned()),
            ("PVE_SIM_ROOT", text(&root)),
            ("PVE_SIM_CONTROL", control.to_owned()),
            ("PVE_SIM_PROGRAM", text(&self.program)),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Shell { folder: Arc::clone(&self.folder), variables, root })
    }
}

impl Shell {
    /// The whole environment of a command.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The file with the id of the node's boot.
    pub(crate) fn boot_id(&self) -> PathBuf {
        self.root.join(BOOT_ID)
    }

    /// Where a command starts.
    pub(crate) fn home(&self) -> &Path {
        debug_assert!(self.root.starts_with(self.folder.path()));
        &self.root
    }
}

fn executable(path: &Path, script: &str) -> std::io::Result<()> {
    fs::write(path, script)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Where the machine has a command.
fn find_real(name: &str) -> Option<String> {
    let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let mut paths = folders.iter().map(|folder| format!("{folder}/{name}"));
    paths.find(|path| Path::new(path).exists())
}

/// The program `pve-sim`: given, this very program, or beside a test's.
///
/// # Errors
/// What to do where there is none.
pub(crate) fn find_program(given: Option<PathBuf>) -> Result<PathBuf, Error> {
    let own = std::env::current_exe().ok();
    let beside = own.iter().flat_map(|path| path.ancestors().skip(1).take(2)).map(|folder| folder.join("pve-sim"));
    given
        .into_iter()
        .chain(own.clone().filter(|path| path.ends_with("pve-sim")))
        .chain(beside)
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::Ssh(
                "SSH needs the program pve-sim for the commands of the nodes: run `cargo build -p pve-sim`, \
                 or name it in Options::program"
                    .to_owned(),
            )
        })
}
