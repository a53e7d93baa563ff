//! What the script says: sections, each below a line `@@NAME`.

use std::collections::BTreeMap;

use super::super::inventory::Answers;
use super::super::inventory::system;
use crate::model::facts::{
    Read,
    system::{Reboot, System},
    updates::PackageManager,
};

/// The sections of an answer, by their names.
pub(super) struct Sections<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Sections<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut name = "";
        for line in text.lines() {
            match line.strip_prefix("@@") {
                Some(next) => {
                    name = next.trim();
                    sections.entry(name).or_default();
                }
                None => sections.entry(name).or_default().push(line),
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
