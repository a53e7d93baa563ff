//! Where a guest could go: every node of its cluster, with what speaks against it.

use serde::{Deserialize, Serialize};

use super::{Look, live};
use crate::{
    Error, ErrorKind, Result,
    decide::harm,
    fleet::Fleet,
    model::{
        Action, Bytes, GuestChange, GuestId, GuestKind, HostId, MigrationMode, Objection, Scene,
        scene::{SceneGuest, SceneHost},
    },
};

/// Where a guest could go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestTargets {
    /// Which guest.
    pub guest: GuestId,
    /// Its name.
    pub name: String,
    /// Its disks that only its node has: they are copied along, or it does not move.
    pub local_disks: Vec<String>,
    /// The nodes of its cluster: those that fit first, the most memory left first.
    pub targets: Vec<GuestTarget>,
}

/// A node that a guest could go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestTarget {
    /// The node.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Whether it is where the guest is.
    pub current: bool,
    /// Whether nothing speaks against it.
    pub fits: bool,
    /// What does.
    pub objections: Vec<Objection>,
    /// Memory that would be free there; none where that is not known.
    pub memory_free_after_bytes: Option<Bytes>,
    /// How it would go there.
    pub mode: MigrationMode,
}

/// Where a guest could go, with its local disks copied along where it has some.
///
/// # Errors
/// `NotFound`; when its cluster cannot be asked.
pub async fn targets(fleet: &Fleet, guest: &GuestId) -> Result<GuestTargets> {
    let mut scene = fleet.surroundings().await?;
    let mut look = Look::default();
    look.guest(&scene, guest);
    look.moving.insert(guest.clone());
    if let Some(known) = scene.guests.get(guest) {
        let nodes = scene.node(&known.host).map(|node| scene.nodes_of(&node.cluster));
        look.targets.extend(nodes.into_iter().flatten().map(|(id, _)| id.clone()));
    }
    live::look(fleet, &mut scene, &look).await?;
    of(&scene, guest).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("see where guest {guest} could go"))
            .because("its cluster does not know it")
            .next("see `reanimator guest list`")
    })
}

/// The same, out of a scene.
fn of(scene: &Scene, id: &GuestId) -> Option<GuestTargets> {
    let guest = scene.guests.get(id)?;
    let cluster = &scene.node(&guest.host)?.cluster;
    let local = guest.disks.iter().filter(|disk| !disk.shared && !disk.cdrom);
    let local_disks: Vec<String> = local.map(|disk| disk.name.clone()).collect();
    let target = |(host, known): (&HostId, &SceneHost)| target(scene, id, guest, host, known, !local_disks.is_empty());
    let mut targets: Vec<GuestTarget> = scene.nodes_of(cluster).map(target).collect();
    targets
        .sort_by_key(|target| (!target.fits, std::cmp::Reverse(target.memory_free_after_bytes), target.name.clone()));
    Some(GuestTargets { guest: id.clone(), name: guest.name.clone(), local_disks, targets })
}

fn target(
    scene: &Scene,
    id: &GuestId,
    guest: &SceneGuest,
    host: &HostId,
    known: &SceneHost,
    local_disks: bool,
) -> GuestTarget {
    let current = guest.host == *host;
    let change = GuestChange::Migrate { to: host.clone(), mode: MigrationMode::Auto, local_disks, storage: None };
    let objections = match current {
        true => Vec::new(),
        false => harm::objections(scene, &Action::Guest { id: id.clone(), change }),
    };
    let needs = if guest.may_run() && !current { guest.memory } else { Bytes(0) };
    let free = known.node.as_ref().and_then(|node| Some(node.memory_total?.0.saturating_sub(node.memory_used?.0)));
    GuestTarget {
        host: host.clone(),
        name: known.name.clone(),
        current,
        fits: objections.is_empty(),
        objections,
        memory_free_after_bytes: free.map(|free| Bytes(free.saturating_sub(needs.0))),
        mode: match (guest.may_run(), guest.kind) {
            (false, _) => MigrationMode::Offline,
            (true, GuestKind::Qemu) => MigrationMode::Live,
            (true, GuestKind::Lxc) => MigrationMode::Restart,
        },
    }
}
