//! The API's description, made from the very routes that serve it.
//!
//! [`api`] is the one place where routes come together; a route that is not described cannot be added there. Each
//! operation names the least role it needs as `x-role`: `open`, `viewer`, `operator` or `admin`.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, header};
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Viewer, error::Problem, events, metrics, routes as resources, routes::exec::LastLine, state::AppState,
};

/// What holds for the whole API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Reanimator", description = "Reaches hosts, sees their state, and acts on it."),
    components(schemas(Problem, LastLine)),
    security(("session" = []), ("token" = [])),
    modifiers(&Schemes)
)]
struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let cookie = ApiKeyValue::with_description(
            "reanimator",
            "The session cookie that log-in sets (`__Host-reanimator` under TLS). With it, everything but GET also \
             takes the header `X-CSRF-Token`.",
        );
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token: `rnm_...`"));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
    }
}

/// How every operation refuses and fails.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = |description: &str| {
            let mut response = Response::new(description);
            let content = Content::new(Some(Ref::from_schema_name("ProblemDetails")));
            response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
            RefOr::T(response)
        };
        BTreeMap::from([
            ("4XX".to_owned(), problem("Refused: the problem says why and what to do next")),
            ("5XX".to_owned(), problem("Failed: the problem says where and why")),
        ])
    }
}

/// All routes, with their description.
pub(crate) fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(document))
        .routes(routes!(metrics::scrape))
        .routes(routes!(events::listen))
        .merge(resources::audit::routes())
        .merge(resources::backup::routes())
        .merge(resources::credentials::routes())
        .merge(resources::dashboard::routes())
        .merge(resources::exec::routes())
        .merge(resources::groups::routes())
        .merge(resources::guests::routes())
        .merge(resources::health::routes())
        .merge(resources::hosts::routes())
        .merge(resources::matches::routes())
        .merge(resources::nodes::routes())
        .merge(resources::maintenance::routes())
        .merge(resources::operations::routes())
        .merge(resources::proxmox::routes())
        .merge(resources::scripts::routes())
        .merge(resources::session::routes())
        .merge(resources::settings::routes())
        .merge(resources::status::routes())
        .merge(resources::storages::routes())
        .merge(resources::telemetry::routes())
        .merge(resources::tokens::routes())
        .merge(resources::updates::routes())
        .merge(resources::uploads::routes())
        .merge(resources::users::routes())
        .merge(resources::windows::routes())
}

/// The OpenAPI document of the whole API, as JSON.
pub fn openapi_json() -> String {
    let document = api().into_openapi();
    // The document is made of plain strings and maps, which JSON holds.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "service", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, description = "The OpenAPI document", body = serde_json::Value), Refusals))]
async fn document(_: Viewer) -> ([(header::HeaderName, HeaderValue); 1], String) {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], openapi_json())
}
