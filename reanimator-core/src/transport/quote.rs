//! Quoting for the remote shell: once, here.
//!
//! Single quotes keep everything but themselves, in every POSIX shell; a word that needs none stays readable.

/// One word, quoted so that `sh` reads back exactly `word`.
///
/// ```
/// assert_eq!(reanimator_core::transport::quote::word("it's"), r"'it'\''s'");
/// ```
pub fn word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Words quoted and joined by spaces.
pub fn join<I, S>(words: I) -> String
where
    I: IntoIterator<Item = S>,
    S: AsRef<str>,
{
    words.into_iter().map(|each| word(each.as_ref())).collect::<Vec<_>>().join(" ")
}
