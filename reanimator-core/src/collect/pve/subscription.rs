//! Whether a node has a subscription: `/nodes/{node}/subscription`.

use serde_json::Value;

use super::{
    lenient,
    options::{cut, time},
};
use crate::{Result, model::facts::license::License, transport::http::Request};

/// What to ask for. Any login may; without `Sys.Audit` on `/nodes/{node}` it sees the status alone.
pub fn request(node: &str) -> Request {
    Request::get(["nodes", node, "subscription"])
}

/// Reads the subscription.
///
/// # Errors
/// When the answer is no object.
pub fn license(data: &Value) -> Result<License> {
    let fields = lenient::object(data, "the subscription")?;
    let text = |name: &str| fields.text(name).as_deref().and_then(cut);
    Ok(License {
        // Older versions write `Active` and `NotFound`.
        status: text("status").map(|status| status.to_ascii_lowercase()),
        level: text("level").map(|level| word(&level).map_or(level, str::to_owned)),
        expires: text("nextduedate"),
        registered: text("regdate"),
        sockets: fields.count("sockets").and_then(|count| u32::try_from(count).ok()),
        server_id: text("serverid"),
        key: text("key").map(|key| hidden(&key)),
        product: text("productname"),
        message: text("message"),
        checked_at: time(fields.count("checktime")),
    })
}

/// What a level's letter stands for.
fn word(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "c" => "community",
        "b" => "basic",
        "s" => "standard",
        "p" => "premium",
        _ => return None,
    })
}

/// The kind in front of a key, and nothing of the rest: `pve2c-…`.
fn hidden(key: &str) -> String {
    let kind = key.split_once('-').map(|(kind, _)| kind).filter(|kind| kind.starts_with("pve") && kind.len() <= 8);
    kind.map_or_else(|| "…".to_owned(), |kind| format!("{kind}-…"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_never_shown_whole() {
        let data = json!({"status": "active", "level": "c", "key": "pve2c-0123456789", "nextduedate": "2027-03-01",
            "productname": "Proxmox VE Community Subscription 2 CPUs/year", "sockets": "2", "serverid": "AB",
            "regdate": "2026-03-01 00:00:00", "checktime": 1_795_000_000});
        let license = license(&data).unwrap();
        assert_eq!((license.status.as_deref(), license.level.as_deref()), (Some("active"), Some("community")));
        assert_eq!((license.key.as_deref(), license.sockets), (Some("pve2c-…"), Some(2)));
        assert_eq!(license.expires.as_deref(), Some("2027-03-01"));
        assert!(!format!("{license:?}").contains("0123456789"));
        assert_eq!((hidden("0123456789"), hidden("0123456789-x")), ("…".to_owned(), "…".to_owned()));
    }
}
