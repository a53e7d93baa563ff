//! All that the API tells of a cluster beside its figures.
//!
//! | part | requests | how often is enough |
//! |---|---|---|
//! | members, quorum | none where a round asked just now, else 1 | 60 s |
//! | votes, links, options, networks | 5 | 15 min |
//! | high availability | 1 | 60 s |
//! | its manager, resources, rules | 3 or 4 | 15 min |
//! | replication, backup jobs, guests without | 3, and 1 per node that replicates or pool that a job names | 15 min |
//! | failed tasks, Ceph where there is any | 2 | 60 s |

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{ProxmoxCluster, asking::Asking};
use crate::{
    ErrorKind,
    collect::pve::{cluster_ha, cluster_jobs, cluster_members, status},
    model::facts::{
        Read,
        cluster::{BackupJob, ClusterFacts, HaFacts},
    },
};

/// What is asked about a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterQuestions {
    /// What may change any minute: members and quorum, high availability, Ceph, failed tasks. At
    /// most 3 requests while rounds go on.
    State,
    /// Everything: about 16 requests. Ask every 15 minutes.
    All,
}

impl ClusterQuestions {
    /// Whether what was not seen of `part` is asked for again with these questions.
    pub fn ask_for(self, part: &str) -> bool {
        self == Self::All || ["members and quorum", HIGH_AVAILABILITY, CEPH, FAILED_TASKS].contains(&part)
    }
}

/// How many pools are asked for their guests.
const POOLS_ASKED: usize = 8;

const HIGH_AVAILABILITY: &str = "high availability";
const CEPH: &str = "Ceph";
const FAILED_TASKS: &str = "failed tasks";

/// What was read of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterRead {
    /// The facts.
    pub facts: Read<ClusterFacts>,
    /// How many requests were asked, all but those for replication to one node.
    pub requests: u32,
}

impl ProxmoxCluster {
    /// Reads the cluster. After [`ClusterQuestions::State`], what was not asked is `None` or empty;
    /// [`ClusterFacts::renewed_by`] puts it into what is known.
    ///
    /// Each part may fail by itself, and is a note then.
    pub async fn cluster_facts(&self, questions: ClusterQuestions, now: Timestamp) -> ClusterRead {
        self.read_cluster(&mut Asking::new(self, now), questions, now).await
    }

    /// Reads everything of the cluster, as far as its nodes may be asked now: the state always, the rest bit by bit.
    /// `false` says that some of it waits for the next time, and only the state is told.
    pub async fn cluster_facts_in_turns(&self, now: Timestamp) -> (ClusterRead, bool) {
        let mut asking = Asking::in_turns(self, now, self.begin("cluster", now));
        let read = self.read_cluster(&mut asking, ClusterQuestions::All, now).await;
        match asking.waiting() {
            Some(row) => {
                self.keep_begun("cluster", row);
                (read, false)
            }
            None => (read, true),
        }
    }

    async fn read_cluster(&self, asking: &mut Asking<'_>, questions: ClusterQuestions, now: Timestamp) -> ClusterRead {
        let mut facts = ClusterFacts::default();
        let all = questions == ClusterQuestions::All;
        match self.kept_members(now) {
            Some(kept) => {
                if let Err(error) = cluster_members::status_into(&kept, &mut facts) {
                    asking.note("members and quorum", &error);
                }
            }
            None => {
                let read = |data: &_| cluster_members::status_into(data, &mut facts);
                asking.ask_now("members and quorum", status::request(), read).await;
            }
        }
        // The state first: it is asked in any case, and the rest in what room is left.
        facts.ha = asking.ask_now(HIGH_AVAILABILITY, cluster_ha::status_request(), cluster_ha::status).await;
        if all || !self.is_without_ceph() {
            self.ceph(asking, &mut facts).await;
        }
        let request = cluster_jobs::tasks_request();
        facts.failed_tasks = asking.ask_now(FAILED_TASKS, request, cluster_jobs::failed_tasks).await;
        if all {
            members(asking, &mut facts).await;
            if let Some(ha) = &mut facts.ha {
                high_availability(asking, ha).await;
            }
            jobs(asking, &mut facts).await;
        }
        let unseen = std::mem::take(&mut asking.unseen);
        ClusterRead { facts: Read { facts, unseen }, requests: asking.requests }
    }

    async fn ceph(&self, asking: &mut Asking<'_>, facts: &mut ClusterFacts) {
        let request = cluster_jobs::ceph_request();
        let answer = match self.is_without_ceph() {
            true => asking.answer(CEPH, request, cluster_jobs::ceph).await,
            false => asking.answer_now(CEPH, request, cluster_jobs::ceph).await,
        };
        match answer {
            Ok(Some(ceph)) => {
                facts.ceph = Some(ceph);
                self.note_ceph(false);
            }
            Ok(None) => {}
            Err(error) if cluster_jobs::is_without_ceph(&error) => self.note_ceph(true),
            Err(error) => asking.note(CEPH, &error),
        }
    }
}

async fn members(asking: &mut Asking<'_>, facts: &mut ClusterFacts) {
    let read = |data: &_| cluster_members::votes_into(data, facts);
    asking.ask("votes and links", cluster_members::config_nodes_request(), read).await;
    let read = |data: &_| cluster_members::options_into(data, facts);
    asking.ask("options", cluster_members::options_request(), read).await;
    facts.zones = asking.ask("zones", cluster_members::zones_request(), cluster_members::zones).await;
    facts.vnets = asking.ask("networks of zones", cluster_members::vnets_request(), cluster_members::vnets).await;
    let mut zones = facts.zones.take().unwrap_or_default();
    let read = |data: &_| cluster_members::zone_states_into(data, &mut zones);
    let seen = asking.ask("how zones are", cluster_members::zone_states_request(), read).await;
    facts.zones = (seen.is_some() || !zones.is_empty()).then_some(zones);
}

async fn high_availability(asking: &mut Asking<'_>, ha: &mut HaFacts) {
    let read = |data: &_| cluster_ha::manager_into(data, ha);
    asking.ask("the manager of high availability", cluster_ha::manager_request(), read).await;
    if !ha.resources.is_empty() {
        let read = |data: &_| cluster_ha::resources_into(data, ha);
        asking.ask("the resources of high availability", cluster_ha::resources_request(), read).await;
    }
    let what = "the rules of high availability";
    ha.rules = match asking.answer(what, cluster_ha::rules_request(), cluster_ha::rules).await {
        // Before Proxmox VE 9 there were groups.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            asking.ask("the groups of high availability", cluster_ha::groups_request(), cluster_ha::groups).await
        }
        Err(error) => {
            asking.note(what, &error);
            None
        }
        Ok(rules) => rules,
    };
}

/// Who is in the pools that backup jobs name.
async fn pools(asking: &mut Asking<'_>, jobs: &mut [BackupJob]) {
    let on = jobs.iter().filter(|job| job.enabled);
    let names: BTreeSet<String> = on.filter_map(|job| job.selection.pool.clone()).collect();
    for (number, name) in names.iter().enumerate() {
        let what = format!("the guests of pool {name}");
        if number >= POOLS_ASKED {
            let why = format!("only {POOLS_ASKED} pools are asked");
            asking.unseen.push(crate::model::Unseen::new(what, why));
            continue;
        }
        let read = |data: &_| cluster_jobs::pool_members(data, name);
        // One that is gone tells nothing of the others.
        let members = match asking.answer(&what, cluster_jobs::pool_request(name), read).await {
            Ok(members) => members,
            Err(error) => {
                asking.unseen.push(crate::model::Unseen::new(what, crate::message(&error)));
                None
            }
        };
        for job in jobs.iter_mut().filter(|job| job.selection.pool.as_ref() == Some(name)) {
            job.selection.pool_members.clone_from(&members);
        }
    }
}

async fn jobs(asking: &mut Asking<'_>, facts: &mut ClusterFacts) {
    let request = cluster_jobs::backup_jobs_request();
    facts.backup_jobs = asking.ask("backup jobs", request, cluster_jobs::backup_jobs).await;
    pools(asking, facts.backup_jobs.as_deref_mut().unwrap_or_default()).await;
    let request = cluster_jobs::not_backed_up_request();
    facts.not_backed_up = asking.ask("guests without backups", request, cluster_jobs::not_backed_up).await;
    let request = cluster_jobs::replication_request();
    facts.replication = asking.ask("replication jobs", request, cluster_jobs::replication).await;
    let jobs = facts.replication.as_deref().unwrap_or_default();
    let sources: BTreeSet<String> = jobs.iter().filter_map(|job| job.source.clone()).collect();
    for source in sources {
        let what = format!("how replication from {source} goes");
        let request = cluster_jobs::replication_states_request(&source);
        // A node that is gone tells nothing of the others.
        let states = match asking.answer(&what, request, cluster_jobs::replication).await {
            Ok(states) => states.unwrap_or_default(),
            Err(error) => {
                asking.unseen.push(crate::model::Unseen::new(what, crate::message(&error)));
                continue;
            }
        };
        for state in states {
            let known = facts.replication.iter_mut().flatten().find(|job| job.id == state.id);
            known.into_iter().for_each(|known| *known = state.clone());
        }
    }
}
