//! Actions being carried out: what was asked, how far it got, and what came of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    action::{self, Action, Risk},
    ids::OperationId,
    rule::Rule,
};

/// Actions to be carried out, before anything was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOperation {
    /// What it is, for people: `shut down 3 guests`. Without one it is called by its steps.
    #[serde(default)]
    pub title: String,
    /// What is to be done, in order.
    pub steps: Vec<NewStep>,
    /// Rules that an admin does not want kept this time. Defaults to none; each stands in the audit trail.
    #[serde(default)]
    pub overrides: Vec<Rule>,
}

/// A step before it was taken. A field that there is not, also of its action, is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewStep {
    /// What is to be done.
    #[serde(deserialize_with = "action::asked")]
    pub action: Action,
    /// Numbers of the steps that must be done before, counted from 0; those that wait for none run beside each other.
    #[serde(default)]
    pub after: Vec<u32>,
    /// How long it may take, in seconds. Defaults to what is usual for such an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_seconds: Option<u32>,
}

impl NewStep {
    /// From what somebody asks for: a step, or an action by itself.
    ///
    /// # Errors
    /// Where it is neither, or a field is in it that there is not.
    pub fn asked(given: Value) -> Result<Self, serde_json::Error> {
        if given.get("action").is_some() {
            return serde_json::from_value(given);
        }
        action::asked(given).map(Self::from)
    }
}

impl From<Action> for NewStep {
    fn from(action: Action) -> Self {
        Self { action, after: Vec::new(), limit_seconds: None }
    }
}

/// One or more actions being carried out, journaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What it is, for people.
    pub title: String,
    /// How far it got.
    pub state: OperationState,
    /// What is waited for, or what went wrong, for people.
    pub note: Option<String>,
    /// Who asked for it: a user's name, `token:NAME`, `local:USER`, a rule.
    pub requested_by: String,
    /// From where: an address, or `local`.
    #[serde(default)]
    pub requested_from: String,
    /// Rules that are not kept, as an admin wanted it.
    #[serde(default)]
    pub overrides: Vec<Rule>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When its first step began.
    pub started_at: Option<Timestamp>,
    /// When it ended, however it did.
    pub ended_at: Option<Timestamp>,
    /// Share of its steps that is done, 0 to 100.
    pub percent: f64,
    /// Whether it was asked to stop before its next step.
    pub cancel: bool,
    /// Whether it was asked to take back what it did.
    pub undo: bool,
    /// The process that carries it out, as far as its lease goes; none where nobody does.
    pub owner: Option<String>,
    /// How often it changed hands. Who comes with an older number is refused.
    pub generation: i64,
    /// Its steps, in order. Those that take others back stand at the end.
    pub steps: Vec<Step>,
}

/// How far an operation got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OperationState {
    /// It has not begun: something else acts on the same things.
    Waiting,
    /// Steps are being taken.
    Running,
    /// All steps are done.
    Done,
    /// A step failed; what was done before stays done.
    Failed,
    /// It was stopped between two steps; what was done before stays done.
    Cancelled,
    /// What was done is being taken back.
    Undoing,
    /// What was done is taken back, as far as it can be.
    Undone,
}

impl OperationState {
    /// Whether nothing is being done any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled | Self::Undone)
    }

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }
}

/// A step of an operation, with its journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Its place, counted from 0.
    pub number: u32,
    /// What it does.
    pub action: Action,
    /// Steps that must be done before.
    pub after: Vec<u32>,
    /// How long it may take, in seconds; none where what is usual holds.
    #[serde(default)]
    pub limit_seconds: Option<u32>,
    /// The step that it takes back, where it is one of those.
    pub undoes: Option<u32>,
    /// How far it got.
    pub state: StepState,
    /// What was there before, written down with the intent: what undoing and finding out need.
    pub before: Option<Value>,
    /// By what the effect is found again on the far side: a task's id, a unit's name.
    pub handle: Option<String>,
    /// When the intent was written down.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What came of it, for people.
    pub outcome: Option<String>,
    /// What came of it, for programs, where there is more to tell than words: of an upgrade of packages a
    /// [`PackageReport`](super::packages::PackageReport), whether it ended well or not.
    #[serde(default)]
    pub result: Option<Value>,
}

/// How far a step got. The state is written down before what it names begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Nothing was done.
    Pending,
    /// The effect is about to begin, or has begun and nobody could note so.
    Intended,
    /// The effect has begun, and its handle is known.
    Begun,
    /// The effect is there.
    Done,
    /// What was wanted was there already; nothing was done.
    Already,
    /// It failed, or was refused.
    Failed,
    /// It was never taken, as one before it failed or the operation was stopped.
    Skipped,
}

impl StepState {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Intended => "intended",
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Already => "already",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more comes of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Already | Self::Failed | Self::Skipped)
    }

    /// Whether what it wanted is there.
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Done | Self::Already)
    }
}

/// A line that an operation said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationLine {
    /// Its number, larger than those before.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Of which step, where it is of one.
    pub step: Option<u32>,
    /// What.
    pub text: String,
}

/// Which operations are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationFilter {
    /// Only those that are not over.
    pub open: bool,
    /// Only those that began before this one, for the next page.
    pub before: Option<OperationId>,
    /// At most so many. Defaults to 0; the store gives at most 1,000.
    pub limit: u32,
}

impl Operation {
    /// A new one, of which nothing is done.
    pub fn new(new: NewOperation, requested_by: impl Into<String>, now: Timestamp) -> Self {
        let step = |(number, NewStep { action, after, limit_seconds }): (usize, NewStep)| {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            Step { limit_seconds, ..Step::new(number, action, after) }
        };
        Self {
            id: OperationId::generate(),
            title: new.title,
            state: OperationState::Waiting,
            note: None,
            requested_by: requested_by.into(),
            requested_from: String::new(),
            overrides: new.overrides,
            requested_at: now,
            started_at: None,
            ended_at: None,
            percent: 0.0,
            cancel: false,
            undo: false,
            owner: None,
            generation: 0,
            steps: new.steps.into_iter().enumerate().map(step).collect(),
        }
    }

    /// Whether it is over, and yet to be taken back.
    pub const fn is_wished(&self) -> bool {
        self.undo && !matches!(self.state, OperationState::Undone)
    }

    /// The most that any of its steps may cost.
    pub fn risk(&self) -> Risk {
        self.steps.iter().map(|step| step.action.risk()).max().unwrap_or(Risk::None)
    }

    /// The most that taking back any of its steps may cost.
    pub fn undo_risk(&self) -> Risk {
        self.steps.iter().map(|step| step.action.undo_risk()).max().unwrap_or(Risk::None)
    }

    /// What it acts upon, each once.
    pub fn things(&self) -> Vec<String> {
        let mut things: Vec<String> = self.steps.iter().map(|step| step.action.thing()).collect();
        things.sort_unstable();
        things.dedup();
        things
    }
}

impl Step {
    /// A step that was not taken yet.
    pub fn new(number: u32, action: Action, after: Vec<u32>) -> Self {
        Self {
            number,
            action,
            after,
            limit_seconds: None,
            undoes: None,
            state: StepState::Pending,
            before: None,
            handle: None,
            started_at: None,
            ended_at: None,
            outcome: None,
            result: None,
        }
    }
}
