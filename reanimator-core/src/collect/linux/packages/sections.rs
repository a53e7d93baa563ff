//! What the script says: sections, each below a line `@@NAME`.

use std::collections::BTreeMap;

use super::super::inventory::Answers;
use super::super::inventory::system;
use crate::model::facts::{
    Read,
    system::{Reboot, System},
    updates::PackageManager,
};

/// The sections of an answer, by their names. Of two of one name the first counts, so that what comes into a later one from
/// outside adds nothing to those before it.
pub(super) struct Sections<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Sections<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut open = Some("");
        for line in text.lines() {
            match line.strip_prefix("@@").map(str::trim) {
                Some(next) => {
                    open = (!sections.contains_key(next)).then_some(next);
                    sections.entry(next).or_default();
                }
                None => {
                    if let Some(name) = open {
                        sections.entry(name).or_default().push(line);
                    }
                }
            }
        }
        Self(sections)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The lines of a section that hold something.
    pub(super) fn lines(&self, name: &str) -> Vec<&'a str> {
        self.0.get(name).into_iter().flatten().copied().filter(|line| !line.trim().is_empty()).collect()
    }

    /// The first line of a section.
    pub(super) fn first(&self, name: &str) -> Option<&'a str> {
        self.lines(name).first().map(|line| line.trim())
    }

    pub(super) fn manager(&self) -> Option<PackageManager> {
        let name = self.first("manager")?;
        PackageManager::ALL.into_iter().find(|manager| manager.as_str() == name)
    }

    /// Whether a restart is due, by the rules of the collector of a system's facts.
    pub(super) fn reboot(&self) -> Reboot {
        let text = self.lines("reboot").join("\n");
        let mut read: Read<System> = Read::default();
        system::parse_reboot(&Answers::of(true, [("system-reboot", text.as_str())]), &mut read);
        read.facts.reboot.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_section_of_a_name_adds_nothing() {
        let sections = Sections::of("@@after\nweb 1.1\n@@kept\n/etc/a\n@@after\nforged 9\n@@reboot\nno\n@@end\n");
        assert_eq!((sections.lines("after"), sections.lines("kept")), (vec!["web 1.1"], vec!["/etc/a"]));
        assert_eq!((sections.lines("reboot"), sections.has("end")), (vec!["no"], true));
    }
}
