//! What holds actions back by people's will: maintenance windows, and what somebody has protected.
//!
//! [`Fleet::restraints`] reads all of it once; [`Restraints`] then says of any guest or host what holds, without asking
//! anybody. A guest that is a host of the fleet, too, is one machine: what holds for the one holds for the other.
//!
//! ```no_run
//! # async fn example(fleet: reanimator_core::Fleet, id: reanimator_core::model::GuestId) -> Result<(), reanimator_core::Error> {
//! use reanimator_core::model::Thing;
//! let restraints = fleet.restraints().await?;
//! let state = restraints.window_state(Thing::Guest(&id), fleet.now())?;
//! if !state.lets() {
//!     println!("mail {state}"); // mail may not be disturbed now: its maintenance window nights opens at ...
//! }
//! if let Some(protection) = restraints.protection(Thing::Guest(&id)) {
//!     println!("mail {protection}"); // mail is protected by ada: the mail of everyone
//! }
//! # Ok(()) }
//! ```

use jiff::Timestamp;

use super::{Fleet, GuestSelector, Selector};
use crate::{
    Result,
    model::{Guest, HostView, PROTECTED_TAG, Protection, Thing, Window, WindowState},
};

/// All windows and protections, and whom they are about, as they were when they were read.
#[derive(Clone, Debug)]
pub struct Restraints {
    windows: Vec<Covering>,
    protections: Vec<Protection>,
    hosts: Vec<HostView>,
    guests: Vec<Guest>,
}

/// A window and whom it covers.
#[derive(Clone, Debug)]
struct Covering {
    window: Window,
    hosts: Option<Selector>,
    guests: Option<GuestSelector>,
}

/// A machine of the fleet: a host, a guest, or one that is both.
#[derive(Clone, Copy, Debug)]
struct Machine<'a> {
    host: Option<&'a HostView>,
    guest: Option<&'a Guest>,
}

impl Fleet {
    /// What holds actions back by people's will, read once for any number of questions.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read, `Invalid` for a stored window that cannot be understood.
    pub async fn restraints(&self) -> Result<Restraints> {
        let (windows, protections) = (self.store().windows().await?, self.store().protections().await?);
        let windows = windows.into_iter().map(Covering::of).collect::<Result<_>>()?;
        let guests = self.guests().await?;
        let hosts = self.read(|world| world.views(self.now()));
        Ok(Restraints { windows, protections, hosts, guests })
    }

    /// Whether something may be disturbed at `now`, as far as maintenance windows go: no window covers it, one is open (and
    /// until when), or all are closed (and until when). The words of it stand behind the thing's name.
    ///
    /// Who asks of many things reads [`restraints`](Self::restraints) once.
    ///
    /// # Errors
    /// As [`restraints`](Self::restraints).
    pub async fn window_state(&self, thing: Thing<'_>, now: Timestamp) -> Result<WindowState> {
        self.restraints().await?.window_state(thing, now)
    }

    /// By whom and why something is protected; none where it is not.
    ///
    /// # Errors
    /// As [`restraints`](Self::restraints).
    pub async fn protection(&self, thing: Thing<'_>) -> Result<Option<Protection>> {
        Ok(self.restraints().await?.protection(thing))
    }
}

impl Covering {
    fn of(window: Window) -> Result<Self> {
        let hosts = window.hosts.as_deref().map(str::parse).transpose()?;
        let guests = window.guests.as_deref().map(str::parse).transpose()?;
        Ok(Self { window, hosts, guests })
    }

    fn covers(&self, machine: Machine<'_>) -> bool {
        let host = self.hosts.as_ref().zip(machine.host).is_some_and(|(hosts, host)| hosts.covers(host));
        host || self.guests.as_ref().zip(machine.guest).is_some_and(|(guests, guest)| guests.covers(guest))
    }
}

impl Restraints {
    /// What the windows that cover it say at `now`.
    ///
    /// # Errors
    /// `Invalid` for a window whose time zone is not known here.
    pub fn window_state(&self, thing: Thing<'_>, now: Timestamp) -> Result<WindowState> {
        let machine = self.machine(thing);
        let covering = self.windows.iter().filter(|each| each.covers(machine));
        WindowState::of(covering.map(|each| &each.window), now)
    }

    /// By whom and why it is protected: by hand, or by a tag.
    pub fn protection(&self, thing: Thing<'_>) -> Option<Protection> {
        let machine = self.machine(thing);
        let host = machine.host.map(|host| format!("host:{}", host.id));
        let guest = machine.guest.map(|guest| format!("guest:{}", guest.id));
        let is_it = |protection: &&Protection| {
            let known = Some(&protection.thing);
            protection.thing == key(thing) || known == host.as_ref() || known == guest.as_ref()
        };
        if let Some(by_hand) = self.protections.iter().find(is_it) {
            return Some(by_hand.clone());
        }
        let is_it = |tag: &String| tag.eq_ignore_ascii_case(PROTECTED_TAG);
        let tagged = machine.host.is_some_and(|host| host.tags.iter().any(is_it))
            || machine.guest.is_some_and(|guest| guest.tags.iter().any(is_it));
        tagged.then(|| Protection {
            thing: key(thing),
            reason: String::new(),
            by: format!("its tag {PROTECTED_TAG}"),
            since: None,
        })
    }

    /// All that are protected by hand, with their names where they are in the fleet.
    pub(super) fn protected(&self) -> impl Iterator<Item = (&Protection, Option<&str>)> {
        self.protections.iter().map(|protection| {
            let host = self.hosts.iter().find(|host| protection.thing == format!("host:{}", host.id));
            let guest = self.guests.iter().find(|guest| protection.thing == format!("guest:{}", guest.id));
            let name = host.map(|host| host.name.as_str()).or_else(|| guest.and_then(|guest| guest.name.as_deref()));
            (protection, name)
        })
    }

    /// The windows, each with the names of whom it covers by its own words.
    pub(super) fn covered(&self) -> impl Iterator<Item = (&Window, Vec<String>, Vec<String>)> {
        self.windows.iter().map(|each| {
            let hosts = self.hosts.iter().filter(|host| each.hosts.as_ref().is_some_and(|hosts| hosts.covers(host)));
            let guests =
                self.guests.iter().filter(|guest| each.guests.as_ref().is_some_and(|guests| guests.covers(guest)));
            let called = |guest: &Guest| guest.name.clone().unwrap_or_else(|| guest.vmid.clone());
            (&each.window, hosts.map(|host| host.name.clone()).collect(), guests.map(called).collect())
        })
    }

    fn machine(&self, thing: Thing<'_>) -> Machine<'_> {
        match thing {
            Thing::Host(id) => {
                let host = self.hosts.iter().find(|host| host.id == *id);
                let guest = self.guests.iter().find(|guest| guest.linked_host.as_ref() == Some(id));
                Machine { host, guest }
            }
            Thing::Guest(id) => {
                let guest = self.guests.iter().find(|guest| guest.id == *id);
                let linked = guest.and_then(|guest| guest.linked_host.as_ref());
                Machine { host: linked.and_then(|linked| self.hosts.iter().find(|host| host.id == *linked)), guest }
            }
        }
    }
}

/// As [`Action::thing`](crate::model::Action::thing) names it.
pub(super) fn key(thing: Thing<'_>) -> String {
    match thing {
        Thing::Guest(id) => format!("guest:{id}"),
        Thing::Host(id) => format!("host:{id}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::{super::guest_selector::tests::guest, *};
    use crate::{
        fleet::view::tests::host,
        model::{GuestId, HostId},
    };

    fn restraints() -> Restraints {
        let window = |name: &str, hosts: Option<&str>, guests: Option<&str>| {
            let text =
                serde_json::json!({ "name": name, "hosts": hosts, "guests": guests, "from": "22:00", "to": "06:00" });
            Covering::of(serde_json::from_value(text).unwrap()).unwrap()
        };
        let (mut web, mut other) = (host("web1"), host("db1"));
        web.id = HostId::from("h-web");
        other.id = HostId::from("h-db");
        let (mut linked, mut tagged) = (guest("web1", 101), guest("mail", 102));
        linked.linked_host = Some("h-web".into());
        tagged.tags.push("Protected".into());
        let by_hand =
            Protection { thing: "host:h-web".into(), reason: "the shop".into(), by: "ada".into(), since: None };
        Restraints {
            windows: vec![window("webs", Some("web*"), None), window("mails", None, Some("mail,gone"))],
            protections: vec![by_hand],
            hosts: vec![web, other],
            guests: vec![linked, tagged, guest("free", 103)],
        }
    }

    #[test]
    fn what_holds_for_a_host_holds_for_the_guest_that_it_is() {
        let restraints = restraints();
        let noon: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let state = |thing: Thing<'_>| restraints.window_state(thing, noon).unwrap().to_string();
        let guest = |vmid| GuestId(format!("c1:{vmid}"));
        for (thing, window) in [
            (Thing::Host(&"h-web".into()), "its maintenance window webs opens at 2026-11-26T22:00:00Z"),
            (Thing::Guest(&guest(101)), "its maintenance window webs opens"),
            (Thing::Guest(&guest(102)), "its maintenance window mails opens"),
            (Thing::Guest(&guest(103)), "at any time"),
            (Thing::Host(&"h-db".into()), "at any time"),
        ] {
            assert!(state(thing).contains(window), "{thing:?}: {}", state(thing));
        }
    }

    #[test]
    fn what_is_protected_is_so_by_hand_or_by_its_tag() {
        let restraints = restraints();
        let words = |thing: Thing<'_>| restraints.protection(thing).map(|protection| protection.to_string());
        let guest = |vmid| GuestId(format!("c1:{vmid}"));
        assert_eq!(words(Thing::Host(&"h-web".into())).as_deref(), Some("is protected by ada: the shop"));
        assert_eq!(words(Thing::Guest(&guest(101))).as_deref(), Some("is protected by ada: the shop"));
        assert_eq!(words(Thing::Guest(&guest(102))).as_deref(), Some("is protected by its tag protected"));
        assert_eq!(words(Thing::Guest(&guest(103))), None);
    }
}
