//! openSUSE, SLES: zypper.

use super::{super::inventory::words::clip, dnf, sections::Sections};
use crate::model::facts::updates::PendingPackage;

pub(super) const SHELL: &str = include_str!("zypper.sh");

/// `<update kind="package" name="curl" edition="8.21.0-1.1" arch="x86_64" edition-old="8.20.0-1.1">`, each followed by
/// `<source url="..." alias="repo-oss"/>`.
pub(in crate::collect::linux) fn pending(lines: &[&str]) -> Vec<PendingPackage> {
    let mut packages: Vec<PendingPackage> = Vec::new();
    let mut is_open = false;
    for line in lines {
        if line.starts_with("<update ") {
            let package = (attribute(line, "kind").as_deref() == Some("package")).then(|| {
                let from = attribute(line, "edition-old");
                Some(PendingPackage {
                    name: attribute(line, "name")?,
                    from,
                    to: attribute(line, "edition")?,
                    ..PendingPackage::default()
                })
            });
            is_open = matches!(package, Some(Some(_)));
            packages.extend(package.flatten());
        } else if line.starts_with("<source ")
            && let Some(package) = packages.last_mut().filter(|_| is_open)
        {
            package.origin = attribute(line, "alias");
            is_open = false;
        }
    }
    packages
}

/// How many patches are needed.
pub(in crate::collect::linux) fn needed_patches(lines: &[&str]) -> u64 {
    let needed = lines.iter().filter(|line| attribute(line, "status").is_none_or(|status| status == "needed"));
    needed.filter(|line| attribute(line, "kind").as_deref() == Some("patch")).count() as u64
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split_once('"')?.0;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    clip(&entities.iter().fold(value.to_owned(), |value, (entity, letter)| value.replace(entity, letter)))
}

/// What must be fetched, and what an upgrade takes beyond that: `Overall download size: 1.2 MiB. Already cached: 0 B. After
/// the operation, additional 3.1 MiB will be used.`; newer ones say `Package download size:` and `Package install size
/// change:` with `|  +3.1 MiB` below or beside it.
pub(super) fn sizes(sections: &Sections<'_>) -> (Option<u64>, Option<u64>) {
    let text = sections.lines("sizes").join(" ");
    let after = |mark: &str| dnf::size(text.split_once(mark)?.1.trim_start());
    let fetch = after("Overall download size:").or_else(|| after("Package download size:"));
    let freed = text.contains("will be freed") || text.contains("No additional space");
    let grow = after("After the operation, additional").filter(|_| !freed);
    (fetch, grow.or(freed.then_some(0)))
}
