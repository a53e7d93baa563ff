//! Groups and tags of many hosts at once. Both are words on hosts and exist as long as a host bears them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Fleet, names};
use crate::{
    Error, ErrorKind, Result,
    model::{EventKind, Host, HostId},
    store::HostsEdit,
};

/// As many hosts as one change takes: a fleet of the size that this is made for.
const MOST_HOSTS: usize = 2_048;
/// As many words as one change adds or takes away, of each kind.
const MOST_NAMES: usize = 64;

/// All groups and tags, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Labels {
    /// The groups.
    pub groups: Vec<LabelCount>,
    /// The tags.
    pub tags: Vec<LabelCount>,
}

/// A group or tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabelCount {
    /// Its name.
    pub name: String,
    /// How many hosts bear it.
    pub hosts: usize,
}

/// Groups and tags to give to hosts, and to take from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LabelChange {
    /// The hosts, by id or name; 1 to 2048.
    pub hosts: Vec<String>,
    /// Groups to put them in.
    pub add_groups: BTreeSet<String>,
    /// Groups to take them out of.
    pub remove_groups: BTreeSet<String>,
    /// Tags to give them.
    pub add_tags: BTreeSet<String>,
    /// Tags to take from them.
    pub remove_tags: BTreeSet<String>,
}

/// For the audit trail: `3 hosts: +group:web -tag:old`.
impl fmt::Display for LabelChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hosts:", self.hosts.len())?;
        for (sign, names) in [
            ("+group", &self.add_groups),
            ("-group", &self.remove_groups),
            ("+tag", &self.add_tags),
            ("-tag", &self.remove_tags),
        ] {
            names.iter().try_for_each(|name| write!(f, " {sign}:{name}"))?;
        }
        Ok(())
    }
}

impl LabelChange {
    fn check(&self) -> Result<()> {
        let refused = |cause: String, next: &str| {
            Err(Error::new(ErrorKind::Invalid, "change groups and tags").because(cause).next(next))
        };
        if !(1..=MOST_HOSTS).contains(&self.hosts.len()) {
            let cause = format!("one change takes 1 to {MOST_HOSTS} hosts, not {}", self.hosts.len());
            return refused(cause, "name the hosts, in several parts where there are more");
        }
        let all = [&self.add_groups, &self.remove_groups, &self.add_tags, &self.remove_tags];
        if all.iter().all(|names| names.is_empty()) {
            return refused("no group and no tag was named".to_owned(), "name what to add or to take away");
        }
        if let Some(names) = all.iter().find(|names| names.len() > MOST_NAMES) {
            let cause = format!("one change takes up to {MOST_NAMES} names of a kind, not {}", names.len());
            return refused(cause, "do it in several parts");
        }
        for (what, added, removed) in
            [("group", &self.add_groups, &self.remove_groups), ("tag", &self.add_tags, &self.remove_tags)]
        {
            added.iter().try_for_each(|name| names::check(what, name))?;
            if let Some(name) = added.intersection(removed).next() {
                return refused(
                    format!("the {what} {name:?} is to be added and taken away"),
                    "name it on one side only",
                );
            }
        }
        Ok(())
    }

    /// Makes the change on those hosts that are meant.
    fn apply(&self, hosts: &mut [Host]) -> Result<()> {
        for wanted in &self.hosts {
            // A name may be another host's id: the id wins.
            let place = hosts
                .iter()
                .position(|host| host.id.as_str() == wanted)
                .or_else(|| hosts.iter().position(|host| host.name == *wanted));
            let Some(host) = place.and_then(|place| hosts.get_mut(place)) else {
                return Err(super::selector::unknown_host(wanted, std::iter::empty()));
            };
            host.groups.extend(self.add_groups.iter().cloned());
            host.groups.retain(|name| !self.remove_groups.contains(name));
            host.tags.extend(self.add_tags.iter().cloned());
            host.tags.retain(|name| !self.remove_tags.contains(name));
        }
        Ok(())
    }
}

impl Fleet {
    /// All groups and tags, and how many hosts bear them.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn labels(&self) -> Result<Labels> {
        let hosts = self.store().hosts().await?;
        Ok(Labels { groups: counted(&hosts, |host| &host.groups), tags: counted(&hosts, |host| &host.tags) })
    }

    /// Gives groups and tags to many hosts and takes others from them, all or none. Says which hosts it changed.
    ///
    /// # Errors
    /// `Invalid` for names that cannot be, or too many of them; `NotFound` for a host that is not there.
    pub async fn change_labels(&self, change: LabelChange) -> Result<Vec<HostId>> {
        change.check()?;
        self.edit_many(Box::new(move |hosts| change.apply(hosts))).await
    }

    /// Renames a group on all its hosts at once.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where there is a group of the new name; `Invalid` for a name that cannot be.
    pub async fn rename_group(&self, name: &str, new: &str) -> Result<LabelCount> {
        names::check("group", new)?;
        let (old, to) = (name.to_owned(), new.to_owned());
        let rename = move |hosts: &mut [Host]| {
            known(hosts, &old)?;
            if old != to && hosts.iter().any(|host| host.groups.contains(&to)) {
                return Err(Error::new(ErrorKind::Conflict, format!("rename the group {old:?}"))
                    .because(format!("there is a group {to:?}"))
                    .next("give another name, or put the hosts into that group and remove this one"));
            }
            for host in hosts.iter_mut().filter(|host| host.groups.contains(&old)) {
                host.groups.remove(&old);
                host.groups.insert(to.clone());
            }
            Ok(())
        };
        self.edit_many(Box::new(rename)).await?;
        let groups = self.labels().await?.groups;
        let hosts = groups.iter().find(|group| group.name == new).map_or(0, |group| group.hosts);
        Ok(LabelCount { name: new.to_owned(), hosts })
    }

    /// Takes a group off all its hosts; says how many there were. The hosts stay.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_group(&self, name: &str) -> Result<usize> {
        let group = name.to_owned();
        let remove = move |hosts: &mut [Host]| {
            known(hosts, &group)?;
            hosts.iter_mut().for_each(|host| host.groups.retain(|name| *name != group));
            Ok(())
        };
        Ok(self.edit_many(Box::new(remove)).await?.len())
    }

    async fn edit_many(&self, edit: HostsEdit) -> Result<Vec<HostId>> {
        let changed: BTreeSet<HostId> = self.store().edit_hosts(edit).await?.into_iter().map(|host| host.id).collect();
        self.sync().await?;
        let views = self.read(|world| world.views(self.now()));
        views.iter().filter(|view| changed.contains(&view.id)).for_each(|view| self.tell(EventKind::HostUpdated, view));
        Ok(changed.into_iter().collect())
    }
}

fn counted(hosts: &[Host], words: impl Fn(&Host) -> &BTreeSet<String>) -> Vec<LabelCount> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in hosts.iter().flat_map(words) {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().map(|(name, hosts)| LabelCount { name: name.to_owned(), hosts }).collect()
}

fn known(hosts: &[Host], group: &str) -> Result<()> {
    match hosts.iter().any(|host| host.groups.contains(group)) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::NotFound, format!("find the group {group:?}"))
            .because("no host is in a group of that name")
            .next("see `reanimator group list`")),
    }
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::{FleetOptions, fleet::NewHost};

    async fn fleet(names: &[&str]) -> (Fleet, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(directory.path()) };
        let fleet = Fleet::open(options).await.unwrap();
        for name in names {
            let new = NewHost { name: Some((*name).into()), unchecked: true, ..NewHost::new("192.0.2.1") };
            fleet.add_host(NewHost { groups: set(&["all-of-them"]), ..new }).await.unwrap();
        }
        (fleet, directory)
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn counts(labels: &[LabelCount]) -> Vec<(&str, usize)> {
        labels.iter().map(|label| (label.name.as_str(), label.hosts)).collect()
    }

    #[tokio::test]
    async fn many_hosts_are_labelled_at_once_or_none_is() {
        let (fleet, _directory) = fleet(&["a", "b", "c"]).await;
        let change = |hosts: &[&str]| LabelChange {
            hosts: hosts.iter().map(|name| (*name).to_owned()).collect(),
            add_groups: set(&["web"]),
            remove_groups: set(&["all-of-them"]),
            add_tags: set(&["blue"]),
            remove_tags: set(&["red"]),
        };
        let error = fleet.change_labels(change(&["a", "nobody"])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(counts(&fleet.labels().await.unwrap().groups), [("all-of-them", 3)]);
        let mut events = fleet.events();
        assert_eq!(fleet.change_labels(change(&["a", "b"])).await.unwrap().len(), 2);
        let labels = fleet.labels().await.unwrap();
        assert_eq!(counts(&labels.groups), [("all-of-them", 1), ("web", 2)]);
        assert_eq!(counts(&labels.tags), [("blue", 2)]);
        assert_eq!(events.try_recv().unwrap().kind, EventKind::HostUpdated);
        assert_eq!(fleet.select(&"group:web".parse().unwrap()).await.unwrap().len(), 2);
        // A second time changes nothing.
        assert!(fleet.change_labels(change(&["a", "b"])).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn groups_are_renamed_and_removed_everywhere() {
        let (fleet, _directory) = fleet(&["a", "b"]).await;
        let web = LabelChange { hosts: vec!["a".into()], add_groups: set(&["web"]), ..LabelChange::default() };
        fleet.change_labels(web).await.unwrap();
        let kind = |error: Error| error.kind();
        assert_eq!(fleet.rename_group("web", "all-of-them").await.map_err(kind), Err(ErrorKind::Conflict));
        assert_eq!(fleet.rename_group("nothing", "x").await.map_err(kind), Err(ErrorKind::NotFound));
        assert_eq!(fleet.rename_group("web", "a b").await.map_err(kind), Err(ErrorKind::Invalid));
        assert_eq!(fleet.rename_group("web", "web").await.unwrap().hosts, 1);
        let renamed = fleet.rename_group("all-of-them", "everything").await.unwrap();
        assert_eq!(renamed, LabelCount { name: "everything".into(), hosts: 2 });
        assert_eq!(fleet.remove_group("everything").await.unwrap(), 2);
        assert_eq!(fleet.remove_group("everything").await.map_err(kind), Err(ErrorKind::NotFound));
        assert_eq!(counts(&fleet.labels().await.unwrap().groups), [("web", 1)]);
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused() {
        let (fleet, _directory) = fleet(&["a"]).await;
        let hosts = vec!["a".to_owned()];
        let many: BTreeSet<String> = (0..65).map(|number| format!("g{number}")).collect();
        for change in [
            LabelChange::default(),
            LabelChange { hosts: hosts.clone(), ..LabelChange::default() },
            LabelChange { hosts: hosts.clone(), add_tags: set(&["a b"]), ..LabelChange::default() },
            LabelChange { hosts: hosts.clone(), add_groups: many, ..LabelChange::default() },
            LabelChange { hosts: vec!["a".into(); 2_049], add_tags: set(&["x"]), ..LabelChange::default() },
            LabelChange { hosts, add_tags: set(&["x"]), remove_tags: set(&["x"]), ..LabelChange::default() },
        ] {
            let error = fleet.change_labels(change).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.next_step().is_some());
        }
    }
}
