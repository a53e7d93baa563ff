//! `openapi`: the description of the HTTP interface, for those who generate clients.

use crate::{
    context::Context,
    failure::{Done, Failure},
};

/// Carries it out. It is one JSON document with and without `--json`.
pub(super) fn run(context: &Context) -> Result<Done, Failure> {
    context.screen.line(&reanimator_server::openapi_json())?;
    Ok(Done::Whole)
}
