//! Slow facts of one machine: those that are wanted, in one `exec`.

use std::time::Duration;

use jiff::Timestamp;

use super::LinuxMachine;
use crate::{
    Result,
    collect::linux::inventory::{
        self, Answers, Question, containers, disks, hardware, listeners, network, sensors, system, updates,
    },
    model::facts::{
        HostFacts, Read, Section,
        containers::{Containers, Counters},
        sensors::Sensors,
    },
    transport::{Become, Command},
};

/// How long all questions together may take: each has a limit of its own, and SMART of many disks, LVM and ZFS after
/// one another are the slow ones.
const TIME_LIMIT: Duration = Duration::from_secs(240);

/// How much they may answer. A host with hundreds of disks or containers says some hundred KiB.
const OUTPUT_LIMIT: usize = 8 << 20;

/// How old the slower half of a section that is asked every minute may get.
const SLOW_EVERY: Duration = Duration::from_secs(15 * 60);

/// How old what Podman says of itself may get: its version and where it keeps things. To tell it costs Podman a fifth of
/// a second of CPU time, more than all else that is asked in a quarter of an hour.
const PODMAN_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// What is kept from one time to the next.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// CPU time of containers, for their rates.
    counters: Counters,
    /// What a board's controller said.
    sensors: Option<(Timestamp, Read<Sensors>)>,
    /// What Podman said of itself.
    containers: Option<(Timestamp, Read<Containers>)>,
    /// When the journal was last asked for boots.
    system: Option<Timestamp>,
    /// When becoming root was last refused: tried each minute, it would lock the account.
    refused: Option<Timestamp>,
}

impl LinuxMachine {
    /// Asks for these sections; `last` is what is known of them. What a section could not see is in it; one that no
    /// shell tells is absent.
    ///
    /// # Errors
    /// When the machine does not answer at all.
    pub async fn facts(&self, sections: &[Section], last: &HostFacts, now: Timestamp) -> Result<HostFacts> {
        // One at a time: rates are made from one time to the next.
        let mut kept = self.kept.lock().await;
        let questions: Vec<Question> =
            sections.iter().flat_map(|section| kept.questions(*section, last, now)).collect();
        let answers = self.ask(&questions, &mut kept.refused, now).await?;
        let mut facts = HostFacts::default();
        for section in sections {
            match section {
                Section::Hardware => facts.hardware = Some(hardware::parse(&answers).at(now)),
                Section::Sensors => facts.sensors = Some(kept.sensors(&answers, now).at(now)),
                Section::Disks => facts.disks = Some(disks::parse(&answers).at(now)),
                Section::Network => facts.network = Some(network::parse(&answers).at(now)),
                Section::System => {
                    let mut read = system::parse(&answers);
                    if let Some(last) = &last.system {
                        system::carry_over(&answers, &mut read, last);
                    }
                    if older_than(SLOW_EVERY, kept.system, now) {
                        kept.system = Some(now);
                    }
                    facts.system = Some(read.at(now));
                }
                Section::Updates => {
                    let mut read = updates::parse(&answers);
                    updates::carry_over(&answers, &mut read, last.updates.as_ref(), now);
                    facts.updates = Some(read.at(now));
                }
                Section::Containers => facts.containers = Some(kept.containers(&answers, now).at(now)),
                Section::Listeners => facts.listeners = Some(listeners::parse(&answers).at(now)),
                Section::Proxmox => {}
            }
        }
        let containers = facts.containers.as_ref().or(last.containers.as_ref());
        if let (Some(listeners), Some(containers)) = (facts.listeners.as_mut(), containers) {
            listeners.facts = std::mem::take(&mut listeners.facts).with_containers(&containers.facts);
        }
        Ok(facts)
    }

    async fn ask(&self, questions: &[Question], refused: &mut Option<Timestamp>, now: Timestamp) -> Result<Answers> {
        let command = Command::shell(inventory::script(questions)).time_limit(TIME_LIMIT).output_limit(OUTPUT_LIMIT);
        let become_root = match older_than(SLOW_EVERY, *refused, now) {
            true => self.become_root.clone(),
            false => Become::No,
        };
        let output = self.transport.run(command.clone().become_root(become_root.clone())).await;
        let output = match (output, &become_root) {
            // An account that may not become root still sees much.
            (Err(error), Become::Sudo | Become::SudoPassword(_)) if !error.kind().is_retryable() => {
                tracing::warn!(host = %self.transport.label(), error = %crate::message(&error), "facts without root");
                *refused = Some(now);
                self.transport.run(command).await?
            }
            (output, _) => output?,
        };
        Ok(inventory::ask::answers(&output.stdout.text()))
    }
}

impl Kept {
    /// Podman is asked again soon only where it did not tell.
    fn podman_is_due(&self, now: Timestamp) -> bool {
        self.containers.as_ref().is_none_or(|(at, read)| {
            let every = if read.unseen.is_empty() { PODMAN_EVERY } else { SLOW_EVERY };
            older_than(every, Some(*at), now)
        })
    }

    fn questions(&self, section: Section, last: &HostFacts, now: Timestamp) -> Vec<Question> {
        let with_slow = |quick: Vec<Question>, due: bool, slow: fn() -> Vec<Question>| match due {
            true => quick.into_iter().chain(slow()).collect(),
            false => quick,
        };
        match section {
            Section::Hardware => hardware::questions(),
            Section::Sensors => {
                let at = self.sensors.as_ref().map(|(at, _)| *at);
                with_slow(sensors::questions(), older_than(SLOW_EVERY, at, now), sensors::slow_questions)
            }
            Section::Disks => disks::questions(),
            Section::Network => network::questions(),
            Section::System if older_than(SLOW_EVERY, self.system, now) => {
                let last = last.system.as_ref().map(|last| &last.facts);
                system::questions().into_iter().chain(system::slow_questions(last)).collect()
            }
            Section::System => system::questions(),
            Section::Updates => updates::questions_after(last.updates.as_ref().map(|last| &last.facts), now),
            Section::Containers => {
                with_slow(containers::questions(), self.podman_is_due(now), containers::slow_questions)
            }
            Section::Listeners => listeners::questions(),
            Section::Proxmox => Vec::new(),
        }
    }

    fn sensors(&mut self, answers: &Answers, now: Timestamp) -> Read<Sensors> {
        let read = sensors::parse(answers);
        if older_than(SLOW_EVERY, self.sensors.as_ref().map(|(at, _)| *at), now) {
            self.sensors = Some((now, sensors::parse_slow(answers)));
        }
        joined(read, self.sensors.as_ref().map(|(_, slow)| slow), Sensors::with_slow)
    }

    fn containers(&mut self, answers: &Answers, now: Timestamp) -> Read<Containers> {
        let mut read = containers::parse(answers);
        if self.podman_is_due(now) {
            self.containers = Some((now, containers::parse_slow(answers)));
        }
        let before = std::mem::replace(&mut self.counters, read.facts.counters.clone());
        read.facts = read.facts.with_rates(&before);
        joined(read, self.containers.as_ref().map(|(_, slow)| slow), Containers::with_slow)
    }
}

fn older_than(every: Duration, at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_none_or(|at| now.duration_since(at).unsigned_abs() >= every)
}

/// The quick half of some facts with the slow one.
fn joined<T>(mut read: Read<T>, slow: Option<&Read<T>>, with_slow: fn(T, &T) -> T) -> Read<T> {
    let Some(slow) = slow else { return read };
    read.facts = with_slow(read.facts, &slow.facts);
    read.unseen.extend(slow.unseen.iter().cloned());
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unseen;

    #[test]
    fn podman_is_asked_again_after_hours_or_soon_where_it_did_not_tell() {
        let asked = Timestamp::UNIX_EPOCH;
        let mut kept = Kept::default();
        assert!(kept.podman_is_due(asked));
        kept.containers = Some((asked, Read::default()));
        assert!(!kept.podman_is_due(asked + SLOW_EVERY) && kept.podman_is_due(asked + PODMAN_EVERY));
        let unseen = vec![Unseen::new("podman", "no answer in time")];
        kept.containers = Some((asked, Read { unseen, ..Read::default() }));
        assert!(kept.podman_is_due(asked + SLOW_EVERY));
    }
}
