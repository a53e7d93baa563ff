//! What to change of a target, and the secrets that are handed in beside it.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use super::{NotifyTarget, NotifyWay, NotifyWhich, QuietHours};
use crate::{Error, ErrorKind, Result};

/// Secrets longer than this are refused, in bytes.
const LONGEST_SECRET: usize = 16 * 1024;
/// The end of an address of which the rest is sealed.
const SEALED: &str = "/…";

/// The names of the secrets that are handed in.
pub const SECRET_NAMES: [&str; 5] = ["password", "token", "signing_key", "headers", "urls"];

/// Secrets of a target. One that is `None` stays as it is; an empty one is deleted.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NotifySecrets {
    /// For the log-in to a mail server or to ntfy.
    #[serde(default, deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub password: Option<SecretString>,
    /// Of ntfy (`tk_...`) or of an application of Gotify.
    #[serde(default, deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub token: Option<SecretString>,
    /// With this the documents of a webhook are signed.
    #[serde(default, deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub signing_key: Option<SecretString>,
    /// More headers of a webhook, one a line: `Authorization: Bearer ...`.
    #[serde(default, deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub headers: Option<SecretString>,
    /// Addresses of apprise, one a line.
    #[serde(default, deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, write_only))]
    pub urls: Option<SecretString>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

/// What to change of a target; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NotifyTargetChange {
    /// How it is reached.
    pub way: Option<NotifyWay>,
    /// Which notices it gets.
    pub which: Option<NotifyWhich>,
    /// When it is not to be disturbed; never with `null`.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<QuietHours>))]
    pub quiet: Option<Option<QuietHours>>,
    /// For how many seconds notices are gathered.
    pub group_seconds: Option<u32>,
    /// Whether it may lie inside.
    pub allow_inside: Option<bool>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

/// Tells `null` from what is absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<QuietHours>>, D::Error> {
    Option::<QuietHours>::deserialize(deserializer).map(Some)
}

impl NotifyTarget {
    /// With the change made.
    #[must_use]
    pub fn with(self, change: NotifyTargetChange) -> Self {
        Self {
            way: change.way.unwrap_or(self.way),
            which: change.which.unwrap_or(self.which),
            quiet: change.quiet.unwrap_or(self.quiet),
            group_seconds: change.group_seconds.unwrap_or(self.group_seconds),
            allow_inside: change.allow_inside.unwrap_or(self.allow_inside),
            enabled: change.enabled.unwrap_or(self.enabled),
            name: self.name,
        }
    }
}

impl NotifyWay {
    /// What may be shown of it, and the address that is to be sealed, where there is one that is whole.
    pub(crate) fn sealed(self) -> (Self, Option<SecretString>) {
        let Self::Webhook { url } = self else { return (self, None) };
        let Some(parsed) = Url::parse(&url).ok().filter(|_| !url.ends_with(SEALED)) else {
            return (Self::Webhook { url }, None);
        };
        let site = parsed.origin().ascii_serialization();
        (Self::Webhook { url: format!("{site}{SEALED}") }, Some(SecretString::from(url)))
    }
}

/// Secrets that are to be stored, by their names.
type Stored = Vec<(String, SecretString)>;

impl NotifySecrets {
    /// Those that are to be stored, and the names of those that are to be deleted.
    ///
    /// # Errors
    /// `Invalid` for one that is too long, or that the way has no use for.
    pub(crate) fn sorted(self, way: &NotifyWay) -> Result<(Stored, Vec<&'static str>)> {
        let given = [self.password, self.token, self.signing_key, self.headers, self.urls];
        let (mut stored, mut deleted) = (Vec::new(), Vec::new());
        for (name, secret) in SECRET_NAMES.into_iter().zip(given) {
            let Some(secret) = secret else { continue };
            let length = secret.expose_secret().len();
            if length == 0 {
                deleted.push(name);
                continue;
            }
            if length > LONGEST_SECRET {
                return Err(Error::new(ErrorKind::Invalid, format!("take the secret {name:?}"))
                    .because(format!("it has {length} bytes"))
                    .next(format!("use at most {LONGEST_SECRET}")));
            }
            if !way.secrets().contains(&name) {
                return Err(Error::new(ErrorKind::Invalid, format!("take the secret {name:?}"))
                    .because(format!("a target by {} has no use for it", way.kind()))
                    .next(format!("give one of: {}", way.secrets().join(", "))));
            }
            stored.push((name.to_owned(), secret));
        }
        Ok((stored, deleted))
    }

    /// Which secrets a way has a use for.
    fn of(way: &NotifyWay) -> &'static [&'static str] {
        match way {
            NotifyWay::Email { .. } => &["password"],
            NotifyWay::Webhook { .. } => &["signing_key", "headers"],
            NotifyWay::Ntfy { .. } => &["token", "password"],
            NotifyWay::Gotify { .. } => &["token"],
            NotifyWay::Apprise {} => &["urls"],
        }
    }
}

impl NotifyWay {
    /// The names of the secrets that it has a use for.
    pub fn secrets(&self) -> &'static [&'static str] {
        NotifySecrets::of(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn webhook(url: &str) -> NotifyWay {
        NotifyWay::Webhook { url: url.to_owned() }
    }

    #[test]
    fn of_a_webhook_only_its_site_is_shown() {
        let (shown, secret) = webhook("https://hooks.example.org:8443/T0/secret?key=x").sealed();
        assert_eq!(shown, webhook("https://hooks.example.org:8443/…"));
        assert_eq!(secret.unwrap().expose_secret(), "https://hooks.example.org:8443/T0/secret?key=x");
        let (again, secret) = shown.clone().sealed();
        assert_eq!(again, shown);
        assert!(secret.is_none(), "what is shown is not taken for the address");
    }

    #[test]
    fn secrets_are_sorted_and_those_of_another_way_refused() {
        let secrets: NotifySecrets = serde_json::from_str(r#"{"signing_key":"k","headers":""}"#).unwrap();
        let (stored, deleted) = secrets.clone().sorted(&webhook("https://x/")).unwrap();
        assert_eq!((stored[0].0.as_str(), deleted), ("signing_key", vec!["headers"]));
        assert!(!format!("{secrets:?}").contains("\"k\""));
        let error = secrets.sorted(&NotifyWay::Apprise {}).unwrap_err();
        assert!(crate::report(&error).contains("urls"), "{error}");
        let long = NotifySecrets { token: Some("x".repeat(LONGEST_SECRET + 1).into()), ..NotifySecrets::default() };
        let gotify = NotifyWay::Gotify { server: "https://x".into() };
        assert_eq!(long.sorted(&gotify).unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn null_ends_quiet_hours_and_nothing_leaves_them() {
        let target: NotifyTarget =
            serde_json::from_str(r#"{"name":"t","way":{"kind":"apprise"},"quiet":{"from":"22:00","to":"06:00"}}"#)
                .unwrap();
        let change = |text: &str| serde_json::from_str::<NotifyTargetChange>(text).unwrap();
        assert!(target.clone().with(change(r#"{"enabled":false}"#)).quiet.is_some());
        assert!(target.with(change(r#"{"quiet":null}"#)).quiet.is_none());
    }
}
