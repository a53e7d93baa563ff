//! Containers of Docker and Podman.
//!
//! Whatever is done runs as a [job](super::job) of its own on the host: there is one of its name, so nothing is done twice, and
//! a container that takes its time to stop holds up nobody. What came of it is seen in the container itself: another time of
//! start, another image.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, EffectName, Said},
    container_update::judge_update,
    engine::Place,
};
use crate::{
    Error, ErrorKind, Result,
    collect::linux::{
        engine::{Now, Wanted},
        job::JobSpec,
    },
    fleet::Fleet,
    model::{Action, ContainerVerb, HostId, facts::containers::EngineKind},
};

/// How long a container that was started must stay up to count as started.
const STAYS_UP: Duration = Duration::from_secs(2);

/// Something done with one container.
pub(in crate::action) struct ContainerEffect {
    pub(super) at: Place,
    wanted: Wanted,
    verb: ContainerVerb,
    /// What it is to be updated to; none for the newest.
    pub(super) image: Option<String>,
    /// The same in words: `restart container web`.
    pub(super) words: String,
}

impl ContainerEffect {
    pub(in crate::action) async fn new(
        fleet: &Fleet,
        host: &HostId,
        container: &str,
        (verb, image): (ContainerVerb, Option<&str>),
        name: &EffectName,
    ) -> Result<Self> {
        let words = format!("{verb} container {container}");
        let invalid = |cause: &str| Error::new(ErrorKind::Invalid, words.clone()).because(cause.to_owned());
        let wanted = Wanted::parse(container).ok_or_else(|| {
            invalid("names of containers hold letters, digits, and _ . -")
                .next("see `reanimator host show` for its containers")
        })?;
        if image.is_some() && verb != ContainerVerb::Update {
            return Err(invalid("an image can be named for an update only"));
        }
        if image.is_some_and(|image| !is_image_id(image)) {
            return Err(invalid("an image is named by its id: sha256:...").next("see `docker images --no-trunc` there"));
        }
        let image = image.map(str::to_owned);
        Ok(Self { at: Place::new(fleet, host, name).await?, wanted, verb, image, words })
    }

    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        self.at.error(kind, &self.words)
    }

    /// The container that is meant, or why there is none.
    pub(super) async fn find_it(&self, wanted: &Wanted) -> Result<Result<Now, String>> {
        let text = self.at.text(&wanted.words(), &self.words).await?;
        let mut look = wanted.read(&text);
        let (name, host) = (&wanted.name, &self.at.host_name);
        match look.found.len() {
            1 => return Ok(Ok(look.found.swap_remove(0))),
            0 => {}
            _ => {
                return Ok(Err(format!(
                    "both Docker and Podman have a container {name} on {host}: say docker:{name} or podman:{name}"
                )));
            }
        }
        if let Some((engine, complaint)) = look.complaints.first() {
            return Err(self.error(ErrorKind::Denied).because(format!("{} says: {complaint}", engine.as_str())));
        }
        if look.engines.is_empty() {
            let engine = wanted.engine.map_or("neither Docker nor Podman", |engine| match engine {
                EngineKind::Docker => "no Docker",
                EngineKind::Podman => "no Podman",
            });
            return Ok(Err(format!("{host} has {engine}")));
        }
        Ok(Err(format!("container {name} is not on {host}{}", self.left_over(&look.engines).await?)))
    }

    /// What is to be said of the remains of an update that broke off and that nobody put back.
    async fn left_over(&self, engines: &[EngineKind]) -> Result<String> {
        if !engines.contains(&EngineKind::Docker) {
            return Ok(String::new());
        }
        let filter = format!("name={}-before-reanimator-", self.wanted.name);
        let words = ["docker", "ps", "--all", "--filter", &filter, "--format", "{{.Names}}"];
        let text = self.at.text(&words, &self.words).await?;
        let left = text.lines().find(|name| name.starts_with(&format!("{}-before-reanimator-", self.wanted.name)));
        Ok(left.map_or_else(String::new, |left| {
            format!(": an update of it was broken off, and what it was before is called {left}; rename that there")
        }))
    }

    /// The very container that was seen before; none where it is gone.
    pub(super) async fn same(&self, before: &Value) -> Result<Option<Now>> {
        let engine = if before["engine"] == "podman" { EngineKind::Podman } else { EngineKind::Docker };
        let name = before["id"].as_str().unwrap_or_default().to_owned();
        Ok(self.find_it(&Wanted { name, engine: Some(engine) }).await?.ok())
    }

    /// Sees that a container that was started stays up.
    async fn stays_up(&self, before: &Value) -> Result<String> {
        let mut looks = 0;
        loop {
            let Some(now) = self.same(before).await? else {
                return Err(self.error(ErrorKind::Conflict).because("it is gone afterwards"));
            };
            let is_new = before["started_at"] != now.started_at.as_str();
            if !is_new || (!now.is_up() && now.exit_code != 0) || now.status == "restarting" {
                let log = self.at.log_of(&now).await;
                return Err(self
                    .error(ErrorKind::Conflict)
                    .because(format!("it is {} with status {} afterwards; {log}", now.status, now.exit_code))
                    .next(format!("see `{} logs {}` there", now.engine.as_str(), now.name)));
            }
            if !now.is_up() {
                return Ok("it ran, and ended well".into());
            }
            if looks > 0 {
                let health = now.health.map(|health| format!(", {health}")).unwrap_or_default();
                return Ok(format!("it is running{health}"));
            }
            looks += 1;
            tokio::time::sleep(STAYS_UP).await;
        }
    }
}

/// Whether it is what is wanted already, or why it must not be done.
fn judge(verb: ContainerVerb, now: &Now) -> Option<Check> {
    let refuse = |why: String| Some(Check::Refused(vec![format!("container {} {why}", now.name)]));
    if let Some(keeper) = &now.keeper {
        return refuse(format!("is run by {keeper}: control that instead"));
    }
    match (verb, now.status.as_str()) {
        (_, "paused") => refuse(format!("is paused: `{} unpause {}` first", now.engine.as_str(), now.name)),
        (_, "dead" | "removing") => refuse(format!("is being removed: its engine calls it {}", now.status)),
        (ContainerVerb::Start, "running") => Some(Check::Already("it is running already".into())),
        (ContainerVerb::Start, "restarting") => {
            refuse(format!("is started again and again, and ends each time with status {}", now.exit_code))
        }
        (ContainerVerb::Stop, _) if !now.is_up() => Some(Check::Already("it is stopped already".into())),
        (ContainerVerb::Update, _) => judge_update(now),
        (ContainerVerb::Start | ContainerVerb::Stop | ContainerVerb::Restart, _) => None,
    }
}

/// What is noted of a container before something is done.
pub(super) fn noted(now: &Now, place: Value) -> Value {
    json!({
        "engine": now.engine.as_str(), "id": now.id, "status": now.status, "started_at": now.started_at,
        "image_id": now.image_id, "place": place,
    })
}

fn is_image_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    (12..=64).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit())
}

#[async_trait]
impl Effect for ContainerEffect {
    async fn check(&self) -> Result<Check> {
        let now = match self.find_it(&self.wanted).await? {
            Ok(now) => now,
            Err(why) => return Ok(Check::Refused(vec![why])),
        };
        // What is kept from harm is known by its name.
        if now.name != self.wanted.name {
            return Ok(Check::Refused(vec![format!(
                "container {} is named by its name: {}",
                self.wanted.name, now.name
            )]));
        }
        if let Some(check) = judge(self.verb, &now) {
            return Ok(check);
        }
        if self.verb == ContainerVerb::Update {
            return self.check_update(&now).await;
        }
        let call = format!("{} {} {}", now.engine.as_str(), self.verb, now.name);
        Ok(Check::Ready { before: noted(&now, Value::Null), calls: vec![call] })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let spec = if self.verb == ContainerVerb::Update {
            self.update_job(before).await?
        } else {
            let text = |name: &str| before[name].as_str().unwrap_or_default();
            JobSpec::new(self.at.effect.clone(), "exec \"$ENGINE\" \"$VERB\" \"$CONTAINER\"")
                .variable("ENGINE", text("engine"))
                .variable("VERB", self.verb.as_str())
                .variable("CONTAINER", text("id"))
        };
        self.at.job_of(spec).begin().await
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        self.at.job("").find().await
    }

    async fn follow(&self, _handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        self.at.follow(said).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        if self.verb == ContainerVerb::Update {
            return self.confirm_update(before).await;
        }
        let failure = self.at.failure().await?;
        self.at.job("").forget().await;
        if let Some(failure) = failure {
            let because = self.at.last_words().map_or(failure.clone(), |last| format!("{failure}: {last}"));
            return Err(self.error(ErrorKind::Conflict).because(because));
        }
        if self.verb != ContainerVerb::Stop {
            return self.stays_up(before).await;
        }
        match self.same(before).await? {
            None => Ok("it is stopped, and gone".into()),
            Some(now) if !now.is_up() => Ok("it is stopped".into()),
            Some(now) => Err(self.error(ErrorKind::Conflict).because(format!("it is {} afterwards", now.status))),
        }
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let was_up = matches!(before["status"].as_str(), Some("running" | "restarting"));
        let (verb, image) = match self.verb {
            ContainerVerb::Start => (ContainerVerb::Stop, None),
            ContainerVerb::Stop if was_up => (ContainerVerb::Start, None),
            ContainerVerb::Update => (ContainerVerb::Update, Some(before["image_id"].as_str()?.to_owned())),
            ContainerVerb::Stop | ContainerVerb::Restart => return None,
        };
        let engine = before["engine"].as_str()?;
        let name = format!("{engine}:{}", self.wanted.name);
        Some(Action::Container { host: self.at.host.clone(), name, verb, image })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn refused(verb: ContainerVerb, now: Now) -> String {
        match judge(verb, &now) {
            Some(Check::Refused(why)) => why.join("; "),
            Some(Check::Already(why)) => format!("already: {why}"),
            Some(Check::Ready { .. }) | None => String::new(),
        }
    }

    #[test]
    fn what_its_engine_or_its_keeper_would_not_bear_is_refused() {
        use ContainerVerb::{Restart, Start, Stop, Update};
        let now = |status: &str| Now { name: "web".into(), status: status.into(), ..Now::default() };
        assert_eq!(refused(Start, now("exited")), "");
        assert_eq!(refused(Restart, now("exited")), "");
        assert!(refused(Start, now("running")).starts_with("already"));
        assert!(refused(Stop, now("created")).starts_with("already"));
        assert!(refused(Start, now("restarting")).contains("again and again"));
        assert_eq!(refused(Stop, now("restarting")), "");
        for verb in [Start, Stop, Restart, Update] {
            assert!(refused(verb, now("paused")).contains("`docker unpause web` first"), "{verb}");
            let kept = Now { keeper: Some("the systemd unit web.service".into()), ..now("running") };
            assert!(refused(verb, kept).contains("is run by the systemd unit web.service"), "{verb}");
        }
        let of_shop = |status| Now { project: Some("shop".into()), ..now(status) };
        assert!(refused(Update, of_shop("running")).contains("`reanimator host compose update shop`"));
        assert_eq!(refused(Stop, of_shop("running")), "", "one of a project may be controlled");
        let passing = Now { removes_itself: true, ..now("running") };
        assert!(refused(Update, passing).contains("--rm"));
        let podman = Now { engine: EngineKind::Podman, ..now("running") };
        assert!(refused(Update, podman).contains("podman auto-update"));
    }

    #[test]
    fn an_image_is_named_by_its_id() {
        assert!(is_image_id(&format!("sha256:{}", "a1".repeat(32))) && is_image_id("0123456789ab"));
        for text in ["", "nginx", "sha256:", "sha256:$(reboot)", "-0123456789ab"] {
            assert!(!is_image_id(text), "{text}");
        }
    }
}
