//! File systems: what is mounted, how full it is, and how many inodes are left.
//!
//! The list comes from `/proc/self/mounts`, which never waits. Local file systems are then measured by one `df`; each
//! network file system by a `df` of its own under a time limit, because a server that is gone makes `df` wait for ever.

use crate::{
    model::{FileSystem, Space, units::Bytes},
    transport::quote,
};

/// The word that marks the command, for test doubles.
pub const MARKER: &str = "reanimator-df-1";

/// Types that lie on this machine's own disks.
const LOCAL: [&str; 19] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "vfat", "exfat", "ntfs", "ntfs3", "fuseblk",
    "jfs", "reiserfs", "nilfs2", "ubifs", "hfsplus", "jffs2",
];

/// Types that lie on another machine.
pub(super) const NETWORK: [&str; 15] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "9p",
    "afs",
    "ocfs2",
    "gfs2",
];

/// The most mounts that are measured on one host.
const MOUNTS_LIMIT: usize = 256;

/// One line of `/proc/self/mounts` that is worth measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub source: String,
    /// Where.
    pub mount_point: String,
    /// `ext4`.
    pub fs_type: String,
    /// Whether it lies on another machine.
    pub network: bool,
}

/// The command that lists mounts.
pub fn list_command() -> String {
    format!(": {MARKER}; cat /proc/self/mounts")
}

/// The command that measures these mounts: room, then inodes.
pub fn measure_command(mounts: &[Mount]) -> String {
    let points = quote::join(mounts.iter().map(|mount| mount.mount_point.as_str()));
    format!(
        ": {MARKER}; LC_ALL=C; export LC_ALL; df -P -k -- {points} 2>/dev/null; echo @inodes; df -P -i -- {points} 2>/dev/null; exit 0"
    )
}

/// The mounts worth measuring, each source once: a bind mount or a subvolume is the same room again.
pub fn parse_mounts(text: &str) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [source, mount_point, fs_type, ..] = words[..] else { continue };
        let network = NETWORK.contains(&fs_type);
        // A container's root is an overlay on its host's disk: the only room that it has.
        let local = LOCAL.contains(&fs_type) || (fs_type == "overlay" && mount_point == "/");
        let source = unescape(source);
        if !(network || local) || mounts.iter().any(|mount| mount.source == source) {
            continue;
        }
        mounts.push(Mount { source, mount_point: unescape(mount_point), fs_type: fs_type.to_owned(), network });
        if mounts.len() == MOUNTS_LIMIT {
            break;
        }
    }
    mounts
}

/// `\040` is a space: the kernel writes blanks and backslashes as three octal digits.
pub(super) fn unescape(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| first == b'\\');
        let octal = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The answer of [`measure_command`]: one file system for each mount that answered.
pub fn parse_measures(mounts: &[Mount], text: &str) -> Vec<FileSystem> {
    let (space, inodes) = text.split_once("@inodes").unwrap_or((text, ""));
    let rows = |part: &str| part.lines().filter_map(row).collect::<Vec<_>>();
    let (space, inodes) = (rows(space), rows(inodes));
    let find = |rows: &[(String, [u64; 3])], mount: &Mount| {
        rows.iter().find(|(point, _)| *point == mount.mount_point).map(|(_, counts)| *counts)
    };
    mounts
        .iter()
        .filter_map(|mount| {
            let [total, used, available] = find(&space, mount)?;
            let inodes = find(&inodes, mount).filter(|[total, ..]| *total > 0);
            Some(FileSystem {
                mount_point: mount.mount_point.clone(),
                source: mount.source.clone(),
                fs_type: mount.fs_type.clone(),
                network: mount.network,
                total_bytes: Bytes::from_kib(total),
                used_bytes: Bytes::from_kib(used),
                available_bytes: Bytes::from_kib(available),
                inodes_total: inodes.map(|[total, ..]| total),
                inodes_used: inodes.map(|[_, used, _]| used),
            })
        })
        .collect()
}

/// One row of `df -P`: the mount point, and three counts. Source and mount point may hold blanks, so the row is read
/// around its percentage, which is the fourth number.
fn row(line: &str) -> Option<(String, [u64; 3])> {
    let words: Vec<(usize, &str)> =
        line.split_whitespace().map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word)).collect();
    let percent = (4..words.len()).find(|&at| {
        let is_percent =
            words[at].1.strip_suffix('%').is_some_and(|digits| digits.parse::<u8>().is_ok()) || words[at].1 == "-";
        is_percent && (at - 3..at).all(|field| count(words[field].1).is_some())
    })?;
    let (start, word) = words[percent];
    let mount_point = line[start + word.len()..].trim();
    let field = |at: usize| count(words[at].1);
    (!mount_point.is_empty()).then_some(())?;
    Some((mount_point.to_owned(), [field(percent - 3)?, field(percent - 2)?, field(percent - 1)?]))
}

/// A count; `-` is none, and a negative one (room beyond the reserve) is nothing left.
fn count(word: &str) -> Option<u64> {
    match word {
        "-" => Some(0),
        _ if word.starts_with('-') => word[1..].parse::<u64>().ok().map(|_| 0),
        _ => word.parse().ok(),
    }
}

/// Local file systems together. The datasets of one ZFS pool share its free room, which is counted once.
pub fn local_space(file_systems: &[FileSystem]) -> Option<Space> {
    let mut space: Option<Space> = None;
    let mut pools: Vec<&str> = Vec::new();
    for fs in file_systems.iter().filter(|fs| !fs.network) {
        let mut total = fs.total_bytes;
        if fs.fs_type == "zfs" {
            let pool = fs.source.split('/').next().unwrap_or_default();
            if pools.contains(&pool) {
                total = fs.used_bytes;
            } else {
                pools.push(pool);
            }
        }
        let sum = space.get_or_insert_default();
        sum.total_bytes = sum.total_bytes + total;
        sum.used_bytes = sum.used_bytes + fs.used_bytes;
    }
    space
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOUNTS: &str = "/dev/vda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\n\
        /dev/vda1 /mnt/bind ext4 rw 0 0\nnas:/tank/my\\040films /mnt/my\\040films nfs4 rw 0 0\n\
        tank/a /tank/a zfs rw 0 0\ntank/b /tank/b zfs rw 0 0\n";

    const DF: &str = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
        /dev/vda1        263174212 11112244  83886080      12% /\n\
        nas:/tank/my films 1000 400 600 40% /mnt/my films\n\
        tank/a 1000 100 900 10% /tank/a\ntank/b 1100 200 900 19% /tank/b\n@inodes\n\
        Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/vda1 16777216 200000 16577216 2% /\n\
        tank/a 0 0 0 - /tank/a\n";

    #[test]
    fn sources_are_taken_once_and_names_keep_their_blanks() {
        let mounts = parse_mounts(MOUNTS);
        let points: Vec<&str> = mounts.iter().map(|mount| mount.mount_point.as_str()).collect();
        assert_eq!(points, ["/", "/mnt/my films", "/tank/a", "/tank/b"]);
        assert!(mounts[1].network);
    }

    #[test]
    fn room_and_inodes_are_read_around_blanks() {
        let found = parse_measures(&parse_mounts(MOUNTS), DF);
        assert_eq!(found.len(), 4);
        assert_eq!((found[0].total_bytes, found[0].inodes_used), (Bytes::from_kib(263_174_212), Some(200_000)));
        assert_eq!((found[1].used_bytes, found[1].inodes_total), (Bytes::from_kib(400), None));
    }

    #[test]
    fn datasets_of_one_pool_share_their_free_room() {
        let found = parse_measures(&parse_mounts(MOUNTS), DF);
        let space = local_space(&found[2..]).expect("space");
        assert_eq!((space.total_bytes, space.used_bytes), (Bytes::from_kib(1200), Bytes::from_kib(300)));
    }

    #[test]
    fn the_command_quotes_mount_points() {
        let mount = Mount { mount_point: "/mnt/$(reboot) 'x'".into(), ..parse_mounts(MOUNTS)[0].clone() };
        assert!(measure_command(&[mount]).contains(r"-- '/mnt/$(reboot) '\''x'\''' "));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(mounts in "(?s).{0,200}", text in "(?s).{0,200}") {
            parse_mounts(&mounts);
            parse_measures(&parse_mounts(MOUNTS), &text);
        }
    }
}
