//! Settings that hold several: `local:100/disk.qcow2,size=8G,ssd=1`, and the sizes and times in them.

use jiff::Timestamp;

use super::lenient;

/// How long a text from a host may be that is shown as a name or a value.
pub(super) const TEXT_LIMIT: usize = 512;

/// How long a text that people wrote may be: as long as Proxmox lets it.
pub(super) const NOTES_LIMIT: usize = 8192;

/// How many entries of a list are kept; a host that tells more is not to be believed.
pub(super) const LIST_LIMIT: usize = 4096;

/// A setting taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Options<'a> {
    /// What stands alone: the first part, without a name.
    pub(super) first: Option<&'a str>,
    named: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut options = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()).take(64) {
            match part.split_once('=') {
                Some((name, value)) => options.named.push((name, value)),
                None if options.first.is_none() => options.first = Some(part),
                None => {}
            }
        }
        options
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(cut)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        lenient::flag(&serde_json::Value::String(self.get(name)?.to_owned()))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn named(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.named.iter().copied()
    }
}

/// A text short enough to be kept; none where nothing is in it.
pub(super) fn cut(text: &str) -> Option<String> {
    cut_at(text, TEXT_LIMIT)
}

/// The same with a limit of its own, in characters.
pub(super) fn cut_at(text: &str, limit: usize) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(limit).collect())
}

/// Bytes as GiB with two decimals, as Proxmox counts.
pub(crate) fn gib(bytes: u64) -> f64 {
    hundredths(bytes as f64 / f64::from(1 << 30))
}

/// Bytes as MiB with two decimals.
pub(super) fn mib(bytes: u64) -> f64 {
    hundredths(bytes as f64 / f64::from(1 << 20))
}

/// A number with two decimals.
pub(super) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// `32G`, `1280M`, `4096` (bytes) in GiB with two decimals.
pub(super) fn size_gb(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    let gib = number * 2_f64.powi(shift - 30);
    (number.is_finite() && (0.0..1e12).contains(&gib)).then(|| hundredths(gib))
}

/// Seconds since 1970 as a time; zero is none.
pub(super) fn time(seconds: Option<u64>) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds?).ok().filter(|seconds| *seconds > 0)?;
    Timestamp::from_second(seconds).ok()
}

/// The number in `net12` after `net`.
pub(super) fn number_after(name: &str, stem: &str) -> Option<u16> {
    let digits = name.strip_prefix(stem)?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { digits.parse().ok() } else { None }
}

/// Whether a text is a hardware address.
pub(super) fn is_mac(text: &str) -> bool {
    text.len() == 17
        && text.split(':').count() == 6
        && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_unit_and_nonsense_is_none() {
        let texts = ["8G", "1280M", "2T", "512K", "1073741824", "1.5G", "", "G", "-3G", "8X", "1e300T", "NaN"];
        let read: Vec<_> = texts.iter().map(|text| size_gb(text)).collect();
        let some = [8.0, 1.25, 2048.0, 0.0, 1.0, 1.5].map(Some);
        assert_eq!(read[..6], some);
        assert!(read[6..].iter().all(Option::is_none), "{read:?}");
    }

    #[test]
    fn a_setting_is_taken_apart() {
        let options = Options::of("local:1/x.raw, size=8G,ssd=1,,iothread=off,a=b=c");
        assert_eq!(
            (options.first, options.get("size"), options.get("a")),
            (Some("local:1/x.raw"), Some("8G"), Some("b=c"))
        );
        assert_eq!(
            (options.flag("ssd"), options.flag("iothread"), options.flag("discard")),
            (Some(true), Some(false), None)
        );
    }
}
