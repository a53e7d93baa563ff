//! How warm a machine is, how fast its fans turn, what it draws.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// How warm a machine is, how fast its fans turn, what it draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Sensors {}

impl Watched for Sensors {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
