//! Reading what hosts say as facts: bounded, and without the words that stand for nothing.

/// The most characters of one value that are kept.
const LENGTH_LIMIT: usize = 200;

/// The most things of a kind that are kept of one host.
pub(in crate::collect::linux::inventory) const COUNT_LIMIT: usize = 1000;

/// What makers write where they should have written something.
const NOTHING: [&str; 26] = [
    "not specified",
    "not provided",
    "not available",
    "not applicable",
    "no dimm",
    "no asset tag",
    "none",
    "n/a",
    "na",
    "[n/a]",
    "[not supported]",
    "unknown",
    "undefined",
    "default string",
    "to be filled by o.e.m.",
    "to be filled by o.e.m",
    "system product name",
    "system manufacturer",
    "system version",
    "system serial number",
    "base board serial number",
    "chassis serial number",
    "<bad index>",
    "<out of spec>",
    "invalid",
    "oem",
];

/// The value without blanks around it and control characters inside, cut to a bearable length; `None` where it says
/// nothing.
pub(in crate::collect::linux::inventory) fn value(text: &str) -> Option<String> {
    let text = words(text)?;
    let nothing = NOTHING.iter().any(|word| text.eq_ignore_ascii_case(word))
        || text.chars().all(|c| matches!(c, '0' | '.' | '-' | ' ' | 'x' | 'X'));
    (!nothing).then_some(text)
}

/// The same for names that people give, which may be any word; `None` where there is none.
pub(in crate::collect::linux::inventory) fn words(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(LENGTH_LIMIT).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A count; `None` where there is none.
pub(in crate::collect::linux::inventory) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// A finite number above zero.
pub(in crate::collect::linux::inventory) fn positive(text: &str) -> Option<f64> {
    number(text).filter(|number: &f64| number.is_finite() && *number > 0.0)
}

/// The lines of `grep -Hs . FILES` as (path, line); `root` is the path that every file begins with.
///
/// File names under `/sys` may hold colons, the last component never does.
pub(in crate::collect::linux::inventory) fn files<'a>(
    text: &'a str,
    root: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    text.lines().filter_map(move |line| {
        let rest = line.strip_prefix(root)?.strip_prefix('/')?;
        let (entry, rest) = rest.split_once('/')?;
        let (file, content) = rest.split_once(':')?;
        Some((entry, file, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_for_nothing_are_nothing() {
        for nothing in ["", "  ", "To Be Filled By O.E.M.", "Not Specified", "00000000", "0x0000", "N/A", "\u{1}"] {
            assert_eq!(value(nothing), None, "{nothing:?}");
        }
        assert_eq!(value(" PowerEdge\u{0} R440 ").as_deref(), Some("PowerEdge R440"));
        assert_eq!(value(&"x1".repeat(9999)).map(|text| text.len()), Some(LENGTH_LIMIT));
    }

    #[test]
    fn a_file_is_told_from_what_it_holds() {
        let text = "/sys/bus/pci/devices/0000:00:01.0/class:0x030000\n/elsewhere/a/b:c\n";
        let files: Vec<_> = files(text, "/sys/bus/pci/devices").collect();
        assert_eq!(files, [("0000:00:01.0", "class", "0x030000")]);
    }
}
