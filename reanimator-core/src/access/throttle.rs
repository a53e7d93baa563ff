//! Slowing those who guess passwords.
//!
//! An attempt counts as failed when it begins and is forgiven when it works, so that a thousand at once are no way
//! round. After some free attempts each further one must wait twice as long as the one before. An account's wait
//! stays short: else anybody could keep its owner out.

use std::{collections::HashMap, fmt, hash::Hash, net::IpAddr, time::Duration};

use jiff::Timestamp;

use crate::{Error, ErrorKind, Result, store::SecretHash};

use super::secret;

const PER_ADDRESS: Limit = Limit { free: 10, longest: 15 * 60_000 };
const PER_ACCOUNT: Limit = Limit { free: 5, longest: 30_000 };

/// The first wait.
const FIRST_WAIT: i64 = 1_000;
/// Failures are forgotten after this long without another one.
const FORGOTTEN_AFTER: i64 = 60 * 60_000;
/// Addresses, and accounts, remembered at most. Those with the oldest failure go first.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Limit {
    free: u32,
    /// Milliseconds.
    longest: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    /// Milliseconds since 1970.
    last: i64,
}

impl Failures {
    /// How long another attempt must wait from now on.
    fn wait(self, limit: Limit, now: i64) -> i64 {
        if self.count < limit.free {
            return 0;
        }
        let doublings = (self.count - limit.free).min(30);
        let wait = (FIRST_WAIT << doublings).min(limit.longest);
        (self.last + wait - now).clamp(0, wait)
    }
}

/// Who failed how often.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    addresses: HashMap<String, Failures>,
    /// By the hash of what was typed as a name: that may be any length, and may be a password.
    accounts: HashMap<SecretHash, Failures>,
}

impl Throttle {
    /// Lets an attempt begin, and counts it as failed until it works.
    pub(super) fn begin(&mut self, from: &str, account: Option<&str>, now: Timestamp) -> Result<()> {
        let now = now.as_millisecond();
        let address = network(from);
        let account = account.map(secret::hash);
        let by_address = self.addresses.get(&address).map_or(0, |failures| failures.wait(PER_ADDRESS, now));
        let by_account = account
            .and_then(|account| self.accounts.get(&account))
            .map_or(0, |failures| failures.wait(PER_ACCOUNT, now));
        let wait = by_address.max(by_account);
        if wait > 0 {
            return Err(too_many(wait));
        }
        count(&mut self.addresses, address, now);
        if let Some(account) = account {
            count(&mut self.accounts, account, now);
        }
        Ok(())
    }

    /// Forgives the attempt that worked, and the account's earlier ones. The address keeps its earlier ones: else one
    /// account of one's own would buy any number of guesses at others.
    pub(super) fn succeed(&mut self, from: &str, account: Option<&str>) {
        if let Some(failures) = self.addresses.get_mut(&network(from)) {
            failures.count = failures.count.saturating_sub(1);
        }
        if let Some(account) = account {
            self.accounts.remove(&secret::hash(account));
        }
    }
}

fn count<K: Clone + Eq + Hash>(failures: &mut HashMap<K, Failures>, key: K, now: i64) {
    if failures.len() >= REMEMBERED && !failures.contains_key(&key) {
        failures.retain(|_, failures| now - failures.last < FORGOTTEN_AFTER);
        if failures.len() >= REMEMBERED {
            let oldest = failures.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
            oldest.map(|oldest| failures.remove(&oldest));
        }
    }
    let entry = failures.entry(key).or_default();
    let before = if now - entry.last >= FORGOTTEN_AFTER { 0 } else { entry.count };
    *entry = Failures { count: before.saturating_add(1), last: now };
}

/// Who an address belongs to: of IPv6, everybody has at least a /64.
fn network(from: &str) -> String {
    match from.parse() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => format!("{:x?}/64", &address.segments()[..4]),
        },
        Ok(IpAddr::V4(_)) | Err(_) => from.to_owned(),
    }
}

/// How long to wait before trying again.
#[derive(Debug)]
struct Wait(Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wait {} s", self.0.as_secs())
    }
}

impl std::error::Error for Wait {}

fn too_many(wait: i64) -> Error {
    let wait = Wait(Duration::from_secs(wait.unsigned_abs().div_ceil(1000)));
    Error::new(ErrorKind::RateLimited, "log in")
        .because("there were too many attempts")
        .next(format!("{wait} and try again"))
        .from_source(wait)
}

/// How long to wait after an error of kind `RateLimited`, in whole seconds, for the `Retry-After` header.
pub fn retry_after(error: &Error) -> Option<Duration> {
    std::error::Error::source(error)?.downcast_ref::<Wait>().map(|wait| wait.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    /// The waits asked for when somebody tries again as soon as allowed.
    fn waits(from: &str, account: Option<&str>, attempts: usize) -> Vec<u64> {
        let mut throttle = Throttle::default();
        let mut now = 0;
        let mut waits = vec![];
        while waits.len() < attempts {
            match throttle.begin(from, account, at(now)) {
                Ok(()) => waits.push(0),
                Err(error) => {
                    let wait = retry_after(&error).unwrap();
                    waits.push(wait.as_secs());
                    now += i64::try_from(wait.as_millis()).unwrap();
                }
            }
        }
        waits.into_iter().filter(|wait| *wait > 0).collect()
    }

    #[test]
    fn the_wait_of_an_account_doubles_up_to_half_a_minute() {
        assert_eq!(waits("", Some("ada"), 18)[..7], [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn the_wait_of_an_address_grows_to_a_quarter_of_an_hour() {
        assert_eq!(waits("192.0.2.1", None, 34)[8..], [256, 512, 900, 900]);
    }

    #[test]
    fn attempts_that_begin_at_once_all_count() {
        let mut throttle = Throttle::default();
        let let_in = (0..100).filter(|_| throttle.begin("192.0.2.1", Some("ada"), at(0)).is_ok()).count();
        assert_eq!(let_in, PER_ACCOUNT.free as usize);
    }

    #[test]
    fn one_who_gets_it_right_waits_for_nothing() {
        let mut throttle = Throttle::default();
        for _ in 0..100 {
            throttle.begin("192.0.2.1", Some("ada"), at(0)).unwrap();
            throttle.succeed("192.0.2.1", Some("ada"));
        }
    }

    #[test]
    fn an_hour_later_it_is_forgotten() {
        let mut throttle = Throttle::default();
        while throttle.begin("192.0.2.1", Some("ada"), at(0)).is_ok() {}
        assert!(throttle.begin("192.0.2.1", Some("ada"), at(999)).is_err());
        for _ in 0..PER_ACCOUNT.free {
            throttle.begin("192.0.2.1", Some("ada"), at(FORGOTTEN_AFTER)).unwrap();
        }
    }

    #[test]
    fn a_v6_network_is_one_address_and_a_mapped_v4_is_its_own() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn memory_is_bounded_and_a_flood_keeps_the_newest() {
        let mut throttle = Throttle::default();
        for number in 0..REMEMBERED + 50 {
            throttle.begin(&format!("address {number}"), None, at(number as i64)).unwrap();
        }
        assert_eq!(throttle.addresses.len(), REMEMBERED);
        assert!(throttle.addresses.contains_key(&format!("address {}", REMEMBERED + 49)));
        assert!(!throttle.addresses.contains_key("address 0"));
    }
}
