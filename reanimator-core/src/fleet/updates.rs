//! Schedules of updates and redundant sets as people make them.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Time};
use serde::{Deserialize, Serialize};

use super::{Fleet, GuestSelector, Selector};
use crate::{
    Error, ErrorKind, Result,
    access::Principal,
    model::{Day, Guest, HostView, RedundantSet, Role, UnreadableSchedule, UpdateSchedule, UpdateWish},
};

/// Schedules that there may be, and redundant sets.
const MOST: usize = 200;

/// A schedule, and what it comes to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: UpdateSchedule,
    /// Its times in words: `mon-fri 03:30 Europe/Berlin`.
    pub times: String,
    /// When it is made next; none where it is switched off.
    pub next_at: Option<Timestamp>,
    /// Why nobody knows when it is made, so that it never is; none where that is known.
    pub trouble: Option<String>,
}

/// All schedules, and those of which no more than their names can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateSchedules {
    /// Those that can be read, by name.
    pub items: Vec<ScheduleView>,
    /// Those that cannot, by name.
    pub unreadable: Vec<UnreadableSchedule>,
}

/// What to change of a schedule; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleChange {
    /// What is wanted each time.
    pub wish: Option<UpdateWish>,
    /// On which days.
    pub days: Option<BTreeSet<Day>>,
    /// When: `03:30`.
    #[serde(with = "crate::model::window::some_time")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "03:30"))]
    pub at: Option<Time>,
    /// The time zone of its clock.
    pub zone: Option<String>,
    /// Whether it is made.
    pub enabled: Option<bool>,
    /// What people say of it.
    pub comment: Option<String>,
}

/// A redundant set, and who is in it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedundantView {
    /// The set.
    pub set: RedundantSet,
    /// The names of the hosts in it now.
    pub member_hosts: Vec<String>,
    /// The names of the guests in it now.
    pub member_guests: Vec<String>,
}

/// A redundant set whose words are understood.
#[derive(Clone, Debug)]
pub(crate) struct Redundancy {
    pub(crate) name: String,
    hosts: Option<Selector>,
    guests: Option<GuestSelector>,
}

impl Redundancy {
    fn of(set: &RedundantSet) -> Result<Self> {
        let hosts = set.hosts.as_deref().map(str::parse).transpose()?;
        let guests = set.guests.as_deref().map(str::parse).transpose()?;
        Ok(Self { name: set.name.clone(), hosts, guests })
    }

    pub(crate) fn has_host(&self, host: &HostView) -> bool {
        self.hosts.as_ref().is_some_and(|hosts| hosts.covers(host))
    }

    pub(crate) fn has_guest(&self, guest: &Guest) -> bool {
        self.guests.as_ref().is_some_and(|guests| guests.covers(guest))
    }
}

impl Fleet {
    /// All schedules of updates, by name. One that cannot be read takes nothing from the others.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn update_schedules(&self) -> Result<UpdateSchedules> {
        let now = self.now();
        let mut all = UpdateSchedules::default();
        for stored in self.store().update_schedules().await? {
            match stored {
                Ok(schedule) => all.items.push(view(schedule, now)),
                Err(unreadable) => all.unreadable.push(unreadable),
            }
        }
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`; `Storage`, also where it is there and cannot be read.
    pub async fn update_schedule(&self, name: &str) -> Result<ScheduleView> {
        let UpdateSchedules { items, unreadable } = self.update_schedules().await?;
        if let Some(view) = items.into_iter().find(|view| view.schedule.name == name) {
            return Ok(view);
        }
        Err(match unreadable.into_iter().find(|schedule| schedule.name == name) {
            Some(UnreadableSchedule { name, cause, next }) => {
                Error::new(ErrorKind::Storage, "read a stored schedule of updates").on(name).because(cause).next(next)
            }
            None => {
                let name: String = name.chars().take(80).collect();
                Error::new(ErrorKind::NotFound, format!("find the schedule {name:?}"))
                    .because("none is called so")
                    .next("see `reanimator update schedule list`")
            }
        })
    }

    /// Makes a schedule in the name of `who`. Times that have passed are not made up for.
    ///
    /// # Errors
    /// `Denied` where the wish takes another role; `Invalid`, naming what is wrong; `NotFound` where its words mean nobody;
    /// `Conflict` where one is called so already; `Storage`.
    pub async fn create_update_schedule(&self, schedule: UpdateSchedule, who: &Principal) -> Result<ScheduleView> {
        may_update(&schedule.wish, who)?;
        let schedule = UpdateSchedule { by: who.who(), done_until: Some(self.now()), last_outcome: None, ..schedule };
        check(&schedule)?;
        self.means_somebody(&schedule.wish).await?;
        if self.store().update_schedules().await?.len() >= MOST {
            return Err(too_many("make a schedule of updates"));
        }
        self.store().insert_update_schedule(&schedule).await?;
        self.update_schedule(&schedule.name).await
    }

    /// Changes a schedule; what is absent stays. From now on it is made in the name of `who`. Times that have passed are not
    /// made up for.
    ///
    /// # Errors
    /// `Denied` where the wish takes another role; `Invalid`, naming what is wrong: then nothing is changed. `NotFound`, also
    /// where the words of a new wish mean nobody; `Storage`.
    pub async fn change_update_schedule(
        &self,
        name: &str,
        change: ScheduleChange,
        who: &Principal,
    ) -> Result<ScheduleView> {
        if let Some(wish) = &change.wish {
            may_update(wish, who)?;
            wish.check()?;
            self.means_somebody(wish).await?;
        }
        let (now, who) = (self.now(), who.clone());
        let edit = move |known: UpdateSchedule| {
            let schedule = UpdateSchedule {
                wish: change.wish.unwrap_or(known.wish),
                days: change.days.unwrap_or(known.days),
                at: change.at.unwrap_or(known.at),
                zone: change.zone.unwrap_or(known.zone),
                enabled: change.enabled.unwrap_or(known.enabled),
                comment: change.comment.unwrap_or(known.comment),
                by: who.who(),
                done_until: known.done_until.max(Some(now)),
                last_outcome: known.last_outcome,
                name: known.name,
            };
            may_update(&schedule.wish, &who)?;
            check(&schedule)?;
            Ok(schedule)
        };
        self.store().edit_update_schedule(name, Box::new(edit)).await?;
        self.update_schedule(name).await
    }

    /// Refuses words that mean nobody now: such a schedule would be made in vain.
    async fn means_somebody(&self, wish: &UpdateWish) -> Result<()> {
        if let Some(hosts) = &wish.hosts {
            let hosts = hosts.parse::<Selector>()?;
            if self.status().await?.hosts.iter().any(|host| hosts.covers(host)) {
                return Ok(());
            }
        }
        if let Some(guests) = &wish.guests {
            let guests = guests.parse::<GuestSelector>()?;
            if self.guests().await?.iter().any(|guest| guests.covers(guest)) {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::NotFound, format!("update {} by calendar", wish.whom()))
            .because("these words mean no machine of the fleet")
            .next("see `reanimator host list` and `reanimator guest list`"))
    }

    /// Removes a schedule. An update that it has made goes on.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_update_schedule(&self, name: &str) -> Result<()> {
        if self.store().remove_update_schedule(name).await? {
            return Ok(());
        }
        // There is none: it says so.
        self.update_schedule(name).await.map(drop)
    }

    /// All redundant sets, by name.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn redundant_sets(&self) -> Result<Vec<RedundantView>> {
        let sets = self.store().redundant_sets().await?;
        let (hosts, guests) = (self.status().await?.hosts, self.guests().await?);
        let view = |set: RedundantSet| {
            let known = Redundancy::of(&set)?;
            let called = |guest: &Guest| guest.name.clone().unwrap_or_else(|| guest.vmid.clone());
            Ok(RedundantView {
                member_hosts: hosts.iter().filter(|host| known.has_host(host)).map(|host| host.name.clone()).collect(),
                member_guests: guests.iter().filter(|guest| known.has_guest(guest)).map(called).collect(),
                set,
            })
        };
        sets.into_iter().map(view).collect()
    }

    /// Keeps a redundant set, in place of one of the same name: never two of it are updated at once.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong; `Conflict` where there are too many; `Storage`.
    pub async fn put_redundant_set(&self, set: RedundantSet) -> Result<RedundantView> {
        set.check()?;
        Redundancy::of(&set)?;
        let known = self.store().redundant_sets().await?;
        if known.len() >= MOST && known.iter().all(|other| other.name != set.name) {
            return Err(too_many("make a redundant set"));
        }
        self.store().put_redundant_set(&set).await?;
        self.redundant_sets().await?.into_iter().find(|view| view.set.name == set.name).ok_or_else(|| no_set(&set.name))
    }

    /// Removes a redundant set.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_redundant_set(&self, name: &str) -> Result<()> {
        match self.store().remove_redundant_set(name).await? {
            true => Ok(()),
            false => Err(no_set(name)),
        }
    }

    /// Redundant sets whose words are understood.
    pub(crate) async fn redundancies(&self) -> Result<Vec<Redundancy>> {
        self.store().redundant_sets().await?.iter().map(Redundancy::of).collect()
    }
}

/// Passes who may ask for an update: it takes an operator, and an admin where a command is run on machines or rules are not
/// kept.
pub(crate) fn may_update(wish: &UpdateWish, who: &Principal) -> Result<()> {
    who.require(Role::Operator, "update machines")?;
    if wish.health.command.is_some() {
        who.require(Role::Admin, "update machines with a command that shows their health")?;
    }
    if !wish.overrides.is_empty() {
        who.require(Role::Admin, "update machines in spite of rules")?;
    }
    Ok(())
}

fn check(schedule: &UpdateSchedule) -> Result<()> {
    schedule.check()?;
    if let Some(hosts) = &schedule.wish.hosts {
        hosts.parse::<Selector>()?;
    }
    if let Some(guests) = &schedule.wish.guests {
        guests.parse::<GuestSelector>()?;
    }
    Ok(())
}

fn view(schedule: UpdateSchedule, now: Timestamp) -> ScheduleView {
    // One that is switched off says what is wrong with its clock too.
    let (next_at, trouble) = match (UpdateSchedule { enabled: true, ..schedule.clone() }).next_at(now) {
        Ok(next_at) => (next_at.filter(|_| schedule.enabled), None),
        Err(error) => (None, Some(crate::message(&error))),
    };
    ScheduleView { times: schedule.times(), next_at, trouble, schedule }
}

fn too_many(attempt: &str) -> Error {
    Error::new(ErrorKind::Conflict, attempt)
        .because(format!("there are {MOST} already"))
        .next("remove one that is not needed")
}

fn no_set(name: &str) -> Error {
    let name: String = name.chars().take(80).collect();
    Error::new(ErrorKind::NotFound, format!("find the redundant set {name:?}"))
        .because("none is called so")
        .next("see `reanimator update redundant list`")
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::{FleetOptions, store::break_update_schedule};

    async fn fleet(directory: &std::path::Path) -> Fleet {
        Fleet::open(FleetOptions::new(directory)).await.unwrap()
    }

    #[tokio::test]
    async fn schedules_are_made_changed_and_removed_and_are_for_times_to_come() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(directory.path()).await;
        let text = serde_json::json!({ "name": "nights", "wish": { "hosts": "all" }, "at": "02:00" });
        let schedule: UpdateSchedule = serde_json::from_value(text).unwrap();
        let made = fleet.create_update_schedule(schedule.clone(), &Principal::local()).await.unwrap();
        assert_eq!(
            (made.times.as_str(), made.schedule.by.as_str()),
            ("daily 02:00 UTC", Principal::local().who().as_str())
        );
        assert!(made.next_at > Some(fleet.now()));
        assert_eq!(made.schedule.due(fleet.now()).unwrap(), None, "the last night is not made up for");
        let change = |text: serde_json::Value| serde_json::from_value::<ScheduleChange>(text).unwrap();
        let off = change(serde_json::json!({ "enabled": false, "at": "04:00" }));
        let nobody = UpdateSchedule {
            name: "nobody".into(),
            wish: UpdateWish { hosts: Some("group:none".into()), ..UpdateWish::default() },
            ..schedule.clone()
        };
        let refused = fleet.create_update_schedule(nobody.clone(), &Principal::local()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        let to_nobody = ScheduleChange { wish: Some(nobody.wish), ..ScheduleChange::default() };
        let refused = fleet.change_update_schedule("nights", to_nobody, &Principal::local()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        let changed = fleet.change_update_schedule("nights", off, &Principal::local()).await.unwrap();
        assert_eq!((changed.times.as_str(), changed.next_at), ("daily 04:00 UTC", None));
        let bad = change(serde_json::json!({ "wish": { "hosts": "[" } }));
        assert_eq!(
            fleet.change_update_schedule("nights", bad, &Principal::local()).await.unwrap_err().kind(),
            ErrorKind::Invalid
        );
        fleet.remove_update_schedule("nights").await.unwrap();
        assert_eq!(fleet.remove_update_schedule("nights").await.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn one_that_cannot_be_read_takes_nothing_from_the_others_and_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(directory.path()).await;
        let who = Principal::local();
        for name in ["a", "b", "c"] {
            let text = serde_json::json!({ "name": name, "wish": { "hosts": "all" }, "at": "02:00" });
            fleet.create_update_schedule(serde_json::from_value(text).unwrap(), &who).await.unwrap();
        }
        break_update_schedule(directory.path(), "a").await;
        let nowhere = |schedule| Ok(UpdateSchedule { zone: "Nowhere/At_All".into(), ..schedule });
        fleet.store().edit_update_schedule("b", Box::new(nowhere)).await.unwrap();

        let all = fleet.update_schedules().await.unwrap();
        let names: Vec<_> = all.items.iter().map(|view| view.schedule.name.as_str()).collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!((all.items[0].next_at, all.items[1].trouble.as_ref()), (None, None));
        assert!(all.items[0].trouble.as_ref().unwrap().contains("Nowhere/At_All"), "{all:?}");
        assert!(all.items[1].next_at.is_some());
        let [broken] = all.unreadable.as_slice() else { panic!("{all:?}") };
        assert_eq!(broken.name, "a");
        assert!(broken.cause.contains("line 1") && broken.next.contains("schedule delete a"), "{broken:?}");

        let shown = fleet.update_schedule("a").await.unwrap_err();
        assert_eq!((shown.kind(), shown.next_step()), (ErrorKind::Storage, Some(broken.next.as_str())));
        let change = || ScheduleChange { zone: Some("UTC".into()), ..ScheduleChange::default() };
        let refused = fleet.change_update_schedule("a", change(), &who).await.unwrap_err();
        assert_eq!((refused.kind(), refused.next_step()), (ErrorKind::Storage, Some(broken.next.as_str())));
        let mended = fleet.change_update_schedule("b", change(), &who).await.unwrap();
        assert!(mended.next_at.is_some() && mended.trouble.is_none(), "{mended:?}");
        fleet.remove_update_schedule("a").await.unwrap();
        assert_eq!(fleet.update_schedules().await.unwrap().unreadable, []);
    }

    #[tokio::test]
    async fn a_redundant_set_says_who_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(directory.path()).await;
        let set = |hosts: &str| RedundantSet {
            name: "dns".into(),
            hosts: Some(hosts.into()),
            guests: None,
            comment: String::new(),
        };
        assert_eq!(fleet.put_redundant_set(set("[")).await.unwrap_err().kind(), ErrorKind::Invalid);
        let name = fleet.status().await.unwrap().hosts.swap_remove(0).name;
        assert_eq!(fleet.put_redundant_set(set("all")).await.unwrap().member_hosts, [name]);
        fleet.remove_redundant_set("dns").await.unwrap();
        assert_eq!(fleet.remove_redundant_set("dns").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
