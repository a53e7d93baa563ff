//! For tests of this crate and of those who embed it (feature `testkit`): a clock that is set by hand, and a fleet
//! that looks like somebody's.
//!
//! ```
//! use std::time::Duration;
//! use reanimator_core::{clock::Clock, testkit::ManualClock};
//! let clock = ManualClock::default();
//! let before = clock.now();
//! clock.advance(Duration::from_secs(12 * 60 * 60));
//! assert_eq!(clock.now().duration_since(before).as_hours(), 12);
//! ```

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    Result,
    clock::Clock,
    fleet::{Fleet, FleetOptions},
    model::{
        Bytes, Connection, ConnectionId, Host, HostId, HostState, HostView, Link, Memory, Reach, Space, SshReach, Sudo,
    },
    store::{SqliteStore, Store},
};

/// A clock that stands until it is moved. Starts on 1 January 2027.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::UNIX_EPOCH + Duration::from_secs(1_798_761_600)))
    }
}

impl ManualClock {
    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fleet of a Pi, a NAS and a rented server, as last seen a moment ago by `clock`, in a store that is gone when it is
/// dropped. Nothing is behind the hosts: they answer nobody.
///
/// # Errors
/// `Storage` when there is no room for temporary files.
pub async fn example_fleet(clock: Arc<ManualClock>) -> Result<Fleet> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::temporary().await?);
    let now = clock.now();
    let options = FleetOptions { with_this_machine: false, clock, ..FleetOptions::new(store.location()) };
    for (name, group) in [("nas", "home"), ("pi", "home"), ("rented", "web")] {
        let connection = connection(name);
        store.save_host_with_connection(&host(name, group, &connection.id), &connection, &[]).await?;
    }
    let fleet = Fleet::with_store(options, store).await?;
    let views: Vec<HostView> = fleet.status().await?.hosts.into_iter().map(|view| seen(view, now)).collect();
    fleet.store().put_views(&views).await?;
    Ok(fleet)
}

/// One round of figures, as the live loop has it every few seconds: each cluster is looked at once, and what was seen is
/// written down.
///
/// # Errors
/// `Storage` when it cannot be written down. A cluster that does not answer is a miss, not an error.
pub async fn one_round(fleet: &Fleet) -> Result<()> {
    for cluster in fleet.watched().1 {
        let seen = fleet.look_at_cluster(&cluster).await?;
        fleet.write_down_cluster(&seen).await?;
    }
    Ok(())
}

/// Asks clusters for those facts that are due, as the live loop does between rounds.
///
/// # Errors
/// `Storage` when they cannot be written down.
pub async fn ask_due_facts(fleet: &Fleet) -> Result<()> {
    for cluster in fleet.due_facts().1 {
        fleet.look_at_cluster_facts(&cluster).await?;
    }
    Ok(())
}

fn connection(name: &str) -> Connection {
    let reach = SshReach {
        address: format!("{name}.example.org"),
        port: 22,
        user: "root".to_owned(),
        jumps: Vec::new(),
        use_agent: true,
        key_files: Vec::new(),
        sudo: Sudo::None,
        host_key: None,
    };
    Connection {
        id: ConnectionId::generate(),
        name: name.to_owned(),
        reach: Reach::Ssh(reach),
        credentials_changed_at: None,
    }
}

fn host(name: &str, group: &str, connection: &ConnectionId) -> Host {
    Host {
        id: HostId::generate(),
        name: name.to_owned(),
        groups: [group.to_owned()].into(),
        tags: Default::default(),
        maintenance: false,
        links: vec![Link::Ssh { connection: connection.clone() }],
    }
}

/// Figures for a host; the rented one does not answer.
fn seen(view: HostView, now: Timestamp) -> HostView {
    const GIB: u64 = 1 << 30;
    HostView {
        state: if view.name == "rented" { HostState::Offline } else { HostState::Online },
        cpu_percent: Some(12.5),
        cpus: Some(4),
        memory: Some(Memory {
            total_bytes: Bytes(8 * GIB),
            used_bytes: Bytes(2 * GIB),
            available_bytes: Some(Bytes(6 * GIB)),
            source: "MemAvailable".to_owned(),
            arc_bytes: None,
        }),
        disk: Some(Space { total_bytes: Bytes(100 * GIB), used_bytes: Bytes(40 * GIB) }),
        observed_at: Some(now),
        ..view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_example_fleet_grows_old_by_the_clock_alone() {
        let clock = Arc::new(ManualClock::default());
        let fleet = example_fleet(clock.clone()).await.expect("an example fleet");
        let states = async || fleet.status().await.expect("a status").hosts.into_iter().map(|host| host.state);
        let (online, offline, unknown) = (HostState::Online, HostState::Offline, HostState::Unknown);
        assert!(states().await.eq([online, online, offline]));
        clock.advance(Duration::from_secs(61));
        assert!(states().await.eq([unknown, unknown, offline]));
    }
}
