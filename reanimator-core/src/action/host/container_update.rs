//! Updates of containers of Docker.
//!
//! What the container is and what its registry has is looked at with the engine's API; then a job makes it once more beside
//! itself, and puts that in its place ([`update`]). Where the new one fails, or the job with its host, the old one is put
//! back: by the job, else by whoever confirms.

use std::time::Duration;

use serde_json::Value;

use super::{
    super::Check,
    container::{ContainerEffect, noted},
};
use crate::{
    ErrorKind, Result,
    collect::linux::{
        engine::{
            Now, Wanted,
            recreate::recreation,
            update::{self, Before},
        },
        job::JobSpec,
    },
    model::facts::containers::EngineKind,
    transport::Command,
};

/// How long it may take to put a container back, the start of its engine included.
const BACK_WITHIN: Duration = Duration::from_secs(180);

/// How often a host that does not answer is asked to put a container back, and how long it is waited in between.
const BACK_TRIES: u32 = 30;
const BACK_EVERY: Duration = Duration::from_secs(10);

impl ContainerEffect {
    async fn again(&self, now: &Now) -> Result<Before> {
        let words = update::words(now, self.image.as_deref());
        Ok(update::read(&self.at.text(&words, &self.words).await?, now))
    }

    pub(super) async fn check_update(&self, now: &Now) -> Result<Check> {
        let refuse = |why: String| Ok(Check::Refused(vec![format!("container {} cannot be updated: {why}", now.name)]));
        let before = self.again(now).await?;
        if let Some(lacks) = before.lacks {
            return refuse(format!("{} lacks {lacks}", self.at.host_name));
        }
        if self.image.is_some() && before.wanted.is_none() {
            return refuse("the image is not there any more".into());
        }
        if before.wanted.as_ref() == Some(&now.image_id) {
            return Ok(Check::Already("it has that image already".into()));
        }
        if self.image.is_none() && before.is_newest() {
            return Ok(Check::Already("its image is the newest already".into()));
        }
        if !before.held_by.is_empty() {
            return refuse(format!("{} would lose what it shares with it", before.held_by.join(", ")));
        }
        let again = match recreation(&before.container, &before.image) {
            Ok(again) => again,
            Err(why) => return refuse(why.join("; ")),
        };
        let place = update::place(now, &before.container, &self.at.effect);
        let spec = update::job(&self.at.effect, &place, self.image.as_deref(), &again);
        let refusals = self.at.job_of(spec).refusals().await?;
        if !refusals.is_empty() {
            return Ok(Check::Refused(refusals));
        }
        let place: serde_json::Map<String, Value> =
            place.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let calls = update::calls(now, self.image.as_deref(), &again, &self.at.effect);
        Ok(Check::Ready { before: noted(now, place.into()), calls })
    }

    /// The job of an update, from what the container is at this very time: what makes it again holds secrets, and is noted
    /// nowhere.
    pub(super) async fn update_job(&self, before: &Value) -> Result<JobSpec> {
        let now =
            self.same(before).await?.ok_or_else(|| self.error(ErrorKind::Conflict).because("it has just gone"))?;
        let seen = self.again(&now).await?;
        let again = recreation(&seen.container, &seen.image)
            .map_err(|why| self.error(ErrorKind::Conflict).because(why.join("; ")))?;
        let place = update::place(&now, &seen.container, &self.at.effect);
        Ok(update::job(&self.at.effect, &place, self.image.as_deref(), &again))
    }

    /// Puts back what an update has left half-way.
    async fn put_back(&self, before: &Value) -> Result<String> {
        let place = before["place"].as_object().into_iter().flatten();
        let place: Vec<(String, String)> =
            place.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
        let mut tries = 0;
        let output = loop {
            match self.at.run(Command::argv(update::back(&place)).time_limit(BACK_WITHIN)).await {
                Err(error) if error.kind().is_retryable() && tries < BACK_TRIES => {
                    tries += 1;
                    tokio::time::sleep(BACK_EVERY).await;
                }
                other => break other?,
            }
        };
        let said = format!("{}{}", output.stdout.text(), output.stderr.text());
        Ok(said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned())
    }

    pub(super) async fn confirm_update(&self, before: &Value) -> Result<String> {
        let failure = self.at.failure().await?;
        let put_back = if failure.is_some() { self.put_back(before).await? } else { String::new() };
        self.at.job("").forget().await;
        let named = Wanted { name: before["place"]["NAME"].as_str().unwrap_or_default().into(), engine: None };
        let now = self.find_it(&Wanted { engine: Some(EngineKind::Docker), ..named }).await?;
        let is_old = now.as_ref().is_ok_and(|now| before["id"] == now.id.as_str());
        match (failure, now) {
            (None, Ok(_)) if is_old => Ok("its image is the newest; nothing was changed".into()),
            // Also where its end was not noted: the old one is gone, and that is the last that is done.
            (_, Ok(now)) if !is_old && before["image_id"] != now.image_id.as_str() => {
                Ok(format!("it is {} from image {}", now.status, short(&now.image_id)))
            }
            (failure, now) => {
                let mut because = failure.unwrap_or_else(|| "it ended well, and yet the container is not there".into());
                let last = self.at.last_words().unwrap_or(put_back);
                if !last.is_empty() {
                    because = format!("{because}: {last}");
                }
                let next = match now {
                    Ok(_) if is_old => "it is as it was before; see why the image fails, and update it then".to_owned(),
                    Ok(_) => "look at the container there".into(),
                    Err(why) => why,
                };
                Err(self.error(ErrorKind::Conflict).because(because).next(next))
            }
        }
    }
}

/// Why a container is not updated by its engine's API at all.
pub(super) fn judge_update(now: &Now) -> Option<Check> {
    let refuse = |why: String| Some(Check::Refused(vec![format!("container {} {why}", now.name)]));
    if let Some(project) = &now.project {
        return refuse(format!(
            "belongs to the Compose project {project}: update that, with `reanimator host compose update {project}`"
        ));
    }
    match now.engine {
        EngineKind::Podman => refuse("is one of Podman, which updates its own: see `podman auto-update`".into()),
        EngineKind::Docker if now.removes_itself => {
            refuse("goes away when it is stopped (--rm), and there would be no way back: start it anew by hand".into())
        }
        EngineKind::Docker => None,
    }
}

fn short(image: &str) -> &str {
    let digits = image.trim_start_matches("sha256:");
    digits.get(..12).unwrap_or(digits)
}
