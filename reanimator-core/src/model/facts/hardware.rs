//! What a machine is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// What a machine is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Hardware {}

impl Watched for Hardware {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
