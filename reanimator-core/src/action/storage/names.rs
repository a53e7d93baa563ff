//! What files may be called on storages. Pure.
//!
//! Proxmox takes away what stands before the last slash, makes `_` of each sign that it does not know, and wants an ending
//! that says what the file is. What it would change is refused here, so that the file is called as it was asked for.

use crate::model::StorageContent;

/// The longest name that Proxmox takes.
const LONGEST: usize = 255;

/// Why a file of that kind cannot be called so; none where it can.
pub(super) fn fault(content: StorageContent, name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-+".contains(c);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(fits) || name.starts_with('.') {
        return Some(format!(
            "{name:?} cannot be what a file is called there: letters, digits and . _ - + up to {LONGEST}, and no dot first"
        ));
    }
    let lower = name.to_ascii_lowercase();
    let endings = endings(content);
    let ends = |ending: &&str| lower.len() > ending.len() && lower.ends_with(*ending);
    if endings.iter().any(ends) {
        return None;
    }
    Some(format!("{name} does not end as {} does: {}", what(content), endings.join(", ")))
}

const fn endings(content: StorageContent) -> &'static [&'static str] {
    match content {
        StorageContent::Iso => &[".iso", ".img"],
        StorageContent::Vztmpl => &[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2"],
        StorageContent::Import => &[".ova", ".qcow2", ".raw", ".vmdk"],
    }
}

const fn what(content: StorageContent) -> &'static str {
    match content {
        StorageContent::Iso => "an image of a CD",
        StorageContent::Vztmpl => "a template of containers",
        StorageContent::Import => "a disk image",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_proxmox_keeps_as_they_are() {
        for (content, name) in [
            (StorageContent::Iso, "debian-12.12.0-amd64-netinst.iso"),
            (StorageContent::Iso, "A.IMG"),
            (StorageContent::Vztmpl, "debian-12-standard_12.12-1_amd64.tar.zst"),
            (StorageContent::Import, "fedora.qcow2"),
        ] {
            assert_eq!(fault(content, name), None, "{name}");
        }
        let long = format!("{}.iso", "a".repeat(LONGEST));
        for (content, name) in [
            (StorageContent::Iso, ""),
            (StorageContent::Iso, ".iso"),
            (StorageContent::Iso, "a/b.iso"),
            (StorageContent::Iso, "a b.iso"),
            (StorageContent::Iso, "a\".iso"),
            (StorageContent::Iso, "größe.iso"),
            (StorageContent::Iso, "debian.tar.zst"),
            (StorageContent::Iso, &long),
            (StorageContent::Vztmpl, "debian.tar"),
            (StorageContent::Vztmpl, "debian.iso"),
            (StorageContent::Import, "disk.vhd"),
        ] {
            assert!(fault(content, name).is_some(), "{name}");
        }
    }
}
