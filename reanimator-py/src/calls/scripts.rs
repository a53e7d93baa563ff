//! Prepared scripts. They are run as operations.

use reanimator_core::{Error, ErrorKind, Fleet, Result, access::Principal, model::Script};

use super::audited;
use crate::{answer::Plain, arguments::Json};

/// All of them.
pub(crate) async fn scripts(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.scripts().await?)
}

/// One of them.
pub(crate) async fn script(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&fleet.script(&name).await?)
}

/// Defines one, whether there is one of its name or not.
pub(crate) async fn define_script(fleet: Fleet, definition: Json) -> Result<Plain> {
    let script: Script = serde_json::from_str(&definition.0).map_err(|error| {
        Error::new(ErrorKind::Invalid, "read the definition of a script").because(error.to_string())
    })?;
    let (name, who) = (script.name.clone(), Principal::local().who());
    let define = fleet.define_script(script, &who);
    Plain::of(&audited(&fleet, "script define", &name, define).await?)
}

/// Removes one.
pub(crate) async fn remove_script(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "script remove", &name, fleet.remove_script(&name)).await
}
