//! What is different from last time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A fact that differs from what was seen before. The names are those of the concept paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Rises with each change; the cursor for older ones. A string in JSON, as all ids are.
    #[serde(with = "as_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "42"))]
    pub id: i64,
    /// Of what: `host:ID`, `guest:ID`, `storage:ID`.
    pub entity: String,
    /// Which fact, by its path: `system.kernel`, `disks.sda.size_bytes`.
    pub field: String,
    /// What it was; absent where there was none.
    pub old_value: Option<String>,
    /// What it is; absent where there is none any more.
    pub new_value: Option<String>,
    /// When the difference was seen.
    pub created_at: Timestamp,
}

/// A change that is not stored yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewChange {
    /// Of what.
    pub entity: String,
    /// Which fact.
    pub field: String,
    /// What it was.
    pub old_value: Option<String>,
    /// What it is.
    pub new_value: Option<String>,
    /// When the difference was seen.
    pub created_at: Timestamp,
}

/// Which changes are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Only of this one.
    pub entity: Option<String>,
    /// Only facts whose path fits: `*` stands for any text, `?` for one character, `[ab]` for one of those.
    pub field: Option<String>,
    /// Only those before the one of that id.
    pub before: Option<i64>,
    /// At most so many. Defaults to 0; the store gives at most 1,000.
    pub limit: u32,
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_the_names_of_the_concept_paper() {
        let change = Change {
            id: 7,
            entity: "host:a".into(),
            field: "system.kernel".into(),
            old_value: Some("6.1".into()),
            new_value: None,
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        let json = serde_json::to_value(&change).unwrap();
        let expected = serde_json::json!({"id": "7", "entity": "host:a", "field": "system.kernel", "old_value": "6.1",
            "new_value": null, "created_at": "2026-01-02T03:04:05Z"});
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Change>(json).unwrap(), change);
    }
}
