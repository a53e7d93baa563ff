//! Sending what there is to say: one file for each way, which builds the request as a value and then sends it.
//!
//! Who is told, and when, is decided above; here a [`Message`] goes to one [`NotifyTarget`]. Every way there is guarded: a
//! name is looked up once, addresses of this very machine and of networks that no router passes on are refused unless an
//! admin has allowed that target, and the connection goes to the address that was checked. Certificates are verified, no
//! redirect is followed, and time and answers are bounded.
//!
//! | way | what is sent |
//! |---|---|
//! | email | a mail in plain text, handed to a mail server |
//! | webhook | a JSON document, see [`webhook`]; signed where there is a key |
//! | ntfy, Gotify | their JSON, with a priority by the level |
//! | apprise | title and text to the program of that name, where it is installed |

pub mod apprise;
mod apprise_hosts;
pub mod email;
pub mod gotify;
pub mod guard;
pub mod http;
pub mod message;
pub mod ntfy;
mod tls;
pub mod webhook;

use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, ErrorKind, Result,
    model::{NotifyTarget, NotifyWay},
};

pub use message::Message;

/// The secrets of one target, opened, by name.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// Those.
    pub fn new(secrets: impl IntoIterator<Item = (String, SecretString)>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(SecretString::expose_secret)
    }

    /// One that has to be there.
    pub(crate) fn need(&self, name: &str, target: &NotifyTarget) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("send by {}", target.way.kind()))
                .on(&*target.name)
                .because(format!("its secret {name:?} is missing"))
                .next(format!("change the target, and give {name}"))
        })
    }

    /// A text without any of them: what the far side says may hold what we sent.
    fn taken_out_of(&self, text: String) -> String {
        let secrets = self.0.values().flat_map(|secret| secret.expose_secret().lines());
        // Of a header only what stands behind its name is secret.
        let words = secrets.flat_map(|line| [line, line.rsplit([' ', ':']).next().unwrap_or_default()]);
        words.filter(|word| word.len() >= 4).fold(text, |text, word| text.replace(word, "[redacted]"))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Sends a message. Says what the far side answered, for people.
///
/// A message that was taken may be sent again when the program dies before that is written down.
///
/// # Errors
/// `Denied` where the target lies inside and may not, or refuses us; `AuthFailed`, `Unreachable`, `Timeout` and so on as
/// the way goes. `Invalid` where the target lacks something. No error holds a secret.
pub async fn send(target: &NotifyTarget, secrets: &Secrets, message: &Message) -> Result<String> {
    let sent = match &target.way {
        NotifyWay::Email { .. } => email::send(target, secrets, message).await,
        NotifyWay::Webhook { .. } => http::send(webhook::request(target, secrets, message)?, target.allow_inside).await,
        NotifyWay::Ntfy { .. } => http::send(ntfy::request(target, secrets, message)?, target.allow_inside).await,
        NotifyWay::Gotify { .. } => http::send(gotify::request(target, secrets, message)?, target.allow_inside).await,
        NotifyWay::Apprise {} => apprise::send(target, secrets, message).await,
    };
    match sent {
        Ok(answer) => Ok(secrets.taken_out_of(answer)),
        Err(error) => Err(without(secrets, &error)),
    }
}

/// The error again, in words that hold no secret.
fn without(secrets: &Secrets, error: &Error) -> Error {
    let copy = error.copied();
    let said = crate::message(&copy);
    let clean = secrets.taken_out_of(said.clone());
    if clean == said {
        return copy;
    }
    let clean = Error::new(copy.kind(), "send it").because(clean);
    match copy.next_step() {
        Some(next) => clean.next(next.to_owned()),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_far_side_says_holds_no_secret() {
        let secrets = Secrets::new([
            ("token".to_owned(), SecretString::from("tk_12345")),
            ("headers".to_owned(), SecretString::from("Authorization: Bearer abcdef\nX-Key: 987654")),
        ]);
        let said = secrets.taken_out_of("no tk_12345, abcdef or 987654 here".to_owned());
        assert_eq!(said, "no [redacted], [redacted] or [redacted] here");
        let error = Error::new(ErrorKind::AuthFailed, "post it").on("x").because("wrong tk_12345").next("look");
        let clean = crate::report(&without(&secrets, &error));
        assert!(!clean.contains("tk_12345") && clean.contains("Next: look"), "{clean}");
        assert!(!format!("{secrets:?}").contains("tk_"));
    }
}
