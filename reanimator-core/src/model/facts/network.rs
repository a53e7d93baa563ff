//! Interfaces, addresses, routes and name servers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// Interfaces, addresses, routes and name servers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Network {}

impl Watched for Network {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
