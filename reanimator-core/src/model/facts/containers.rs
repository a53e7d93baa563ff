//! Container engines and their containers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// Container engines and their containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Containers {}

impl Watched for Containers {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
