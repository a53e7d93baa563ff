//! One machine, one record: what [`matching`](super::matching) judges, carried out. A certain match is linked; an
//! uncertain one becomes a question, and stays one until a person has answered it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Fleet,
    matching::{self, Evidence, Judgement},
    world::Known,
};
use crate::{
    Error, ErrorKind, Result,
    model::{Connection, GuestId, Host, HostId, Identity, Link, Match, MatchId, NodeSnapshot, Reach, Verdict},
};

/// A mark that more records share than these is a copied one.
const MOST_TWINS: usize = 4;

/// A question about two records, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchView {
    /// Its id.
    pub id: MatchId,
    /// The host.
    pub a: MatchSide,
    /// The other record: a host or a guest.
    pub b: MatchSide,
    /// What speaks for one machine.
    pub evidence: Vec<String>,
    /// What speaks against it.
    pub against: Vec<String>,
}

/// One of the two records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchSide {
    /// `host:ID` or `guest:ID`.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Fleet {
    /// The questions that wait for an answer.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn matches(&self) -> Result<Vec<MatchView>> {
        let asked = self.store().matches().await?.into_iter().filter(|pair| pair.verdict == Verdict::Asked);
        let (hosts, guests) = (self.status().await?.hosts, self.guests().await?);
        let name = |key: &str| match key.split_once(':') {
            Some(("host", id)) => hosts.iter().find(|host| host.id.as_str() == id).map(|host| host.name.clone()),
            Some(("guest", id)) => guests.iter().find(|guest| guest.id.0 == id).map(|guest| {
                let name = guest.name.as_deref().unwrap_or("without a name");
                format!("guest {} ({name}) on {}", guest.vmid, guest.node)
            }),
            _ => None,
        };
        let side = |key: String| Some(MatchSide { name: name(&key)?, id: key });
        // A record that is gone leaves no question.
        let view = |pair: Match| {
            let (a, b) = (side(host_key(&pair.host))?, side(pair.other)?);
            Some(MatchView { id: pair.id, a, b, evidence: pair.evidence, against: pair.against })
        };
        Ok(asked.filter_map(view).collect())
    }

    /// Answers a question: one machine, or two.
    ///
    /// # Errors
    /// `NotFound` when there is no such question.
    pub async fn decide_match(&self, id: &str, same: bool) -> Result<()> {
        let pair = self.store().get_match(&MatchId::from(id)).await?;
        let Some(mut pair) = pair.filter(|pair| pair.verdict == Verdict::Asked) else {
            return Err(Error::new(ErrorKind::NotFound, format!("answer the question {id}"))
                .because("there is none of that id")
                .next("see `reanimator match list`"));
        };
        if same {
            self.join(&pair.host, &pair.other).await?;
        }
        pair.verdict = if same { Verdict::Same } else { Verdict::Different };
        self.store().put_match(&pair).await?;
        self.sync().await
    }

    /// The record of the machine that a new way leads to, where it is certain which; uncertain ones are asked about once
    /// the host is in.
    pub(super) async fn same_machine(&self, identity: &Identity, address: &str) -> Result<Option<Host>> {
        for (id, known) in self.store().identities().await? {
            if matching::hosts(identity, &known).judge() != Judgement::Same {
                continue;
            }
            let host = self.record(&id).await?;
            if host.links.iter().any(|link| matches!(link, Link::Ssh { .. } | Link::Local { .. })) {
                return Err(Error::new(ErrorKind::Conflict, format!("add {address}"))
                    .because(format!("this machine is in the fleet already as {}", host.name))
                    .next("rename that host with `reanimator host set`, or remove it first"));
            }
            return Ok(Some(host));
        }
        let node = self.read(|world| {
            world.hosts.values().find_map(|known| {
                let node = world.node_of(&known.host)?;
                let evidence = matching::node(identity, Some(address), &node.name, node.ip.as_deref());
                (evidence.judge() == Judgement::Same).then(|| known.host.clone())
            })
        });
        Ok(node)
    }

    /// Links a new node to the host that it certainly is; says whether there is one.
    pub(super) async fn join_node(&self, node: &NodeSnapshot, link: &Link) -> Result<bool> {
        let found: Vec<HostId> = self.read(|world| {
            let matches = |known: &&Known| {
                // Behind a jump host an address says nothing, and who is another cluster's node already stays that.
                let direct = matches!(&known.machine, Some((Connection { reach: Reach::Ssh(reach), .. }, _)) if reach.jumps.is_empty());
                let taken = known.host.links.iter().any(|link| {
                    let cluster = world.clusters.get(link.connection());
                    matches!(link, Link::ProxmoxNode { .. }) && cluster.is_some_and(|known| known.only_node.is_none())
                });
                let identity = known.shell.observation.as_ref().map(|observation| &observation.identity);
                let address = known.view.as_ref().and_then(|view| view.address.as_deref());
                direct && !taken && identity.is_some_and(|identity| {
                    let evidence = matching::node(identity, address, &node.name, node.ip.as_deref());
                    evidence.judge() == Judgement::Same
                })
            };
            world.hosts.values().filter(matches).map(|known| known.host.id.clone()).collect()
        });
        let [id] = &found[..] else { return Ok(false) };
        let link = link.clone();
        let edit = |host: &mut Host| {
            // The cluster's own connection takes the place of the node's shell as the way to the API.
            host.links.retain(|link| !matches!(link, Link::ProxmoxNode { .. }));
            host.links.push(link);
        };
        let host = self.store().edit_host(id, Box::new(edit)).await?;
        tracing::info!(host = %host.name, node = %node.name, "the host is this node of its cluster");
        Ok(true)
    }

    /// Looks through all hosts and guests for records of one machine.
    pub(crate) async fn match_machines(&self) -> Result<()> {
        let identities = self.store().identities().await?;
        let decided: BTreeMap<(HostId, String), Verdict> =
            self.store().matches().await?.into_iter().map(|pair| ((pair.host, pair.other), pair.verdict)).collect();
        for (host, other, evidence, certain) in self.candidates(&identities, &decided) {
            if decided.contains_key(&(host.clone(), other.clone())) {
                continue;
            }
            if certain {
                self.join(&host, &other).await?;
                self.sync().await?;
                tracing::info!(%host, %other, evidence = evidence.agrees.join(", "), "two records of one machine linked");
                continue;
            }
            let pair = Match {
                id: MatchId::generate(),
                host,
                other,
                evidence: evidence.agrees,
                against: evidence.disagrees,
                verdict: Verdict::Asked,
            };
            match self.store().put_match(&pair).await {
                // Another process has asked it meanwhile.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Pairs worth a word: host, other record, evidence, and whether it is certain.
    fn candidates(
        &self,
        identities: &BTreeMap<HostId, Identity>,
        decided: &BTreeMap<(HostId, String), Verdict>,
    ) -> Vec<(HostId, String, Evidence, bool)> {
        let mut found: Vec<(HostId, String, Evidence, bool)> = Vec::new();
        let mut looked_at: BTreeSet<(&HostId, &HostId)> = BTreeSet::new();
        let index = |keys: fn(&Identity) -> Vec<String>| {
            let mut index: BTreeMap<String, Vec<&HostId>> = BTreeMap::new();
            for (id, identity) in identities {
                keys(identity).into_iter().for_each(|key| index.entry(key).or_default().push(id));
            }
            index
        };
        // Only records that share something are compared: thousands of hosts are no millions of pairs.
        let by_mark = index(|identity| {
            let marks = identity.machine_id.iter().chain(&identity.smbios_uuid).chain(&identity.macs);
            marks.cloned().collect()
        });
        for sharing in by_mark.values() {
            let pairs = sharing.iter().enumerate().flat_map(|(at, a)| sharing[at + 1..].iter().map(move |b| (*a, *b)));
            // A mark that many share was copied with a disk image and says next to nothing: one question stands for all
            // of them, and whatever was answered once. Two of them that are one machine share another mark as well.
            let are_clones = sharing.len() > MOST_TWINS;
            if are_clones && is_asked(sharing, decided) {
                continue;
            }
            for (a, b) in pairs {
                if !looked_at.insert((a, b)) {
                    continue;
                }
                let evidence = matching::hosts(&identities[a], &identities[b]);
                let judged = evidence.judge();
                if judged != Judgement::Different {
                    // One mark alone may be copied with a disk image; two that agree are not.
                    let certain = judged == Judgement::Same && evidence.agrees.len() > 1;
                    found.push((a.clone(), host_key(b), evidence, certain));
                    if are_clones {
                        break;
                    }
                }
            }
        }
        self.read(|world| {
            let linked = |id: &HostId| {
                let links = world.hosts.get(id).map(|known| &known.host.links);
                links.is_none_or(|links| links.iter().any(|link| matches!(link, Link::Guest { .. })))
            };
            for (guest, marks) in world.clusters.values().flat_map(|known| &known.identities) {
                let keys = marks.macs.iter().chain(&marks.smbios_uuid);
                let mut hosts: Vec<&HostId> = keys.filter_map(|key| by_mark.get(key)).flatten().copied().collect();
                hosts.sort();
                hosts.dedup();
                let only_one = hosts.len() == 1;
                hosts.retain(|id| !linked(id));
                for host in &hosts {
                    let evidence = matching::guest(&identities[*host], marks);
                    let twins = world.clusters.values().flat_map(|known| &known.identities);
                    let twins = twins.filter(|(id, other)| {
                        *id != guest && matching::guest(&identities[*host], other).judge() != Judgement::Different
                    });
                    let alone = only_one && twins.count() == 0;
                    match evidence.judge() {
                        Judgement::Different => {}
                        judged => found.push((
                            (*host).clone(),
                            format!("guest:{guest}"),
                            evidence,
                            judged == Judgement::Same && alone,
                        )),
                    }
                }
            }
        });
        found.extend(self.nodes_by_name(identities));
        found
    }

    /// Hosts with a shell that call themselves as a cluster calls one of its nodes, which is another record.
    fn nodes_by_name(&self, identities: &BTreeMap<HostId, Identity>) -> Vec<(HostId, String, Evidence, bool)> {
        self.read(|world| {
            let shells =
                world.hosts.values().filter(|known| known.machine.is_some() && world.node_of(&known.host).is_none());
            let pairs = shells.flat_map(|known| {
                let identity = identities.get(&known.host.id);
                let address = known.view.as_ref().and_then(|view| view.address.as_deref());
                let nodes = world.hosts.values().filter(|other| other.machine.is_none());
                nodes.filter_map(move |other| {
                    let node = world.node_of(&other.host)?;
                    let evidence = matching::node(identity?, address, &node.name, node.ip.as_deref());
                    let asked = evidence.judge() != Judgement::Different;
                    asked.then(|| (other.host.id.clone(), host_key(&known.host.id), evidence, false))
                })
            });
            pairs.collect()
        })
    }

    /// Makes one machine of a host and another record.
    async fn join(&self, host: &HostId, other: &str) -> Result<()> {
        match other.split_once(':') {
            Some(("guest", guest)) => {
                let Some((connection, vmid)) = split_guest(guest) else { return Ok(()) };
                let link = Link::Guest { connection, vmid };
                self.store().edit_host(host, Box::new(|host| host.links.push(link))).await.map(drop)
            }
            Some(("host", id)) => {
                let gone = self.record(&HostId::from(id)).await?;
                let id = gone.id.clone();
                let edit = |kept: &mut Host| {
                    let new: Vec<Link> = gone.links.into_iter().filter(|link| !kept.links.contains(link)).collect();
                    kept.links.extend(new);
                    kept.groups.extend(gone.groups);
                    kept.tags.extend(gone.tags);
                };
                self.store().edit_host(host, Box::new(edit)).await?;
                self.store().remove_host(&id).await
            }
            _ => Ok(()),
        }
    }
}

/// Whether two of these were a question already.
fn is_asked(sharing: &[&HostId], decided: &BTreeMap<(HostId, String), Verdict>) -> bool {
    let ids: BTreeSet<&HostId> = sharing.iter().copied().collect();
    let keys: BTreeSet<String> = sharing.iter().map(|id| host_key(id)).collect();
    decided.keys().any(|(host, other)| ids.contains(host) && keys.contains(other))
}

fn host_key(id: &HostId) -> String {
    format!("host:{id}")
}

fn split_guest(id: &str) -> Option<(crate::model::ConnectionId, u32)> {
    let (connection, vmid) = GuestId(id.to_owned()).0.rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    Some((connection.into(), vmid.parse().ok()?))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::{FleetOptions, fleet::ImportFormat};

    /// A fleet of machines that were never reached here, but of which it is known who they are.
    async fn fleet(directory: &std::path::Path, identities: impl Iterator<Item = Identity>) -> Result<Fleet> {
        let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(directory) };
        let fleet = Fleet::open(options).await?;
        let identities: Vec<Identity> = identities.collect();
        let text: String = (0..identities.len()).map(|number| format!("web{number}\n")).collect();
        fleet.import(ImportFormat::AnsibleIni, &text, false).await?;
        for (host, identity) in fleet.status().await?.hosts.iter().zip(&identities) {
            fleet.store().put_identity(&host.id, identity).await?;
        }
        Ok(fleet)
    }

    #[tokio::test]
    async fn clones_of_one_image_are_one_question() -> Result<()> {
        let directory = tempfile::tempdir().expect("a directory");
        let clone = |number: usize| Identity {
            machine_id: Some("m1".to_owned()),
            smbios_uuid: Some(format!("u{number}")),
            // The last two are one machine by two ways.
            macs: vec![format!("a{}", number.min(198))],
            ..Identity::default()
        };
        let fleet = fleet(directory.path(), (0..200).map(clone)).await?;
        for _ in 0..3 {
            fleet.match_machines().await?;
        }
        let asked = fleet.matches().await?;
        let by_address = |question: &&MatchView| question.evidence.iter().any(|mark| mark.contains("hardware address"));
        assert_eq!((asked.len(), asked.iter().filter(by_address).count()), (2, 1), "{asked:?}");
        // The answer stands for all of them.
        for question in &asked {
            fleet.decide_match(question.id.as_str(), false).await?;
        }
        fleet.match_machines().await?;
        assert_eq!(fleet.matches().await?, []);
        Ok(())
    }

    #[tokio::test]
    async fn a_few_that_look_alike_are_asked_about_one_by_one() -> Result<()> {
        let directory = tempfile::tempdir().expect("a directory");
        let twin = |number: usize| Identity {
            machine_id: Some("m1".to_owned()),
            macs: vec![format!("a{number}")],
            ..Identity::default()
        };
        let fleet = fleet(directory.path(), (0..3).map(twin)).await?;
        fleet.match_machines().await?;
        assert_eq!(fleet.matches().await?.len(), 3);
        Ok(())
    }
}
