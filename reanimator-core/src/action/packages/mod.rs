//! Packages of a machine: looked at, and upgraded.
//!
//! [`survey`] looks, and changes nothing. An upgrade is a job on the machine itself, wherever that is: on a host under its
//! shell, in a container through its node, in a VM through its guest agent. So it survives our death, and is found again by
//! its name. It is refused where another manager is at work, where something is broken, and where there is too little room.

mod effect;
mod reach;
mod refresh;

use crate::{
    Error, ErrorKind, Result,
    collect::linux::packages,
    fleet::Fleet,
    model::{Machine, PackageSurvey},
    transport::{Command, Output},
};

pub(super) use effect::effect;
use reach::Reached;

/// How long a look may take: a slow machine simulates an upgrade of many packages.
const LOOK_LIMIT: std::time::Duration = std::time::Duration::from_secs(300);

/// How much a look may say.
const LOOK_BYTES: usize = 4 << 20;

/// What a machine's package manager says: what is pending, what is held or broken, who is at work, what room there is. From
/// the lists that the machine has; nothing is fetched, and nothing is changed.
///
/// ```no_run
/// # async fn example(fleet: reanimator_core::Fleet) -> Result<(), reanimator_core::Error> {
/// let survey = reanimator_core::action::packages::survey(&fleet, &"host:h1".parse()?).await?;
/// println!("{} pending, {:?} for security", survey.pending_count, survey.security_count);
/// # Ok(()) }
/// ```
///
/// # Errors
/// `NotFound` for a machine that is not in the fleet, `Conflict` for a guest that does not run, `Invalid` where there is no
/// shell to it or no package manager that we know of, and what the way there says.
pub async fn survey(fleet: &Fleet, machine: &Machine) -> Result<PackageSurvey> {
    look(fleet, &reach::reach(fleet, machine).await?).await
}

/// Runs a command as root inside a machine, by the way that its packages are reached: its own shell, its node's, or its guest
/// agent. For looks at how it is.
///
/// # Errors
/// As [`survey`], and those of the way there; a command that fails is none.
pub async fn inside(fleet: &Fleet, machine: &Machine, command: Command) -> Result<Output> {
    let reached = reach::reach(fleet, machine).await?;
    let command = command.become_root(reached.machine.root());
    reached.machine.transport().run(command).await.map_err(|error| error.renamed(reached.name.clone()))
}

async fn look(fleet: &Fleet, reached: &Reached) -> Result<PackageSurvey> {
    let text = reached.ask(packages::survey_script(), "look at the packages").await?;
    packages::survey(&text, fleet.now()).map_err(|error| error.on(reached.name.clone()))
}

impl Reached {
    /// Runs a text there as root, and gives what it said.
    async fn ask(&self, text: String, attempt: &str) -> Result<String> {
        let root = self.machine.root();
        let command = Command::shell(text).become_root(root).time_limit(LOOK_LIMIT).output_limit(LOOK_BYTES);
        let output = self.machine.transport().run(command).await.map_err(|error| error.renamed(self.name.clone()))?;
        let said = output.stdout.text();
        if said.trim().is_empty() && !output.success() {
            let complaint = output.stderr.text();
            let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            return Err(Error::new(ErrorKind::Denied, attempt).on(self.name.clone()).because(last.trim().to_owned()));
        }
        Ok(said)
    }
}
