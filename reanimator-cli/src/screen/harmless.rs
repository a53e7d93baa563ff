//! Control characters from elsewhere, made visible instead of obeyed.

use std::borrow::Cow;

/// The text with every control character written out (`\x1b`, `\n`), and with the invisible marks that change the
/// direction of writing, which make one name look like another.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_harmful) { Cow::Owned(spelled_out(text, |_| false)) } else { Cow::Borrowed(text) }
}

/// Output of a program for a terminal: lines and tabs stay, all other control characters are written out, and what is
/// not UTF-8 becomes `U+FFFD`.
pub(crate) fn harmless_bytes(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    spelled_out(&text, |character| matches!(character, '\n' | '\t'))
}

fn spelled_out(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if stays(character) || !is_harmful(character) => safe.push(character),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            _ if (character as u32) < 0x100 => safe.push_str(&format!("\\x{:02x}", character as u32)),
            _ => safe.push_str(&format!("\\u{{{:x}}}", character as u32)),
        }
    }
    safe
}

/// C0, DEL and C1 controls, and the marks for the direction of writing.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_one_line_and_obey_nothing() {
        assert_eq!(harmless("plain ünïcode 名前"), "plain ünïcode 名前");
        assert_eq!(harmless("a\x1b]0;owned\x07b\n"), "a\\x1b]0;owned\\x07b\\n");
        assert_eq!(harmless("\u{9b}31m \u{202e}"), "\\x9b31m \\u{202e}");
    }

    #[test]
    fn output_keeps_its_lines() {
        assert_eq!(harmless_bytes(b"one\ttwo\r\nthree\x1b[2J\xff\n"), "one\ttwo\nthree\\x1b[2J\u{fffd}\n");
    }
}
