//! How plans of updates, updates and their reports are shown.

use reanimator_core::model::{
    TargetState, UpdatePlan, UpdateRun, UpdateTarget,
    update::{PassedOver, PlannedTarget},
};
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// `update plan`.
pub(crate) fn plan(plan: &UpdatePlan, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(plan)?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::number("WAVE"),
        Column::words("MACHINE"),
        Column::words("WHAT").keep(3),
        Column::number("PACKAGES"),
        Column::number("SECURITY").keep(2),
        Column::words("RESTART").keep(2),
        Column::words("AGAINST").keep(1),
        Column::words("WHY THERE"),
    ]);
    for (wave, target) in plan.waves.iter().flat_map(|wave| wave.targets.iter().map(move |target| (wave, target))) {
        let against = against(target);
        table.row([
            wave.number.to_string().into(),
            target.name.as_str().into(),
            target.kind.as_str().into(),
            target.wanted.to_string().into(),
            target.security.to_string().into(),
            if target.restart { "yes".into() } else { "no".into() },
            if against.is_empty() { Cell::from("nothing") } else { Cell::from(against).bad() },
            target.why.as_str().into(),
        ]);
    }
    context.screen.table(&table, "No machine is updated.")?;
    for target in plan.waves.iter().flat_map(|wave| &wave.targets) {
        for note in &target.notes {
            context.screen.line(&context.screen.text(&format!("{}: {note}", target.name)))?;
        }
    }
    passed_over(&plan.passed_over, context)?;
    let UpdatePlan { machines, packages, security, restarts, refused, .. } = plan;
    context.screen.line(&format!(
        "{packages} packages on {machines} machines, {security} of them for security; {restarts} would be started anew, \
         {refused} would be refused. Nothing was done."
    ))?;
    Ok(Done::Whole)
}

fn against(target: &PlannedTarget) -> String {
    let rules =
        target.objections.iter().map(|objection| format!("{} (rule {})", objection.why, objection.rule.as_str()));
    target.refused.iter().cloned().chain(rules).collect::<Vec<_>>().join("; ")
}

fn passed_over(passed_over: &[PassedOver], context: &Context) -> Result<(), Failure> {
    for each in passed_over {
        context.screen.line(&context.screen.text(&format!("Passed over: {}, {}", each.name, each.why)))?;
    }
    Ok(())
}

/// `update list`.
pub(crate) fn list(runs: &[UpdateRun], context: &Context) -> Result<Done, Failure> {
    let lines: Vec<_> = runs.iter().map(UpdateRun::line).collect();
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": lines }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("ID"),
        Column::words("AT").keep(2),
        Column::words("WHO").keep(1),
        Column::words("STATE"),
        Column::number("MACHINES"),
        Column::number("WELL").keep(3),
        Column::number("FAILED").keep(3),
        Column::number("PACKAGES").keep(2),
        Column::words("WHAT"),
    ]);
    for line in &lines {
        let state = line.state.as_str();
        table.row([
            line.id.as_str().into(),
            words::moment(line.requested_at).into(),
            line.requested_by.as_str().into(),
            if line.failed > 0 { Cell::from(state).bad() } else { Cell::from(state) },
            line.machines.to_string().into(),
            line.well.to_string().into(),
            line.failed.to_string().into(),
            line.packages.to_string().into(),
            line.title.as_str().into(),
        ]);
    }
    context.screen.table(&table, "No updates.")?;
    Ok(Done::Whole)
}

/// `update show`, and the end of `update run`: what was changed, package by package.
pub(crate) fn run(run: &UpdateRun, context: &Context) -> Result<(), Failure> {
    if context.screen.is_json() {
        return Ok(context.screen.document(run)?);
    }
    let line = |name: &str, text: &str| context.screen.line(&format!("{name:<10}{}", context.screen.text(text)));
    line("What", &run.title)?;
    line("Asked by", &format!("{} at {}", run.requested_by, words::moment(run.requested_at)))?;
    line("State", run.state.as_str())?;
    if let Some(note) = &run.note {
        line("Note", note)?;
    }
    let mut table = Table::new([
        Column::number("WAVE"),
        Column::words("MACHINE"),
        Column::words("STATE"),
        Column::number("TOOK").keep(2),
        Column::words("OUTCOME"),
    ]);
    for target in &run.targets {
        table.row([
            target.wave.to_string().into(),
            target.name.as_str().into(),
            state(target),
            Cell::known(took(target)),
            target.outcome().into(),
        ]);
    }
    context.screen.table(&table, "It has no machines.")?;
    for target in &run.targets {
        report(target, context)?;
    }
    passed_over(&run.passed_over, context)
}

fn state(target: &UpdateTarget) -> Cell {
    let cell = Cell::from(target.state.as_str());
    match target.state {
        TargetState::Updated | TargetState::Current => cell.good(),
        TargetState::Failed | TargetState::RolledBack => cell.bad(),
        TargetState::Skipped => cell.warn(),
        TargetState::Pending | TargetState::Running => cell,
    }
}

fn took(target: &UpdateTarget) -> Option<String> {
    let seconds = target.ended_at?.duration_since(target.started_at?).as_secs();
    Some(format!("{seconds} s"))
}

/// What came of one machine, where there is more to say than its row.
fn report(target: &UpdateTarget, context: &Context) -> Result<(), Failure> {
    let mut lines: Vec<String> = target.notes.clone();
    if let Some(report) = &target.report {
        if target.rolled_back && !report.changes.is_empty() {
            lines.push("installed, then taken back:".to_owned());
        }
        lines.extend(report.changes.iter().map(|change| change.to_string()));
        lines.extend(report.failures.iter().map(|failure| format!("it said: {failure}")));
    }
    // What lay on its disk and ran there when it was installed says nothing of one that went back.
    if let Some(report) = target.lasting() {
        lines.extend(report.kept_files.iter().map(|file| format!("kept as it was; the new one is {file}")));
        lines.extend(report.left.iter().map(|name| format!("{name} was not upgraded")));
        lines.extend(report.services.iter().map(|unit| format!("{unit} still uses old libraries")));
        if report.reboot_wanted && !target.restarted {
            lines.push("it wants to be started anew".to_owned());
        }
    }
    say(target, &lines, context)
}

fn say(target: &UpdateTarget, lines: &[String], context: &Context) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    context.screen.line(&context.screen.text(&format!("{}:", target.name)))?;
    for line in lines {
        context.screen.line(&format!("  {}", context.screen.text(line)))?;
    }
    Ok(())
}
