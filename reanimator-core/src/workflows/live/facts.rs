//! Slow facts: whoever's are due is asked, a few at a time, beside the figures and never in their way.

use std::{collections::BTreeSet, time::Duration};

use tokio::{task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    fleet::Fleet,
    model::{ConnectionId, HostId},
};

/// How many are asked at once: a start with a thousand hosts must not start a thousand `dmidecode` in one second.
const AT_ONCE: usize = 16;

/// Whose facts are asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Host(HostId),
    Cluster(ConnectionId),
}

/// Runs until `end`.
pub(super) async fn run(fleet: Fleet, every: Duration, end: CancellationToken) {
    if let Err(error) = fleet.forget_gone_clusters().await {
        tracing::error!(error = %crate::report(&error), "facts of removed clusters are still stored");
    }
    let mut under_way: BTreeSet<Asked> = BTreeSet::new();
    let mut tasks = JoinSet::new();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            Some(ended) = tasks.join_next() => match ended {
                Ok(asked) => { under_way.remove(&asked); }
                Err(error) => {
                    tracing::error!(%error, "a task that asks for facts broke");
                    // Nobody knows whose it was: those that go on are asked twice at worst.
                    under_way.clear();
                }
            },
            _ = ticks.tick() => {}
        }
        let (hosts, clusters) = fleet.due_facts();
        let due = clusters.into_iter().map(Asked::Cluster).chain(hosts.into_iter().map(Asked::Host));
        for asked in
            due.filter(|asked| !under_way.contains(asked)).take(AT_ONCE.saturating_sub(tasks.len())).collect::<Vec<_>>()
        {
            under_way.insert(asked.clone());
            tasks.spawn(ask(fleet.clone(), asked));
        }
    }
}

async fn ask(fleet: Fleet, asked: Asked) -> Asked {
    let result: Result<()> = match &asked {
        Asked::Host(id) => fleet.look_at_facts(id).await,
        Asked::Cluster(id) => fleet.look_at_cluster_facts(id).await,
    };
    if let Err(error) = result {
        tracing::debug!(?asked, error = %crate::report(&error), "facts are not seen");
    }
    asked
}
