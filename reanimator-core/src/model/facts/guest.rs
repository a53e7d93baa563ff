//! All that is known of one guest beside its figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watched;

/// All that is known of one guest beside its figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct GuestFacts {}

impl Watched for GuestFacts {
    fn watched(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
