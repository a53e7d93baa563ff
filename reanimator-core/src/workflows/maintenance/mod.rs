//! Maintenance of a host: emptied, taken out of use, perhaps switched off; and back again, filled as it was.
//!
//! A wish becomes a plan, the plan an operation; each of its steps asks the rules again just before it is taken. The host
//! goes into maintenance first, so that nothing new comes while it is being emptied and high availability moves what it
//! looks after; then the other guests are moved beside each other; it is shut down last.
//!
//! ```no_run
//! # async fn example(fleet: reanimator_core::Fleet) -> Result<(), reanimator_core::Error> {
//! use reanimator_core::{model::MaintenanceWish, workflows::maintenance};
//! let wish: MaintenanceWish = serde_json::from_str(r#"{"do":"enter","shutdown":true}"#).unwrap();
//! let plan = maintenance::plan(&fleet, &"h1".into(), &wish).await?;
//! for each in &plan.moves {
//!     println!("{} to {}: {}", each.name, each.to_name, each.why);
//! }
//! # Ok(()) }
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Result,
    access::Principal,
    action::{guard, is_ha_told},
    decide::evacuation::{self, Evacuation, Terms},
    fleet::Fleet,
    model::{
        Action, GuestChange, GuestId, HostChange, HostId, HostView, MaintenancePlan, MaintenanceWish, Move,
        NewOperation, NewStep, Operation, OperationFilter, Role, Scene, Stay,
    },
    operation::{DryRun, DryStep, Operations},
};

/// How many operations are looked through for those that emptied a host: so many at once, so often.
const PAGE: u32 = 500;
const PAGES: u32 = 40;

/// How a wish about a host would be fulfilled. Nothing is done.
///
/// # Errors
/// `NotFound` for a host or target that there is not; `Conflict` where guests must stay and nobody said that it is gone on
/// with all the same; when its cluster cannot be asked.
pub async fn plan(fleet: &Fleet, host: &HostId, wish: &MaintenanceWish) -> Result<MaintenancePlan> {
    let view = fleet.host(host.as_str()).await?.host;
    let (plan, overrides) = match wish {
        MaintenanceWish::Enter { overrides, .. } => (enter(fleet, &view, wish).await?, overrides),
        MaintenanceWish::Leave { wake, bring_back, overrides } => {
            (leave(fleet, &view, *wake, *bring_back).await?, overrides)
        }
    };
    let operation = NewOperation { overrides: overrides.clone(), ..plan.operation };
    Ok(MaintenancePlan { operation, ..plan })
}

/// What a wish would come to: what goes where, and each step as the operation would take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MaintenanceDryRun {
    /// Guests that would be moved, in order.
    pub moves: Vec<Move>,
    /// Guests that would stay where they are.
    pub stays: Vec<Stay>,
    /// Step by step.
    #[serde(flatten)]
    pub dry_run: DryRun,
}

/// Says what a wish would come to, asked by `who`; does nothing.
///
/// # Errors
/// As [`plan`].
pub async fn dry_run(
    fleet: &Fleet,
    host: &HostId,
    wish: &MaintenanceWish,
    who: &Principal,
) -> Result<MaintenanceDryRun> {
    let MaintenancePlan { moves, stays, operation } = plan(fleet, host, wish).await?;
    let dry_run = Operations::new(fleet.clone()).dry_run(&operation, who).await?;
    Ok(MaintenanceDryRun { moves, stays, dry_run })
}

/// Plans a wish and stores it as an operation; nothing is done yet.
///
/// # Errors
/// As [`plan`], and as [`Operations::ask`]; `Conflict` where one of its steps would be refused and nobody said that it is
/// gone on with all the same.
pub async fn ask(
    fleet: &Fleet,
    host: &HostId,
    wish: &MaintenanceWish,
    who: &Principal,
    from: &str,
) -> Result<Operation> {
    // Who may not ask learns nothing of what is there.
    who.require(Role::Operator, "take hosts into maintenance")?;
    Operations::new(fleet.clone()).ask(whole_plan(fleet, host, wish).await?, who, from).await
}

/// What is asked for by a wish, where it can be fulfilled whole.
pub(crate) async fn whole_plan(fleet: &Fleet, host: &HostId, wish: &MaintenanceWish) -> Result<NewOperation> {
    let planned = plan(fleet, host, wish).await?;
    if matches!(wish, MaintenanceWish::Enter { leave_behind: false, .. }) {
        refuse_half_way(fleet, &planned).await?;
    }
    Ok(planned.operation)
}

async fn enter(fleet: &Fleet, host: &HostView, wish: &MaintenanceWish) -> Result<MaintenancePlan> {
    let MaintenanceWish::Enter { targets, stopped, local_disks, leave_behind, shutdown, .. } = wish else {
        return Err(Error::new(ErrorKind::Internal, "plan maintenance").because("it is another wish"));
    };
    let scene = guard::scene_around(fleet, &host.id).await?;
    check_targets(&scene, host, targets)?;
    let ha_moves = is_ha_told(fleet, &host.id).await?;
    let terms = Terms { targets: targets.clone(), stopped: *stopped, local_disks: *local_disks, ha_moves };
    let evacuation = evacuation::evacuate(&scene, &host.id, &terms);
    if !leave_behind {
        refuse_to_leave(host, &evacuation.stays)?;
    }
    let mut steps: Vec<NewStep> = vec![on(host, HostChange::EnterMaintenance).into()];
    for each in &evacuation.moves {
        let action = evacuation::migrate(&each.guest, &each.to, &terms);
        steps.push(NewStep { after: vec![0], ..action.into() });
    }
    if *shutdown {
        let after = (0..count(&steps)).collect();
        steps.push(NewStep { after, ..on(host, HostChange::Shutdown).into() });
    }
    let and_off = if *shutdown { " and shut it down" } else { "" };
    let title = format!("take {} into maintenance{and_off}", host.name);
    Ok(made(title, steps, evacuation))
}

async fn leave(fleet: &Fleet, host: &HostView, wake: bool, bring_back: bool) -> Result<MaintenancePlan> {
    let mut steps = Vec::new();
    if wake {
        steps.push(NewStep::from(on(host, HostChange::Wake { through: None })));
    }
    let after = (0..count(&steps)).collect();
    steps.push(NewStep { after, ..on(host, HostChange::LeaveMaintenance).into() });
    let mut evacuation = Evacuation::default();
    if bring_back {
        let guests = moved_away(fleet, &host.id).await?;
        let actions: Vec<Action> = guests.iter().map(|id| back(id, &host.id)).collect();
        let scene = guard::scene(fleet, &actions).await?;
        evacuation = evacuation::bring_back(&scene, &host.id, &guests);
        let last = count(&steps) - 1;
        for each in &evacuation.moves {
            steps.push(NewStep { after: vec![last], ..back(&each.guest, &host.id).into() });
        }
    }
    let filled = if bring_back { " and bring its guests back" } else { "" };
    let title = format!("take {} out of maintenance{filled}", host.name);
    Ok(made(title, steps, evacuation))
}

fn made(title: String, steps: Vec<NewStep>, evacuation: Evacuation) -> MaintenancePlan {
    let operation = NewOperation { title, steps, overrides: Vec::new() };
    MaintenancePlan { moves: evacuation.moves, stays: evacuation.stays, operation }
}

fn on(host: &HostView, change: HostChange) -> Action {
    Action::Host { id: host.id.clone(), change }
}

fn back(guest: &GuestId, host: &HostId) -> Action {
    evacuation::migrate(guest, host, &Terms { local_disks: true, ..Terms::default() })
}

fn count(steps: &[NewStep]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX)
}

/// Targets must be other nodes of the same cluster.
fn check_targets(scene: &Scene, host: &HostView, targets: &[HostId]) -> Result<()> {
    let attempt = || Error::new(ErrorKind::Invalid, format!("empty {}", host.name));
    let cluster = scene.node(&host.id).map(|node| &node.cluster);
    for target in targets {
        let name = scene.host_name(target);
        if *target == host.id {
            return Err(attempt().because("it is among its own targets").next("name other nodes of its cluster"));
        }
        if cluster.is_none() || scene.node(target).map(|node| &node.cluster) != cluster {
            let cause = format!("{name} is no node of its cluster");
            return Err(attempt().because(cause).next("name nodes of its cluster, see `reanimator host list`"));
        }
    }
    Ok(())
}

/// Guests that run and can go nowhere are no small matter.
fn refuse_to_leave(host: &HostView, stays: &[Stay]) -> Result<()> {
    let told = |stay: &Stay| {
        let reasons: Vec<String> = stay
            .refused
            .iter()
            .filter_map(|target| Some(format!("{}: {}", target.name, target.objections.first()?.why)))
            .collect();
        let reasons = if reasons.is_empty() { stay.why.clone() } else { reasons.join(", ") };
        format!("{} ({reasons})", stay.name)
    };
    let left: Vec<String> = stays.iter().filter(|stay| !stay.is_well).map(told).collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, format!("empty {}", host.name))
        .because(format!("these guests can go nowhere: {}", left.join("; ")))
        .next("make room, stop them, have local disks copied along, or say that they are left behind"))
}

/// A host is not half emptied: what is known to be refused is told before anything begins.
async fn refuse_half_way(fleet: &Fleet, planned: &MaintenancePlan) -> Result<()> {
    let new = &planned.operation;
    // What high availability moves first is still there in a dry run; the step is judged when its turn comes.
    let ha_moves = planned.stays.iter().any(|stay| stay.is_well && stay.why == evacuation::HA_MOVES);
    let waits = |step: &&DryStep| ha_moves && matches!(step.action, Action::Host { change: HostChange::Shutdown, .. });
    let dry = Operations::new(fleet.clone()).dry_run(new, &Principal::local()).await?;
    let told = |step: &DryStep| {
        let rules = step.objections.iter().map(|objection| &objection.why);
        let reasons: Vec<&str> = step.refused.iter().chain(rules).map(String::as_str).collect();
        format!("{} ({})", step.words, reasons.join(", "))
    };
    let refused: Vec<String> =
        dry.steps.iter().filter(|step| step.is_refused(&new.overrides) && !waits(step)).map(told).collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, new.title.clone())
        .because(format!("these steps would be refused: {}", refused.join("; ")))
        .next("mend that, override the rules that can be, or say that guests may be left behind"))
}

/// The guests that were moved away since the host was last taken out of maintenance, whether at once or bit by bit.
async fn moved_away(fleet: &Fleet, host: &HostId) -> Result<Vec<GuestId>> {
    let operations = Operations::new(fleet.clone());
    let mut filter = OperationFilter { limit: PAGE, ..OperationFilter::default() };
    let mut guests = Vec::new();
    for _ in 0..PAGES {
        let page = operations.list(&filter).await?;
        for operation in &page {
            let done: Vec<&Action> = operation
                .steps
                .iter()
                .filter(|step| step.undoes.is_none() && step.state.is_well())
                .map(|step| &step.action)
                .collect();
            if done.iter().any(|action| is_of(action, host, &HostChange::LeaveMaintenance)) {
                return Ok(guests);
            }
            if done.iter().any(|action| is_of(action, host, &HostChange::EnterMaintenance)) {
                guests.extend(done.iter().filter_map(|action| match action {
                    Action::Guest { id, change: GuestChange::Migrate { .. } } => Some(id.clone()),
                    _ => None,
                }));
            }
        }
        let Some(last) = page.last().filter(|_| page.len() == PAGE as usize) else { break };
        filter.before = Some(last.id.clone());
    }
    Ok(guests)
}

fn is_of(action: &Action, host: &HostId, wanted: &HostChange) -> bool {
    matches!(action, Action::Host { id, change } if id == host && change == wanted)
}
