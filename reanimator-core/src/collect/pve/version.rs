//! Which Proxmox VE it is: `/version`.

use serde_json::Value;

use super::lenient;
use crate::{Result, transport::http::Request};

/// What to ask for.
pub fn request() -> Request {
    Request::get(["version"])
}

/// The version, `9.1.8`.
///
/// # Errors
/// When the answer is no object.
pub fn version(data: &Value) -> Result<Option<String>> {
    Ok(lenient::object(data, "the version")?.text("version"))
}

/// The version in what a node calls itself: `9.1.8` in `pve-manager/9.1.8/a8e257e1ad64dd92`.
pub fn from_pveversion(text: &str) -> Option<String> {
    let mut parts = text.trim().split('/');
    let version = parts.by_ref().skip_while(|part| *part != "pve-manager").nth(1)?;
    Some(version.to_owned()).filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::from_pveversion;

    #[test]
    fn the_version_stands_behind_the_package() {
        assert_eq!(from_pveversion("pve-manager/9.1.8/a8e257e1ad64dd92").as_deref(), Some("9.1.8"));
        assert_eq!(
            from_pveversion("pve-manager/8.2.4/faa83925c9641325 (running kernel: 6.8.4-2-pve)\n").as_deref(),
            Some("8.2.4")
        );
        for text in ["", "pve-manager", "pve-manager/", "9.1.8", "/"] {
            assert_eq!(from_pveversion(text), None, "{text}");
        }
    }
}
