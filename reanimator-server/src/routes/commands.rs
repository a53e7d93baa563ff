//! Commands on many hosts as jobs of the service: begun here, carried out whether or not anybody waits, kept for a while.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    Error, ErrorKind, Result,
    model::{CommandAnswer, CommandId, CommandRun, CommandView, NewCommand, SavedCommand},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Admin,
    error::ApiError,
    json::{Body, Name, Names, Query},
    openapi::Refusals,
    state::AppState,
};

/// As many runs as one answer holds at most.
const MOST: u32 = 500;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(show))
        .routes(routes!(stop))
        .routes(routes!(answer))
        .routes(routes!(saved_list, save))
        .routes(routes!(saved_show, saved_replace, saved_remove))
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WhichQuery {
    /// How many. Defaults to 50, up to 500.
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Runs, the newest first.
#[derive(Serialize, ToSchema)]
struct CommandList {
    items: Vec<CommandRun>,
    /// Where to go on; null on the last page.
    next_cursor: Option<String>,
}

/// All saved commands, by name.
#[derive(Serialize, ToSchema)]
struct SavedCommands {
    items: Vec<SavedCommand>,
}

/// The runs of commands, the newest first: those of the last 30 days, 500 at most.
#[utoipa::path(get, path = "/api/v1/commands", tag = "commands", params(WhichQuery),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = CommandList), Refusals))]
async fn list(
    _: Admin,
    State(state): State<AppState>,
    Query(query): Query<WhichQuery>,
) -> Result<Json<CommandList>, ApiError> {
    let limit = query.limit()?;
    let before = query.cursor.filter(|cursor| !cursor.is_empty()).map(CommandId::from);
    let mut items = state.commands.list(before.as_ref(), limit + 1).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(CommandList { items, next_cursor }))
}

/// Starts a command on many hosts. It goes on by itself: closing the connection loses nothing. Events `command:started`,
/// `command:updated` and `command:ended` (data is a `CommandNews`) say how far it got.
#[utoipa::path(post, path = "/api/v1/commands", tag = "commands", request_body = NewCommand,
    extensions(("x-role" = json!("admin"))),
    responses((status = 202, description = "It runs, or waits for its turn", body = CommandRun), Refusals))]
async fn start(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(new): Body<NewCommand>,
) -> Result<(StatusCode, Json<CommandRun>), ApiError> {
    let run = state.commands.start(new, &caller.by()).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// A run with what has come so far: equal answers together, the largest group first, and how the others differ from it.
/// Cheap to ask for again while it runs.
#[utoipa::path(get, path = "/api/v1/commands/{id}", tag = "commands", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = CommandView), Refusals))]
async fn show(_: Admin, State(state): State<AppState>, Name(id): Name) -> Result<Json<CommandView>, ApiError> {
    Ok(Json(state.commands.view(&id.into()).await?.as_ref().clone()))
}

/// Stops a run: what still runs on the hosts is ended there.
#[utoipa::path(post, path = "/api/v1/commands/{id}/stop", tag = "commands", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 202, body = CommandRun), Refusals))]
async fn stop(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<(StatusCode, Json<CommandRun>), ApiError> {
    let stopped = state.commands.stop(&id.into(), &caller.by()).await?;
    Ok((StatusCode::ACCEPTED, Json(stopped)))
}

/// What one host has answered so far, whole.
#[utoipa::path(get, path = "/api/v1/commands/{id}/answers/{host}", tag = "commands",
    params(("id" = String, Path), ("host" = String, Path, description = "The host's id")),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = CommandAnswer), Refusals))]
async fn answer(
    _: Admin,
    State(state): State<AppState>,
    Names(id, host): Names,
) -> Result<Json<CommandAnswer>, ApiError> {
    Ok(Json(state.commands.answer(&id.into(), &host.into()).await?))
}

/// All saved commands, by name.
#[utoipa::path(get, path = "/api/v1/saved-commands", tag = "commands",
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = SavedCommands), Refusals))]
async fn saved_list(_: Admin, State(state): State<AppState>) -> Result<Json<SavedCommands>, ApiError> {
    Ok(Json(SavedCommands { items: state.fleet.saved_commands().await? }))
}

/// Saves a command under a name, to be run again.
#[utoipa::path(post, path = "/api/v1/saved-commands", tag = "commands", request_body = SavedCommand,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = SavedCommand), Refusals))]
async fn save(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(command): Body<SavedCommand>,
) -> Result<(StatusCode, Json<SavedCommand>), ApiError> {
    let (on, who) = (words(&command), caller.principal.who());
    let saved = caller.audited("exec save", &on, state.fleet.add_saved_command(command, &who)).await?;
    Ok((StatusCode::CREATED, Json(saved)))
}

/// A saved command.
#[utoipa::path(get, path = "/api/v1/saved-commands/{name}", tag = "commands", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = SavedCommand), Refusals))]
async fn saved_show(_: Admin, State(state): State<AppState>, Name(name): Name) -> Result<Json<SavedCommand>, ApiError> {
    Ok(Json(state.fleet.saved_command(&name).await?))
}

/// Puts a command in the place of the one of that name.
#[utoipa::path(put, path = "/api/v1/saved-commands/{name}", tag = "commands", params(("name" = String, Path)),
    request_body = SavedCommand, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = SavedCommand), Refusals))]
async fn saved_replace(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(command): Body<SavedCommand>,
) -> Result<Json<SavedCommand>, ApiError> {
    let (on, who) = (words(&command), caller.principal.who());
    let change = async {
        if command.name == name {
            return state.fleet.change_saved_command(command, &who).await;
        }
        Err(Error::new(ErrorKind::Invalid, format!("change the saved command {name:?}"))
            .because(format!("what was given is called {:?}", command.name))
            .next("save that one anew, and remove this one"))
    };
    Ok(Json(caller.audited("exec save", &on, change).await?))
}

/// Removes a saved command; what runs goes on.
#[utoipa::path(delete, path = "/api/v1/saved-commands/{name}", tag = "commands", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn saved_remove(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
) -> Result<StatusCode, ApiError> {
    caller.audited("exec unsave", &name, state.fleet.remove_saved_command(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn words(command: &SavedCommand) -> String {
    format!("{}: {}", command.name, command.command)
}

impl WhichQuery {
    fn limit(&self) -> Result<u32> {
        match self.limit {
            None => Ok(50),
            Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
            Some(limit) => Err(Error::new(ErrorKind::Invalid, "list the runs of commands")
                .because(format!("a page holds 1 to {MOST} items, not {limit}"))
                .next("go through more of them in pages, with `cursor`")),
        }
    }
}
