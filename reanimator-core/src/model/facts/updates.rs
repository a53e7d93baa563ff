//! Packages that could be newer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// Packages that could be newer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Updates {}

impl Watched for Updates {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
