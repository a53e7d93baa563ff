//! Prepared scripts: defined by an admin, run by others as operations.

use super::{Fleet, Selector};
use crate::{
    Error, ErrorKind, Result,
    model::{Action, HostId, Risk, Script, StoredScript},
};

/// As many scripts as a fleet may have.
const MOST: usize = 1_000;

impl Fleet {
    /// All prepared scripts, by their names.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn scripts(&self) -> Result<Vec<StoredScript>> {
        self.store().scripts().await
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn script(&self, name: &str) -> Result<StoredScript> {
        self.store().script(name).await?.ok_or_else(|| missing(name))
    }

    /// Defines a new one. What is wrong with it is told before anything is stored.
    ///
    /// # Errors
    /// `Invalid` for a definition that makes no sense, `Conflict` where there is one of its name, `Storage`.
    pub async fn create_script(&self, script: Script, who: &str) -> Result<StoredScript> {
        check(&script)?;
        let attempt = format!("define the script {:?}", script.name);
        if self.store().scripts().await?.len() >= MOST {
            return Err(Error::new(ErrorKind::Invalid, attempt).because(format!("there are {MOST} of them")));
        }
        let stored = StoredScript::new(script, who, self.now());
        if self.store().add_script(&stored).await? {
            return Ok(stored);
        }
        Err(Error::new(ErrorKind::Conflict, attempt)
            .because("there is one of that name")
            .next("change that one, or give another name"))
    }

    /// Puts a definition in the place of the one of its name. Operations that wait for the one before are refused when
    /// their turn comes; what runs goes on as it began.
    ///
    /// # Errors
    /// `Invalid` for a definition that makes no sense, `NotFound`, `Storage`.
    pub async fn change_script(&self, script: Script, who: &str) -> Result<StoredScript> {
        check(&script)?;
        let stored = StoredScript::new(script, who, self.now());
        match self.store().replace_script(&stored).await? {
            true => Ok(stored),
            false => Err(missing(&stored.script.name)),
        }
    }

    /// Defines one, whether there is one of its name or not.
    ///
    /// # Errors
    /// `Invalid` for a definition that makes no sense, `Storage`.
    pub async fn define_script(&self, script: Script, who: &str) -> Result<StoredScript> {
        match self.change_script(script.clone(), who).await {
            Err(error) if error.kind() == ErrorKind::NotFound => self.create_script(script, who).await,
            other => other,
        }
    }

    /// Removes one; what runs goes on.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_script(&self, name: &str) -> Result<()> {
        match self.store().delete_script(name).await? {
            true => Ok(()),
            false => Err(missing(name)),
        }
    }

    /// What an action may cost: of a script, what its definition says.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn risk_of(&self, action: &Action) -> Result<Risk> {
        let Action::Script { script, .. } = action else { return Ok(action.risk()) };
        Ok(self.store().script(script).await?.map_or(action.risk(), |stored| stored.script.risk))
    }

    /// Whether a script may run on a host.
    pub(crate) async fn is_for(&self, script: &Script, host: &HostId) -> Result<bool> {
        let selector: Selector = script.hosts.parse()?;
        Ok(self.select(&selector).await?.iter().any(|view| view.id == *host))
    }
}

fn check(script: &Script) -> Result<()> {
    script.check()?;
    script.hosts.parse::<Selector>().map(drop)
}

fn missing(name: &str) -> Error {
    let name: String = name.chars().take(60).collect();
    Error::new(ErrorKind::NotFound, format!("find the script {name:?}"))
        .because("there is none of that name")
        .next("see `reanimator script list`")
}
