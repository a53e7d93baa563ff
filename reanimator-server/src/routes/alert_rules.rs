//! Alert rules: on what they look, and when somebody is told.

use axum::{Json, extract::State, http::StatusCode};
use reanimator_core::{
    fleet::AlertRuleView,
    model::{AlertRule, AlertRuleChange},
    workflows::alerts::{RuleTrial, try_rule},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Admin, Operator, Viewer},
    error::ApiError,
    json::{Body, Name},
    openapi::Refusals,
    state::AppState,
};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(test)).routes(routes!(show, change, remove))
}

/// All rules, by name.
#[derive(Serialize, ToSchema)]
struct AlertRules {
    items: Vec<AlertRuleView>,
}

/// The alert rules, with how many alerts of each go on.
#[utoipa::path(get, path = "/api/v1/alert-rules", tag = "alerts", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = AlertRules), Refusals))]
async fn list(_: Viewer, State(state): State<AppState>) -> Result<Json<AlertRules>, ApiError> {
    Ok(Json(AlertRules { items: state.fleet.alert_rules().await? }))
}

/// Makes a rule.
#[utoipa::path(post, path = "/api/v1/alert-rules", tag = "alerts", request_body = AlertRule,
    extensions(("x-role" = json!("admin"))), responses((status = 201, body = AlertRuleView), Refusals))]
async fn create(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Body(rule): Body<AlertRule>,
) -> Result<(StatusCode, Json<AlertRuleView>), ApiError> {
    let on = format!("{}: {}", rule.name, rule.condition);
    let made = caller.audited("alert rule add", &on, state.fleet.create_alert_rule(rule)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Tries a rule, kept or not: what it would say now, and how often it would have rung over the last week. Nothing is
/// changed and nobody is told.
#[utoipa::path(post, path = "/api/v1/alert-rules/test", tag = "alerts", request_body = AlertRule,
    extensions(("x-role" = json!("operator"))), responses((status = 200, body = RuleTrial), Refusals))]
async fn test(
    _: Operator,
    State(state): State<AppState>,
    Body(rule): Body<AlertRule>,
) -> Result<Json<RuleTrial>, ApiError> {
    Ok(Json(try_rule(&state.fleet, rule).await?))
}

/// One rule.
#[utoipa::path(get, path = "/api/v1/alert-rules/{name}", tag = "alerts", params(("name" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = AlertRuleView), Refusals))]
async fn show(_: Viewer, State(state): State<AppState>, Name(name): Name) -> Result<Json<AlertRuleView>, ApiError> {
    Ok(Json(state.fleet.alert_rule(&name).await?))
}

/// Changes a rule; what is absent stays. Where it looks in another way then, what it had raised resolves and says so.
#[utoipa::path(patch, path = "/api/v1/alert-rules/{name}", tag = "alerts", params(("name" = String, Path)),
    request_body = AlertRuleChange, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = AlertRuleView), Refusals))]
async fn change(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(name): Name,
    Body(change): Body<AlertRuleChange>,
) -> Result<Json<AlertRuleView>, ApiError> {
    Ok(Json(caller.audited("alert rule change", &name, state.fleet.change_alert_rule(&name, change)).await?))
}

/// Removes a rule. What it had raised resolves and says so.
#[utoipa::path(delete, path = "/api/v1/alert-rules/{name}", tag = "alerts", params(("name" = String, Path)),
    extensions(("x-role" = json!("admin"))), responses((status = 204), Refusals))]
async fn remove(Admin(caller): Admin, State(state): State<AppState>, Name(name): Name) -> Result<StatusCode, ApiError> {
    caller.audited("alert rule remove", &name, state.fleet.remove_alert_rule(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
