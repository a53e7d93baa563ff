//! Whom an update is about: selectors become machines, each once, with what its place depends on.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Error, ErrorKind, Result,
    decide::update::{self, Candidate, Placed},
    fleet::{Fleet, GuestSelector, Redundancy, Selector},
    model::{
        Guest, GuestId, GuestKind, GuestStatus, HostKind, HostView, Machine, Scene, TargetKind, UpdateTarget,
        UpdateWish,
        update::{MOST_TARGETS, PassedOver},
    },
};

/// Machines in order, and those that were named and are not updated.
pub(super) struct Chosen {
    pub(super) targets: Vec<UpdateTarget>,
    pub(super) passed_over: Vec<PassedOver>,
}

/// Finds the machines that a wish names, and puts them in order.
pub(super) async fn choose(fleet: &Fleet, wish: &UpdateWish) -> Result<Chosen> {
    let found = Found {
        hosts: match &wish.hosts {
            Some(hosts) => fleet.select(&hosts.parse::<Selector>()?).await?,
            None => Vec::new(),
        },
        guests: match &wish.guests {
            Some(guests) => {
                let selector: GuestSelector = guests.parse()?;
                fleet.guests().await?.into_iter().filter(|guest| selector.covers(guest)).collect()
            }
            None => Vec::new(),
        },
        all_hosts: fleet.status().await?.hosts.into_iter().map(|host| (host.id.0.clone(), host)).collect(),
        all_guests: fleet.guests().await?.into_iter().map(|guest| (guest.id.clone(), guest)).collect(),
        sets: fleet.redundancies().await?,
        scene: fleet.surroundings().await?,
    };
    let (mut candidates, passed_over) = found.candidates();
    mark_canaries(&mut candidates, wish)?;
    if candidates.is_empty() && passed_over.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("update {}", wish.whom()))
            .because("these words mean no machine of the fleet")
            .next("see `reanimator host list` and `reanimator guest list`"));
    }
    if candidates.len() > MOST_TARGETS {
        return Err(Error::new(ErrorKind::Invalid, format!("update {}", wish.whom()))
            .because(format!("these are {} machines, and {MOST_TARGETS} are possible at once", candidates.len()))
            .next("choose fewer, and update the others by another run"));
    }
    let targets = update::order(candidates, wish).into_iter().enumerate().map(target).collect();
    Ok(Chosen { targets, passed_over })
}

fn target((number, placed): (usize, Placed)) -> UpdateTarget {
    let each = placed.candidate;
    UpdateTarget {
        wave: placed.wave,
        canary: placed.canary,
        why: placed.why,
        own: each.own.is_some(),
        guest: each.guest,
        node: each.node,
        in_maintenance: each.in_maintenance,
        apart: each.apart,
        ground: each.ground,
        ..UpdateTarget::new(u32::try_from(number).unwrap_or(u32::MAX), each.machine, each.name, each.kind)
    }
}

fn mark_canaries(candidates: &mut [Candidate], wish: &UpdateWish) -> Result<()> {
    for name in &wish.canaries {
        let is_it = |each: &Candidate| {
            each.name == *name || each.machine.to_string() == *name || each.machine.thing().id() == name
        };
        let mut any = false;
        for candidate in candidates.iter_mut().filter(|each| is_it(each)) {
            (candidate.canary, any) = (true, true);
        }
        if !any {
            return Err(Error::new(ErrorKind::NotFound, format!("take {name:?} as a canary"))
                .because("it is none of the machines that are updated")
                .next("name one of them, or none"));
        }
    }
    Ok(())
}

/// What was found in the fleet.
struct Found {
    hosts: Vec<HostView>,
    guests: Vec<Guest>,
    all_hosts: BTreeMap<String, HostView>,
    all_guests: BTreeMap<GuestId, Guest>,
    sets: Vec<Redundancy>,
    scene: Scene,
}

impl Found {
    fn candidates(&self) -> (Vec<Candidate>, Vec<PassedOver>) {
        let (mut candidates, mut passed_over) = (Vec::new(), Vec::new());
        let mut known: BTreeSet<Machine> = BTreeSet::new();
        let mut known_guests: BTreeSet<GuestId> = BTreeSet::new();
        for host in &self.hosts {
            let candidate = self.host(host);
            known_guests.extend(candidate.guest.clone());
            if !known.insert(candidate.machine.clone()) {
                continue;
            }
            match host.kind {
                HostKind::Proxmox => passed_over.push(PassedOver {
                    machine: candidate.machine,
                    name: candidate.name,
                    why: "it is reached by its cluster's API only, which installs nothing: add its SSH access"
                        .to_owned(),
                }),
                HostKind::Linux | HostKind::Both => candidates.push(candidate),
            }
        }
        for guest in &self.guests {
            if !known_guests.insert(guest.id.clone()) {
                continue;
            }
            let candidate = self.guest(guest);
            match why_not(guest) {
                Some(why) => passed_over.push(PassedOver {
                    machine: candidate.machine,
                    name: candidate.name,
                    why: why.to_owned(),
                }),
                None => candidates.push(candidate),
            }
        }
        (candidates, passed_over)
    }

    fn host(&self, host: &HostView) -> Candidate {
        let known = self.scene.hosts.get(&host.id);
        let node = known.and_then(|known| known.node.as_ref());
        let guest = known.and_then(|known| known.guest.clone());
        let kind = if node.is_some() { TargetKind::Node } else { TargetKind::Host };
        let cluster = node.map(|node| node.cluster.clone()).or_else(|| guest.as_ref().and_then(GuestId::connection));
        let mut apart = self.sets_of(Some(host), guest.as_ref().and_then(|id| self.all_guests.get(id)));
        apart.extend(node.map(|node| format!("cluster:{}", node.cluster)));
        Candidate {
            machine: Machine::Host(host.id.clone()),
            name: host.name.clone(),
            kind,
            node: node.map(|_| host.id.clone()),
            in_maintenance: known.is_some_and(|known| known.maintenance),
            own: self.own_host(host),
            cluster: cluster.as_ref().map(|id| self.cluster_name(id)),
            ground: cluster.iter().map(|id| format!("cluster:{id}")).collect(),
            apart,
            guest,
            canary: false,
        }
    }

    /// A guest; one that is a host with a shell too is reached as that.
    fn guest(&self, guest: &Guest) -> Candidate {
        let linked = guest.linked_host.as_ref().and_then(|id| self.all_hosts.get(id.as_str()));
        if let Some(host) = linked.filter(|host| host.kind != HostKind::Proxmox) {
            return Candidate { guest: Some(guest.id.clone()), ..self.host(host) };
        }
        let own = self.scene.guests.get(&guest.id).is_some_and(|known| known.own);
        Candidate {
            machine: Machine::Guest(guest.id.clone()),
            name: guest.name.clone().unwrap_or_else(|| guest.vmid.clone()),
            kind: match guest.kind {
                GuestKind::Lxc => TargetKind::Container,
                GuestKind::Qemu => TargetKind::Vm,
            },
            guest: Some(guest.id.clone()),
            node: None,
            in_maintenance: false,
            cluster: Some(self.cluster_name(&guest.connection)),
            apart: self.sets_of(linked, Some(guest)),
            ground: [format!("cluster:{}", guest.connection)].into(),
            own: own.then(|| "Reanimator itself runs in it".to_owned()),
            canary: false,
        }
    }

    fn sets_of(&self, host: Option<&HostView>, guest: Option<&Guest>) -> BTreeSet<String> {
        let has = |set: &&Redundancy| {
            host.is_some_and(|host| set.has_host(host)) || guest.is_some_and(|guest| set.has_guest(guest))
        };
        self.sets.iter().filter(has).map(|set| format!("set:{}", set.name)).collect()
    }

    /// What a host has to do with Reanimator itself, also as the node of the guest that it runs in.
    fn own_host(&self, host: &HostView) -> Option<String> {
        if self.scene.hosts.get(&host.id)?.own {
            return Some("Reanimator itself runs on it".to_owned());
        }
        let own_guests = self.scene.hosts.values().filter(|known| known.own).filter_map(|known| known.guest.as_ref());
        let own_guests: BTreeSet<&GuestId> = own_guests.collect();
        let carried = self
            .scene
            .guests
            .iter()
            .find(|(id, guest)| guest.host == host.id && (guest.own || own_guests.contains(id)))?;
        Some(format!("Reanimator itself runs in {}, which is on it", carried.1.name))
    }

    fn cluster_name(&self, id: &crate::model::ConnectionId) -> String {
        self.scene.clusters.get(id).map_or_else(|| id.to_string(), |cluster| cluster.name.clone())
    }
}

fn why_not(guest: &Guest) -> Option<&'static str> {
    match guest.status {
        _ if guest.template => Some("it is a template"),
        GuestStatus::Running => None,
        _ => Some("it does not run"),
    }
}
