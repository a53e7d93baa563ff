//! Carrying out one action: what is there before, the effect itself, and what is there after.
//!
//! Each kind of [`Action`] is an [`Effect`], made by [`effect`]. The room keeps no journal and makes no plan: the engine of
//! [`operation`](crate::operation) calls `check`, writes down the intent, calls `begin`, writes down the handle, and so
//! on. An effect can be asked at any time whether it had begun ([`Effect::find`]): whoever was killed between the intent
//! and the handle asks the far side, and never repeats blindly.
//!
//! It refuses, with a reason, what the far side would refuse (a lock, a guest that is gone), before anything is done.

pub mod guard;
mod guest;
mod host;
mod limit;
pub mod packages;
mod storage;

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Error, ErrorKind, Result,
    fleet::Fleet,
    model::{Action, OperationId},
};

pub(crate) use host::is_ha_told;
pub(crate) use limit::usual_limit;

/// One action on its way to the world. Every call may be made twice.
#[async_trait]
pub trait Effect: Send + Sync {
    /// Looks at the world just before: is it needed, is it possible.
    ///
    /// # Errors
    /// When the world cannot be seen.
    async fn check(&self) -> Result<Check>;

    /// Begins it, and says by what it is found again.
    ///
    /// # Errors
    /// When it was refused, or when nobody knows whether it began: then [`find`](Self::find) tells.
    async fn begin(&self, before: &Value) -> Result<String>;

    /// Whether it had begun since `before` was seen, and by what it is found.
    ///
    /// # Errors
    /// When the far side cannot say: it must be asked again, and nothing may be begun meanwhile.
    async fn find(&self, before: &Value) -> Result<Option<String>>;

    /// Waits until it has ended, and passes on what it says.
    ///
    /// # Errors
    /// When it ended badly.
    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()>;

    /// What came of it for programs, where there is more to tell than words. Asked when it has ended, well or not, and
    /// before [`confirm`](Self::confirm). Defaults to nothing.
    async fn result(&self, _before: &Value) -> Option<Value> {
        None
    }

    /// Sees what is there now, and says so for people.
    ///
    /// # Errors
    /// When it is not what was wanted.
    async fn confirm(&self, before: &Value) -> Result<String>;

    /// What would take it back; none where nothing does.
    fn undo(&self, before: &Value) -> Option<Action>;

    /// Ends what has begun, before its time; whether it could be. Defaults to that it cannot.
    ///
    /// # Errors
    /// When it was tried, and failed.
    async fn abort(&self, _handle: &str) -> Result<bool> {
        Ok(false)
    }
}

/// What was seen just before an effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// It can begin.
    Ready {
        /// What is there now, for [`Effect::find`], [`Effect::confirm`] and [`Effect::undo`].
        before: Value,
        /// What would be sent: API calls, commands.
        calls: Vec<String>,
    },
    /// What is wanted is there already.
    Already(String),
    /// It must not begin, and why.
    Refused(Vec<String>),
}

/// Takes in what an effect says while it goes on.
#[async_trait]
pub trait Said {
    /// A line.
    async fn line(&self, text: &str);
}

/// The effect of an action. `name` is of one step of one operation: what it starts on a host is found again by it.
///
/// # Errors
/// `NotFound` when what it acts upon is not in the fleet.
pub async fn effect(fleet: &Fleet, action: &Action, name: &EffectName) -> Result<Box<dyn Effect>> {
    Ok(match action {
        Action::Guest { id, change } => guest::effect(fleet, id, change).await?,
        Action::Snapshot { guest, name, verb, memory, description } => {
            let wanted =
                guest::Wanted { name: name.clone(), verb: *verb, memory: *memory, description: description.clone() };
            Box::new(guest::SnapshotEffect::new(fleet, guest, action, wanted).await?)
        }
        Action::Unit { host, unit, verb } => Box::new(host::UnitEffect::new(fleet, host, unit, *verb, name).await?),
        Action::Host { id, change } => host::effect(fleet, id, change, name).await?,
        Action::Script { host, script, parameters, version } => {
            let asked = host::Asked { script, parameters, version: version.as_deref() };
            Box::new(host::ScriptEffect::new(fleet, host, asked, name).await?)
        }
        Action::Packages { machine, change } => packages::effect(fleet, machine, change, name).await?,
        Action::Storage { host, storage, content, name, change } => {
            storage::effect(fleet, host, storage, (*content, name), change).await?
        }
        Action::Container { host, name: container, verb, image } => {
            let change = (*verb, image.as_deref());
            Box::new(host::ContainerEffect::new(fleet, host, container, change, name).await?)
        }
        Action::Compose { host, project, verb } => {
            Box::new(host::ComposeEffect::new(fleet, host, project, *verb, name).await?)
        }
    })
}

/// Whether an effect was refused as a whole since what was seen before it is so no more: then it may be looked at again, and
/// nothing has been done.
pub(crate) fn is_outdated(action: &Action, error: &Error) -> bool {
    match action {
        Action::Guest { change, .. } => guest::is_outdated(change, error),
        Action::Snapshot { .. }
        | Action::Host { .. }
        | Action::Unit { .. }
        | Action::Container { .. }
        | Action::Compose { .. }
        | Action::Script { .. }
        | Action::Packages { .. }
        | Action::Storage { .. } => false,
    }
}

/// An action that came where another kind belongs: a fault of our own.
fn no_way(action: &Action) -> Error {
    Error::new(ErrorKind::Internal, action.words()).because("it came to effects of another kind")
}

/// The name of an effect, the same each time it is made: `reanimator-OPERATION-STEP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectName(String);

impl EffectName {
    /// That of a step of an operation.
    pub fn new(operation: &OperationId, step: u32) -> Self {
        Self(format!("reanimator-{operation}-{step}"))
    }

    /// As text: letters, digits and `-`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
