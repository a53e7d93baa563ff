//! Hosts: seen by everyone, renamed and tested by operators, added and removed by admins.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State, http::StatusCode};
use jiff::{SignedDuration, Timestamp};
use reanimator_core::{
    Error, ErrorKind, Result,
    fleet::{HostDetail, HostEdit, ImportFormat, ImportReport, NewHost, Selector, SshAuth, SudoChoice, TestReport},
    model::{HostView, Jump},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Operator, Viewer},
    error::ApiError,
    json::{Body, Name, Query},
    list::{ListQuery, Page},
    openapi::Refusals,
    state::AppState,
};

/// As many points as one history answer holds at most.
const MOST_POINTS: usize = 5000;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(import))
        .routes(routes!(show, change, remove))
        .routes(routes!(history))
        .routes(routes!(test))
        .routes(routes!(observe))
        .routes(routes!(trust))
}

/// A host to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HostToAdd {
    /// Name or address.
    address: String,
    /// SSH port. Defaults to 22.
    port: Option<u16>,
    /// The account. Defaults to `root`.
    user: Option<String>,
    /// Its name in the fleet. Defaults to the name it has for itself.
    name: Option<String>,
    /// Groups it belongs to.
    #[serde(default)]
    groups: BTreeSet<String>,
    /// Free labels.
    #[serde(default)]
    tags: BTreeSet<String>,
    /// Hosts to go through, first one first: `user@host:port`.
    #[serde(default)]
    jump: Vec<String>,
    /// How to log in.
    #[serde(default)]
    auth: Login,
    /// How to become root there. Defaults to not at all.
    #[serde(default)]
    sudo: SudoWord,
    /// The fingerprint of a host key to accept: `SHA256:...`.
    accept_host_key: Option<String>,
    /// Stores the host without connecting to it first.
    #[serde(default)]
    unchecked: bool,
}

/// How to log in over SSH; what is given is tried.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// Asks the SSH agent of the account that the service runs as.
    #[serde(default)]
    agent: bool,
    /// A private key, as PEM text.
    key: Option<String>,
    /// The key's passphrase.
    passphrase: Option<String>,
    /// A password.
    password: Option<String>,
    /// A private key file on the machine that the service runs on.
    key_file: Option<String>,
    /// More of them, tried after it in this order.
    #[serde(default)]
    key_files: Vec<String>,
}

/// How to become root: `"none"`, `"nopasswd"`, or `{"password": "..."}`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SudoWord {
    /// Not at all.
    #[default]
    None,
    /// `sudo -n`.
    Nopasswd,
    /// With this password, over stdin.
    Password(String),
}

/// The host key to trust from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Trust {
    /// The fingerprint that the host shows now: `SHA256:...`.
    fingerprint: String,
}

/// An inventory to take hosts from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Inventory {
    /// What kind of file it is.
    format: InventoryFormat,
    /// The file's text.
    text: String,
    /// Only says what would be added.
    #[serde(default)]
    dry_run: bool,
}

/// The kinds of inventory.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum InventoryFormat {
    /// OpenSSH's client configuration; what it includes is left out.
    SshConfig,
    /// An Ansible inventory, INI.
    AnsibleIni,
    /// An Ansible inventory, YAML.
    AnsibleYaml,
}

/// Which history.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Span {
    /// From when. Defaults to one hour before `to`.
    from: Option<Timestamp>,
    /// Until when. Defaults to now.
    to: Option<Timestamp>,
    /// The figures, with commas between. Defaults to `cpu_percent`.
    metric: Option<String>,
    /// How many points at most, up to 5000. Defaults to 300.
    points: Option<usize>,
}

/// Figures over time.
#[derive(Serialize, ToSchema)]
struct History {
    /// For each figure its points: milliseconds since 1970, and the value or null where nothing was seen.
    metrics: BTreeMap<String, Vec<(i64, Option<f64>)>>,
}

/// The hosts; `filter` is a selector.
#[utoipa::path(get, path = "/api/v1/hosts", tag = "hosts", params(ListQuery), extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Page<HostView>), Refusals))]
async fn list(
    _: Viewer,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<HostView>>, ApiError> {
    let selector = query.filter().map_or_else(|| Ok(Selector::all()), str::parse)?;
    let hosts = state.fleet.select(&selector).await?;
    Ok(Json(query.page(&hosts, "name")?))
}

/// Adds a host.
///
/// An unknown host key is answered with 409 `host-key-unknown` and its fingerprint: look at it, then send the same
/// again with `accept_host_key`. Nothing is stored before the connection worked, unless `unchecked` is true.
#[utoipa::path(post, path = "/api/v1/hosts", tag = "hosts", request_body = HostToAdd,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = HostView), Refusals))]
async fn add(
    admin: Admin,
    State(state): State<AppState>,
    Body(host): Body<HostToAdd>,
) -> Result<(StatusCode, Json<HostView>), ApiError> {
    let on = host.name.clone().unwrap_or_else(|| host.address.clone());
    let added = admin.0.audited("host add", &on, state.fleet.add_host(host.into_new_host()?)).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Adds the hosts of an inventory, unchecked.
#[utoipa::path(post, path = "/api/v1/hosts/import", tag = "hosts", request_body = Inventory,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = ImportReport), Refusals))]
async fn import(
    admin: Admin,
    State(state): State<AppState>,
    Body(inventory): Body<Inventory>,
) -> Result<Json<ImportReport>, ApiError> {
    let import = state.fleet.import(inventory.format.into(), &inventory.text, inventory.dry_run);
    Ok(Json(match inventory.dry_run {
        true => import.await?,
        false => admin.0.audited("host import", "", import).await?,
    }))
}

/// One host with all that is known of it.
#[utoipa::path(get, path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = String, Path, description = "Id or name")),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = HostDetail), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>, Name(id): Name) -> Result<Json<HostDetail>, ApiError> {
    Ok(Json(state.fleet.host(&id).await?))
}

/// Renames, groups or tags a host, or puts it into maintenance.
#[utoipa::path(patch, path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = String, Path)), request_body = HostEdit,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = HostView), Refusals))]
async fn change(
    admin: Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(change): Body<HostEdit>,
) -> Result<Json<HostView>, ApiError> {
    Ok(Json(admin.0.audited("host set", &id, state.fleet.update_host(&id, change)).await?))
}

/// Removes a host from the fleet. The machine itself is left as it is.
#[utoipa::path(delete, path = "/api/v1/hosts/{id}", tag = "hosts", params(("id" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(admin: Admin, State(state): State<AppState>, Name(id): Name) -> Result<StatusCode, ApiError> {
    admin.0.audited("host remove", &id, state.fleet.remove_host(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Figures of one host over time.
#[utoipa::path(get, path = "/api/v1/hosts/{id}/history", tag = "hosts", params(("id" = String, Path), Span),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = History), Refusals))]
async fn history(
    _: Viewer,
    State(state): State<AppState>,
    Name(id): Name,
    Query(span): Query<Span>,
) -> Result<Json<History>, ApiError> {
    let (from, to) = span.bounds()?;
    let figures = state.fleet.history(&id, &span.metrics(), from, to, span.points()?).await?;
    let in_milliseconds = |(at, value): (Timestamp, Option<f64>)| (at.as_millisecond(), value);
    let metrics =
        figures.into_iter().map(|(name, points)| (name, points.into_iter().map(in_milliseconds).collect())).collect();
    Ok(Json(History { metrics }))
}

/// Tries every step of reaching a host and says how each went.
#[utoipa::path(post, path = "/api/v1/hosts/{id}/test", tag = "hosts", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = TestReport), Refusals))]
async fn test(operator: Operator, State(state): State<AppState>, Name(id): Name) -> Result<Json<TestReport>, ApiError> {
    Ok(Json(operator.0.audited("host test", &id, state.fleet.test_host(&id)).await?))
}

/// Observes a host right now.
#[utoipa::path(post, path = "/api/v1/hosts/{id}/observe", tag = "hosts", params(("id" = String, Path)),
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = HostDetail), Refusals))]
async fn observe(
    operator: Operator,
    State(state): State<AppState>,
    Name(id): Name,
) -> Result<Json<HostDetail>, ApiError> {
    Ok(Json(operator.0.audited("host observe", &id, state.fleet.observe(&id)).await?))
}

/// Pins a new host key for a host whose key changed, if the host shows exactly this one now.
#[utoipa::path(post, path = "/api/v1/hosts/{id}/trust", tag = "hosts", params(("id" = String, Path)),
    request_body = Trust, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = reanimator_core::Fingerprint), Refusals))]
async fn trust(
    admin: Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Body(trust): Body<Trust>,
) -> Result<Json<reanimator_core::Fingerprint>, ApiError> {
    let pinned = state.fleet.trust_host(&id, Some(&trust.fingerprint));
    Ok(Json(admin.0.audited("host trust", &id, pinned).await?))
}

impl HostToAdd {
    fn into_new_host(self) -> Result<NewHost> {
        let mut new = NewHost::new(self.address);
        new.port = self.port.unwrap_or(new.port);
        new.user = self.user.unwrap_or(new.user);
        new.name = self.name;
        new.groups = self.groups;
        new.tags = self.tags;
        new.jumps = self.jump.iter().map(|text| jump(text)).collect::<Result<_>>()?;
        new.auth = self.auth.into();
        new.sudo = self.sudo.into();
        new.accept_host_key = self.accept_host_key;
        new.unchecked = self.unchecked;
        Ok(new)
    }
}

/// Reads `user@host:port`.
fn jump(text: &str) -> Result<Jump> {
    let NewHost { address, port, user, .. } = NewHost::parse(text)?;
    Ok(Jump { address, port, user, host_key: None })
}

impl From<Login> for SshAuth {
    fn from(login: Login) -> Self {
        Self {
            agent: login.agent,
            key: login.key.map(SecretString::from),
            passphrase: login.passphrase.map(SecretString::from),
            password: login.password.map(SecretString::from),
            key_files: login.key_file.into_iter().chain(login.key_files).collect(),
        }
    }
}

impl From<SudoWord> for SudoChoice {
    fn from(word: SudoWord) -> Self {
        match word {
            SudoWord::None => Self::None,
            SudoWord::Nopasswd => Self::NoPassword,
            SudoWord::Password(password) => Self::Password(SecretString::from(password)),
        }
    }
}

impl From<InventoryFormat> for ImportFormat {
    fn from(format: InventoryFormat) -> Self {
        match format {
            InventoryFormat::SshConfig => Self::SshConfig,
            InventoryFormat::AnsibleIni => Self::AnsibleIni,
            InventoryFormat::AnsibleYaml => Self::AnsibleYaml,
        }
    }
}

impl Span {
    fn bounds(&self) -> Result<(Timestamp, Timestamp)> {
        let to = self.to.unwrap_or_else(Timestamp::now);
        let from = self.from.unwrap_or_else(|| to.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(to));
        match from < to {
            true => Ok((from, to)),
            false => Err(Error::new(ErrorKind::Invalid, "read the history").because("'from' is not before 'to'")),
        }
    }

    fn metrics(&self) -> Vec<String> {
        let named = self.metric.as_deref().unwrap_or("cpu_percent");
        named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    fn points(&self) -> Result<usize> {
        match self.points.unwrap_or(300) {
            points @ 1..=MOST_POINTS => Ok(points),
            points => Err(Error::new(ErrorKind::Invalid, "read the history")
                .because(format!("it has 1 to {MOST_POINTS} points, not {points}"))),
        }
    }
}
