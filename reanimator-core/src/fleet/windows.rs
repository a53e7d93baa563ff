//! Maintenance windows and protections as people make them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fleet, GuestSelector, Selector, restraints::key};
use crate::{
    Error, ErrorKind, Result,
    model::{GuestId, HostId, Protection, Thing, Window, WindowChange},
};

/// Windows that there may be.
const MOST_WINDOWS: usize = 500;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// A window, and what it comes to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WindowView {
    /// The window.
    pub window: Window,
    /// Its times in words: `mon-fri 22:00-06:00 Europe/Berlin`.
    pub times: String,
    /// Whether it is open now.
    pub open: bool,
    /// When it opens next, after now; none where it never does.
    pub opens_at: Option<Timestamp>,
    /// When it closes, where it is open.
    pub closes_at: Option<Timestamp>,
    /// The names of the hosts that it covers now.
    pub covers_hosts: Vec<String>,
    /// The names of the guests that it covers now.
    pub covers_guests: Vec<String>,
}

/// Something that is protected by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProtectionView {
    /// What, by whom, why, since when.
    pub protection: Protection,
    /// The name of what is protected; none where it is not in the fleet now.
    pub name: Option<String>,
}

impl Fleet {
    /// All maintenance windows, by name.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn windows(&self) -> Result<Vec<WindowView>> {
        let now = self.now();
        self.restraints().await?.covered().map(|(window, hosts, guests)| view(window, hosts, guests, now)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn window(&self, name: &str) -> Result<WindowView> {
        self.windows().await?.into_iter().find(|view| view.window.name == name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("find the maintenance window {name:?}"))
                .because("none is called so")
                .next("see `reanimator window list`")
        })
    }

    /// Makes a window.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong; `Conflict` where one is called so already; `Storage`.
    pub async fn create_window(&self, window: Window) -> Result<WindowView> {
        check(&window)?;
        if self.store().windows().await?.len() >= MOST_WINDOWS {
            return Err(Error::new(ErrorKind::Conflict, "make a maintenance window")
                .because(format!("there are {MOST_WINDOWS} already"))
                .next("remove one that is over"));
        }
        self.store().insert_window(&window).await?;
        self.window(&window.name).await
    }

    /// Changes a window; what is absent stays.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong: then nothing is changed. `NotFound`, `Storage`.
    pub async fn change_window(&self, name: &str, change: WindowChange) -> Result<WindowView> {
        let edit = move |window: Window| {
            let window = window.with(change)?;
            check(&window)?;
            Ok(window)
        };
        self.store().edit_window(name, Box::new(edit)).await?;
        self.window(name).await
    }

    /// Removes a window. What only it covered may be disturbed at any time then.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_window(&self, name: &str) -> Result<()> {
        self.store().remove_window(name).await
    }

    /// All that is protected by hand.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn protections(&self) -> Result<Vec<ProtectionView>> {
        let view = |(protection, name): (&Protection, Option<&str>)| ProtectionView {
            protection: protection.clone(),
            name: name.map(str::to_owned),
        };
        Ok(self.restraints().await?.protected().map(view).collect())
    }

    /// Protects a host by hand: it is neither disrupted nor destroyed from now on.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` for the reason, `Storage`.
    pub async fn protect_host(&self, name_or_id: &str, reason: &str, who: &str) -> Result<Protection> {
        let id = self.find(name_or_id).await?.id;
        self.protect(Thing::Host(&id), reason, who).await
    }

    /// Protects a guest by hand, found as [`guest`](Self::guest) finds it.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` for the reason, `Storage`.
    pub async fn protect_guest(&self, node: Option<&str>, name: &str, reason: &str, who: &str) -> Result<Protection> {
        let id = self.guest(node, name).await?.id;
        self.protect(Thing::Guest(&id), reason, who).await
    }

    /// Protects a host by hand no more. A tag still does.
    ///
    /// # Errors
    /// `NotFound` where it is not in the fleet, or not protected by hand; `Storage`.
    pub async fn unprotect_host(&self, name_or_id: &str) -> Result<()> {
        // One that has left the fleet is named by its id.
        let id = match self.find(name_or_id).await {
            Ok(host) => host.id,
            Err(error) if error.kind() == ErrorKind::NotFound => HostId::from(name_or_id),
            Err(error) => return Err(error),
        };
        self.unprotect(Thing::Host(&id), name_or_id).await
    }

    /// Protects a guest by hand no more. A tag still does.
    ///
    /// # Errors
    /// `NotFound` where it is not in the fleet, or not protected by hand; `Storage`.
    pub async fn unprotect_guest(&self, node: Option<&str>, name: &str) -> Result<()> {
        let id = match self.guest(node, name).await {
            Ok(guest) => guest.id,
            Err(error) if error.kind() == ErrorKind::NotFound && node.is_none() => GuestId(name.to_owned()),
            Err(error) => return Err(error),
        };
        self.unprotect(Thing::Guest(&id), name).await
    }

    async fn protect(&self, thing: Thing<'_>, reason: &str, who: &str) -> Result<Protection> {
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
            return Err(Error::new(ErrorKind::Invalid, "protect it")
                .because("there is no reason, or it is too long, or has a line break")
                .next(format!("say why in one line of up to {LONGEST_REASON} characters")));
        }
        let (reason, by) = (reason.to_owned(), who.to_owned());
        let protection = Protection { thing: key(thing), reason, by, since: Some(self.now()) };
        self.store().put_protection(&protection).await?;
        Ok(protection)
    }

    async fn unprotect(&self, thing: Thing<'_>, name: &str) -> Result<()> {
        if self.store().remove_protection(&key(thing)).await? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, "end its protection")
            .on(name)
            .because("it is not protected by hand")
            .next("see `reanimator window protected`; a tag is taken away where it was given"))
    }
}

/// Refuses a window that could not be kept.
fn check(window: &Window) -> Result<()> {
    window.check()?;
    if let Some(hosts) = &window.hosts
        && hosts.parse::<Selector>()?.asks_for_state()
    {
        return Err(Error::new(ErrorKind::Invalid, format!("take the window {:?}", window.name))
            .because("`state:` says something else every moment")
            .next("choose hosts by name, group, tag, kind or cluster"));
    }
    if let Some(guests) = &window.guests {
        guests.parse::<GuestSelector>()?;
    }
    Ok(())
}

fn view(window: &Window, covers_hosts: Vec<String>, covers_guests: Vec<String>, now: Timestamp) -> Result<WindowView> {
    let (opening, next) = (window.opening_at(now)?, window.next_opening(now)?);
    Ok(WindowView {
        times: window.to_string(),
        open: window.enabled && opening.is_some(),
        opens_at: next.map(|next| next.opens_at).filter(|_| window.enabled),
        closes_at: opening.map(|opening| opening.closes_at).filter(|_| window.enabled),
        window: window.clone(),
        covers_hosts,
        covers_guests,
    })
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::FleetOptions;

    async fn fleet(directory: &std::path::Path) -> Fleet {
        Fleet::open(FleetOptions::new(directory)).await.unwrap()
    }

    fn window(text: serde_json::Value) -> Window {
        serde_json::from_value(text).unwrap()
    }

    #[tokio::test]
    async fn windows_are_made_changed_and_removed_and_outlive_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let first = fleet(directory.path()).await;
        let always = serde_json::json!({ "name": "always", "hosts": "all", "from": "00:00", "to": "24:00" });
        let made = first.create_window(window(always.clone())).await.unwrap();
        assert!(made.open && made.covers_hosts.len() == 1, "{made:?}");
        let again = first.create_window(window(always)).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Conflict);
        first.close().await;

        let second = fleet(directory.path()).await;
        let host = second.status().await.unwrap().hosts.swap_remove(0);
        let state = second.window_state(Thing::Host(&host.id), second.now()).await.unwrap();
        assert!(state.lets() && state.to_string().contains("always"), "{state}");
        let change = |text: serde_json::Value| serde_json::from_value::<WindowChange>(text).unwrap();
        let past = change(serde_json::json!({ "last_day": "2020-01-01" }));
        assert_eq!(second.change_window("always", past).await.unwrap().opens_at, None);
        assert!(!second.window_state(Thing::Host(&host.id), second.now()).await.unwrap().lets());
        let refused = change(serde_json::json!({ "hosts": "", "comment": "none" }));
        assert_eq!(second.change_window("always", refused).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(second.window("always").await.unwrap().window.hosts.as_deref(), Some("all"));
        second.remove_window("always").await.unwrap();
        assert_eq!(second.remove_window("always").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(second.windows().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_window_that_could_not_be_kept_is_refused_by_its_fault() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(directory.path()).await;
        for (what, value, word) in [
            ("name", "a b", "letters"),
            ("hosts", "[", "pattern"),
            ("hosts", "state:online", "state:"),
            ("guests", "kind:x", "qemu"),
            ("zone", "Nowhere", "Nowhere"),
            ("last_day", "2020-01-01", "before"),
        ] {
            let mut text = serde_json::json!({
                "name": "w", "hosts": "all", "from": "22:00", "to": "06:00", "first_day": "2026-01-01",
            });
            text[what] = value.into();
            let error = fleet.create_window(window(text)).await.unwrap_err();
            let report = crate::report(&error);
            assert!(error.kind() == ErrorKind::Invalid && report.contains(word), "{report}");
        }
    }

    #[tokio::test]
    async fn a_host_is_protected_until_somebody_ends_it() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(directory.path()).await;
        let host = fleet.status().await.unwrap().hosts.swap_remove(0);
        let protection = || fleet.protection(Thing::Host(&host.id));
        assert_eq!(protection().await.unwrap(), None);
        assert_eq!(fleet.protect_host(&host.name, " ", "ada").await.unwrap_err().kind(), ErrorKind::Invalid);
        fleet.protect_host(&host.name, "it runs the shop", "ada").await.unwrap();
        assert_eq!(protection().await.unwrap().unwrap().to_string(), "is protected by ada: it runs the shop");
        assert_eq!(fleet.protections().await.unwrap()[0].name.as_ref(), Some(&host.name));
        fleet.unprotect_host(&host.name).await.unwrap();
        assert_eq!(protection().await.unwrap(), None);
        assert_eq!(fleet.unprotect_host(&host.name).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
