//! Block devices and what is built of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// Block devices and what is built of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Disks {}

impl Watched for Disks {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
