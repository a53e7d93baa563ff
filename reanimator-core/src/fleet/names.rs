//! Names that can be typed, selected and shown.

use crate::{Error, ErrorKind, Result};

/// The longest name of a host, group or tag, in bytes: as long as a host name of the DNS may be.
const NAME_LIMIT: usize = 253;

/// Refuses names that no selector could name again: blanks, commas, `&`, a leading `!`, control characters.
pub(super) fn check(what: &str, name: &str) -> Result<()> {
    let cause = if name.is_empty() {
        "it is empty".to_owned()
    } else if name.len() > NAME_LIMIT {
        format!("it is longer than {NAME_LIMIT} bytes")
    } else if let Some(bad) = name.chars().find(|c| c.is_control() || c.is_whitespace() || ",&*?[]".contains(*c)) {
        format!("{bad:?} may not be in it")
    } else if name.starts_with('!') || name == "all" {
        "it has a meaning of its own in selectors".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, format!("take {name:?} as the {what}"))
        .because(cause)
        .next("use letters, digits and - . _ : or any other sign but blanks, commas, & * ? [ ]"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_of_people_are_taken_and_traps_are_not() {
        for name in ["web1", "größe", "it's", "a$(b)", "\"x\"", "fe80::1", "日本"] {
            assert!(check("name", name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a,b", "a\nb", "!a", "all", "a*", "\u{1b}[31m", &"x".repeat(300)] {
            assert!(check("name", name).is_err(), "{name:?}");
        }
    }
}
