//! Extractors for what clients send, whose refusals are problem details as everything else.

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
};
use reanimator_core::{Error, ErrorKind};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The largest body that is read: an inventory of some thousand hosts fits several times over.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(body_refused(&rejection)),
        }
    }
}

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(query_refused(&rejection)),
        }
    }
}

/// The one name in the path: an id or a name.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<String>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(name)) => Ok(Self(name)),
            Err(rejection) => Err(path_refused(&rejection)),
        }
    }
}

/// The two names in the path, the outer one first.
pub(crate) struct Names(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path((outer, inner))) => Ok(Self(outer, inner)),
            Err(rejection) => Err(path_refused(&rejection)),
        }
    }
}

fn body_refused(rejection: &JsonRejection) -> ApiError {
    let error = Error::new(ErrorKind::Invalid, "read the body").because(rejection.body_text());
    let error = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => error.next(format!("send at most {BODY_LIMIT} bytes")),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => error.next("send JSON, with Content-Type: application/json"),
        _ => error.next("see /api/openapi.json for what this call takes"),
    };
    ApiError::with_status(error, rejection.status())
}

fn query_refused(rejection: &QueryRejection) -> ApiError {
    Error::new(ErrorKind::Invalid, "read the query")
        .because(rejection.body_text())
        .next("see /api/openapi.json for what this call takes")
        .into()
}

fn path_refused(rejection: &PathRejection) -> ApiError {
    Error::new(ErrorKind::Invalid, "read the path")
        .because(rejection.body_text())
        .next("see /api/openapi.json for the paths that there are")
        .into()
}
