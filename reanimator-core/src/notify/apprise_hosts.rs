//! Which hosts an address of `apprise` would make it connect to, as far as that can be seen: pure.
//!
//! What stands in the place of a host may be a token, which must not be looked up: whoever runs the name servers would learn
//! it. So only services that are known to be reached at a host of one's own have it looked at whatever it is; of the others,
//! what is an IP address or looks like a name with a domain.

use std::net::IpAddr;

use url::{Url, form_urlencoded};

/// Services that are reached at the host that their address names; most have a second scheme that ends in `s`.
const HOSTED: [&str; 30] = [
    "apprise", "bark", "emby", "enigma2", "form", "gotify", "growl", "hassio", "http", "irc", "jellyfin", "json",
    "kodi", "lametric", "mailto", "mastodon", "misskey", "mmost", "mqtt", "ncloud", "nctalk", "parsep", "rocket",
    "rsyslog", "signal", "smtp", "synology", "toot", "xbmc", "xml",
];
/// Services that may be one's own or their makers': then a topic or a token stands there, and no path behind it.
const MAYBE_HOSTED: [&str; 3] = ["matrix", "ntfy", "pushdeer"];
/// What may name a host among the values behind the question mark.
const HOST_KEYS: [&str; 7] = ["smtp", "host", "hostname", "server", "url", "proxy", "gateway"];
/// As many hosts as one address may name.
const MOST_HOSTS: usize = 20;

/// How surely something is a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sure {
    /// It is one, whatever it looks like.
    Always,
    /// Where it looks like a name with a domain, or is an IP address.
    WithDomain,
    /// Where it is an IP address, or this machine.
    Address,
}

/// The hosts of an address. What may be read in two ways is refused, with the cause.
pub(super) fn hosts(url: &str) -> Result<Vec<String>, &'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (place, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    let sure = if is_hosted(&scheme.to_ascii_lowercase(), path) { Sure::Always } else { Sure::WithDomain };
    let mut hosts: Vec<String> = host(place, sure)?.into_iter().collect();
    let pairs = query.split(['&', ';', '?']).flat_map(|pair| form_urlencoded::parse(pair.as_bytes()));
    for (key, value) in pairs {
        let key = key.trim().to_ascii_lowercase();
        let named = HOST_KEYS.contains(&key.as_str());
        let (place, otherwise) = match value.split_once("://") {
            Some((_, rest)) => (rest.split(['/', '?']).next().unwrap_or_default(), Sure::WithDomain),
            None => (&*value, Sure::Address),
        };
        hosts.extend(host(place.trim(), if named { Sure::Always } else { otherwise })?);
    }
    if hosts.len() > MOST_HOSTS {
        return Err("it names too many hosts");
    }
    Ok(hosts)
}

fn is_hosted(scheme: &str, path: &str) -> bool {
    let among =
        |all: &[&str]| all.contains(&scheme) || scheme.strip_suffix('s').is_some_and(|bare| all.contains(&bare));
    among(&HOSTED) || (among(&MAYBE_HOSTED) && !path.trim_matches('/').is_empty())
}

/// The host in `user:password@host:port`.
fn host(place: &str, sure: Sure) -> Result<Option<String>, &'static str> {
    let bare = place.rsplit('@').next().unwrap_or_default();
    if bare.is_empty() {
        return Ok(None);
    }
    if sure != Sure::Always {
        return Ok(seen(bare, sure));
    }
    if place.matches('@').count() > 1 || place.contains(['\\', '#', '/', '?']) || place.contains(char::is_whitespace) {
        return Err(
            "where its host stands cannot be told for sure; write such signs in a password as %40 and the like",
        );
    }
    let read = Url::parse(&format!("http://{bare}/")).ok().and_then(|url| url.host_str().map(str::to_owned));
    read.map(Some).ok_or("its host cannot be read")
}

/// One that shows by itself that it is a host.
fn seen(bare: &str, sure: Sure) -> Option<String> {
    let without_port = match bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((six, _)) => six,
        None if bare.parse::<IpAddr>().is_ok() => bare,
        None => bare.split(':').next().unwrap_or_default(),
    };
    let name = without_port.trim_end_matches('.').to_ascii_lowercase();
    let is_here = name == "localhost" || name.ends_with(".localhost");
    let shows = is_here || name.parse::<IpAddr>().is_ok() || (sure == Sure::WithDomain && has_domain(&name));
    shows.then_some(name)
}

/// Whether it is made as names with a domain are.
fn has_domain(name: &str) -> bool {
    let fits = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    };
    name.rsplit_once('.')
        .is_some_and(|(rest, last)| rest.split('.').chain([last]).all(fits) && last.chars().any(char::is_alphabetic))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_token_is_no_host() {
        for url in [
            "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
            "tgram://123456789:abcdefg_hijklmnop/12315544/",
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
            "ntfy://my-secret-topic",
            "ntfy://my-secret-topic/",
            "matrixs://64charactersoftoken?mode=t2bot",
            "pover://user@token",
            "sendgrid://SG.a_b.c_d:from",
            "slack://T1JJ3T3L2/A/B?footer=no&to=ada@example.org",
        ] {
            assert_eq!(hosts(url).unwrap(), Vec::<String>::new(), "{url}");
        }
    }

    #[test]
    fn hosts_are_seen_wherever_they_stand() {
        for (url, expected) in [
            ("json://ada:s3cret@intranet:8080/x", vec!["intranet"]),
            ("JSONS://127.1/", vec!["127.0.0.1"]),
            ("xml://127%2E0%2E0%2E1/", vec!["127.0.0.1"]),
            ("ntfys://intranet/topic", vec!["intranet"]),
            ("unknown://user@hooks.example.org/x", vec!["hooks.example.org"]),
            ("unknown://[::1]:80/x", vec!["::1"]),
            ("unknown://LocalHost:80", vec!["localhost"]),
            ("mailto://u:p@example.org?smtp=127.0.0.1", vec!["example.org", "127.0.0.1"]),
            ("mailto://u:p@example.org?a=b;SMTP=intranet:25", vec!["example.org", "intranet"]),
            ("discord://id/token?avatar_url=http%3A%2F%2F127.0.0.1%2Fx", vec!["127.0.0.1"]),
            ("discord://id/token?any=localhost", vec!["localhost"]),
        ] {
            assert_eq!(hosts(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for url in [
            "json://example.org#@127.0.0.1/",
            "json://a@b@127.0.0.1/",
            r"json://example.org\@127.0.0.1/",
            "json://a:b:c/",
        ] {
            hosts(url).unwrap_err();
        }
        let many = (0..21).map(|_| "smtp=a").collect::<Vec<_>>().join("&");
        hosts(&format!("mailto://u:p@example.org?{many}")).unwrap_err();
    }
}
