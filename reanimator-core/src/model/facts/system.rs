//! How the operating system is: units, time, boots, sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// How the operating system is: units, time, boots, sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct System {}

impl Watched for System {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
