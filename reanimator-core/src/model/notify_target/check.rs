//! What is refused of a target: what could never be sent to. Whether anything answers there is not looked at.

use url::Url;

use super::{MailTls, NotifyTarget, NotifyWay, QuietHours};
use crate::{Error, ErrorKind, Result};

/// The longest name of a target, in characters.
const LONGEST_NAME: usize = 64;
/// The longest address, in characters.
const LONGEST_ADDRESS: usize = 2_000;
/// As many people as get one mail.
const MOST_PEOPLE: usize = 50;
/// The longest time for which notices are gathered, in seconds.
const LONGEST_GATHERING: u32 = 3_600;

impl NotifyTarget {
    /// Refuses one to which nothing could ever be sent.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        if self.name.is_empty() || self.name.chars().count() > LONGEST_NAME || !self.name.chars().all(fits) {
            return Err(self.refuse("the name does not fit").next("use 1 to 64 letters, digits and . _ -"));
        }
        if self.group_seconds > LONGEST_GATHERING {
            return Err(self.refuse("it would gather for too long").next("use 0 to 3600 seconds"));
        }
        if self.which.levels.is_empty() || self.which.kinds.is_empty() {
            return Err(self.refuse("it would get nothing").next("name at least one level and one kind"));
        }
        if let Some(quiet) = &self.quiet {
            self.check_quiet(quiet)?;
        }
        self.check_way()
    }

    fn refuse(&self, cause: impl Into<String>) -> Error {
        let name: String = self.name.chars().take(LONGEST_NAME).collect();
        Error::new(ErrorKind::Invalid, format!("take the target {name:?}")).because(cause)
    }

    fn check_quiet(&self, quiet: &QuietHours) -> Result<()> {
        if quiet.days.is_empty() {
            return Err(self.refuse("its quiet hours begin on no day").next("name the days: mon to sun"));
        }
        if quiet.from == quiet.to && quiet.days.len() == 7 {
            let next = "let them end at another time, or switch the target off";
            return Err(self.refuse("its quiet hours never end").next(next));
        }
        quiet.window().time_zone().map(drop).map_err(|_| {
            self.refuse(format!("no time zone is called {:?}", quiet.zone))
                .next("use a name of the IANA's, such as Europe/Berlin or UTC")
        })
    }

    fn check_way(&self) -> Result<()> {
        match &self.way {
            NotifyWay::Email { server, tls, user, from, to, port } => {
                if *port == Some(0) {
                    return Err(self.refuse("a mail server has no port 0").next("leave it out for the usual one"));
                }
                self.check_word("the mail server", server)?;
                if server.contains([':', '/', '@', '[', ']']) && server.parse::<std::net::Ipv6Addr>().is_err() {
                    let cause = format!("{server:?} is no name of a mail server");
                    return Err(self.refuse(cause).next("give the name alone, the port beside it"));
                }
                if let Some(user) = user {
                    self.check_word("the user", user)?;
                    if *tls == MailTls::None && !self.allow_inside {
                        let cause = "the password would go over the network in the clear";
                        return Err(self.refuse(cause).next("use starttls or tls"));
                    }
                }
                if to.is_empty() || to.len() > MOST_PEOPLE {
                    let cause = format!("a mail goes to 1 to {MOST_PEOPLE} people");
                    return Err(self.refuse(cause).next("name them in `to`, or make a second target"));
                }
                std::iter::once(from).chain(to).try_for_each(|address| self.check_mail_address(address))
            }
            NotifyWay::Webhook { url } => self.check_url(url).map(drop),
            NotifyWay::Gotify { server } => self.check_server(server),
            NotifyWay::Ntfy { server, topic, user } => {
                self.check_server(server)?;
                user.iter().try_for_each(|user| self.check_word("the user", user))?;
                let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
                if topic.is_empty() || topic.len() > 64 || !topic.chars().all(fits) {
                    let cause = format!("{topic:?} is no topic of ntfy");
                    return Err(self.refuse(cause).next("use 1 to 64 ASCII letters, digits, _ and -"));
                }
                Ok(())
            }
            NotifyWay::Apprise {} => Ok(()),
        }
    }

    fn check_word(&self, what: &str, word: &str) -> Result<()> {
        let wrong = |letter: char| letter.is_control() || letter.is_whitespace();
        if word.is_empty() || word.chars().count() > 255 || word.contains(wrong) {
            return Err(self.refuse(format!("{what} does not fit")).next("use 1 to 255 characters without spaces"));
        }
        Ok(())
    }

    fn check_mail_address(&self, address: &str) -> Result<()> {
        self.check_word("a mail address", address)?;
        let fits = address.rsplit_once('@').is_some_and(|(user, domain)| !user.is_empty() && !domain.is_empty());
        if !fits || address.contains([',', '<', '>', '"']) {
            return Err(self.refuse(format!("{address:?} is no mail address")).next("write it as ops@example.org"));
        }
        Ok(())
    }

    fn check_url(&self, text: &str) -> Result<Url> {
        let url = Url::parse(text).ok().filter(|_| text.chars().count() <= LONGEST_ADDRESS);
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url =
            url.ok_or_else(|| self.refuse("that is no web address").next("write it as https://example.org/path"))?;
        if url.username().is_empty() && url.password().is_none() {
            return Ok(url);
        }
        Err(self.refuse("a web address is shown, and would hold a password").next("give the log-in as a secret"))
    }

    fn check_server(&self, text: &str) -> Result<()> {
        let url = self.check_url(text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(self
                .refuse("the server's address has more to it than a server has")
                .next("end it at the path"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn target(way: serde_json::Value) -> NotifyTarget {
        serde_json::from_value(serde_json::json!({ "name": "t", "way": way })).unwrap()
    }

    #[test]
    fn what_can_be_sent_to_is_taken() {
        for way in [
            serde_json::json!({ "kind": "email", "server": "mail.example.org", "from": "a@b.org", "to": ["c@d.org"] }),
            serde_json::json!({ "kind": "webhook", "url": "https://example.org/a?b=c" }),
            serde_json::json!({ "kind": "ntfy", "topic": "fleet_1-x" }),
            serde_json::json!({ "kind": "gotify", "server": "http://gotify.example.org:8080/base/" }),
            serde_json::json!({ "kind": "apprise" }),
        ] {
            target(way.clone()).check().unwrap_or_else(|error| panic!("{way}: {error}"));
        }
    }

    #[test]
    fn what_cannot_is_refused_by_its_fault() {
        let mail = |field: &str, value: serde_json::Value| {
            let mut way = serde_json::json!({ "kind": "email", "server": "mail.example.org", "from": "a@b.org", "to": ["c@d.org"] });
            way[field] = value;
            target(way)
        };
        let set = |field: &str, value: serde_json::Value| {
            let mut all = serde_json::json!({ "name": "t", "way": { "kind": "apprise" } });
            all[field] = value;
            serde_json::from_value::<NotifyTarget>(all).unwrap()
        };
        let clear = NotifyTarget {
            way: match mail("tls", "none".into()).way {
                NotifyWay::Email { server, port, tls, from, to, .. } => {
                    NotifyWay::Email { server, port, tls, user: Some("u".into()), from, to }
                }
                way => way,
            },
            ..mail("tls", "none".into())
        };
        for (target, word) in [
            (set("name", "a b".into()), "name"),
            (set("group_seconds", 3601.into()), "3600"),
            (set("which", serde_json::json!({ "levels": [] })), "nothing"),
            (set("quiet", serde_json::json!({ "from": "1:00", "to": "2:00", "zone": "Nowhere" })), "Nowhere"),
            (set("quiet", serde_json::json!({ "from": "1:00", "to": "1:00" })), "never end"),
            (set("quiet", serde_json::json!({ "from": "1:00", "to": "2:00", "days": [] })), "no day"),
            (mail("server", "smtp://x".into()), "no name of a mail server"),
            (mail("port", 0.into()), "port 0"),
            (mail("to", serde_json::json!([])), "1 to 50"),
            (mail("to", serde_json::json!(["nobody"])), "no mail address"),
            (mail("from", "a@b.org\r\nBcc: c@d".into()), "mail address"),
            (clear, "in the clear"),
            (target(serde_json::json!({ "kind": "webhook", "url": "file:///etc/passwd" })), "web address"),
            (target(serde_json::json!({ "kind": "webhook", "url": "http://u:p@example.org" })), "password"),
            (target(serde_json::json!({ "kind": "ntfy", "topic": "a/b" })), "topic"),
            (target(serde_json::json!({ "kind": "gotify", "server": "http://x/?a" })), "more to it"),
        ] {
            let error = target.check().unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && crate::report(&error).contains(word), "{error} {word}");
            assert!(error.next_step().is_some(), "{error}");
        }
    }
}
