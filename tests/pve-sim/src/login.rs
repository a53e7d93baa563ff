//! Logging in: tokens in a header, tickets in a cookie, the CSRF token.
//!
//! Tickets are signed with the cluster's key and checked without a memory, so
//! each node of a cluster takes the tickets of the others. They live two hours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

use crate::access::{Access, Caller};
use crate::refusal::Refusal;

/// How long a ticket is good for, in seconds.
const TICKET_LIFE: i64 = 7200;

/// What a request brings to say who it is from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    /// The value of the `PVEAuthCookie` cookie, percent-decoded.
    pub(crate) ticket: Option<String>,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The `CSRFPreventionToken` header.
    pub(crate) csrf: Option<String>,
}

fn sign(access: &Access, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(access.ticket_key.as_bytes());
    hash.update(text.as_bytes());
    STANDARD_NO_PAD.encode(hash.finalize())
}

/// A ticket for a user who has shown who they are.
pub(crate) fn ticket(access: &Access, user: &str, now: f64) -> String {
    let plain = format!("PVE:{user}:{:08X}", now as i64);
    format!("{plain}::{}", sign(access, &plain))
}

/// The token that a request with a ticket needs to change something.
pub(crate) fn csrf_token(access: &Access, user: &str, now: f64) -> String {
    let time = format!("{:08X}", now as i64);
    format!("{time}:{}", sign(access, &format!("{time}:{user}")))
}

/// Who a ticket is for, where it is genuine and not too old.
pub(crate) fn verify_ticket(access: &Access, ticket: &str, now: f64) -> Option<String> {
    let (plain, signature) = ticket.split_once("::")?;
    let (user, time) = plain.strip_prefix("PVE:")?.rsplit_once(':')?;
    let age = now as i64 - i64::from_str_radix(time, 16).ok()?;
    let good = signature == sign(access, plain) && (-300..TICKET_LIFE).contains(&age);
    let known = access.users.get(user).is_some_and(|user| user.enable);
    (good && known).then(|| user.to_owned())
}

fn verify_csrf(access: &Access, user: &str, token: &str) -> bool {
    token.split_once(':').is_some_and(|(time, signature)| signature == sign(access, &format!("{time}:{user}")))
}

/// Finds out who a request is from. A cookie wins over a header.
///
/// # Errors
/// Status 401 with an empty body, as the real web server answers.
pub(crate) fn authenticate(
    access: &Access,
    credentials: &Credentials,
    method: &str,
    now: f64,
) -> Result<Caller, Refusal> {
    if let Some(ticket) = &credentials.ticket {
        let user = verify_ticket(access, ticket, now)
            .ok_or_else(|| Refusal::unauthorized("permission denied - invalid PVE ticket"))?;
        let guarded = credentials.csrf.as_deref().is_some_and(|token| verify_csrf(access, &user, token));
        if method != "GET" && !guarded {
            return Err(Refusal::unauthorized("Permission denied - invalid csrf token"));
        }
        return Ok(Caller::user(&user));
    }
    let token = credentials
        .authorization
        .as_deref()
        .and_then(|header| header.strip_prefix("PVEAPIToken"))
        .and_then(|rest| rest.strip_prefix(['=', ' ']))
        .ok_or_else(|| Refusal::unauthorized("No ticket"))?;
    verify_token(access, token, now).ok_or_else(|| Refusal::unauthorized("Authentication failed!"))
}

/// Checks `USER@REALM!NAME=SECRET`.
fn verify_token(access: &Access, text: &str, now: f64) -> Option<Caller> {
    let (full_name, secret) = text.split_once('=')?;
    let (user, name) = full_name.split_once('!')?;
    let owner = access.users.get(user).filter(|user| user.enable)?;
    let token = owner.tokens.get(name)?;
    let fresh = token.expire == 0 || token.expire > now as i64;
    (fresh && token.secret == secret).then(|| Caller { user: user.to_owned(), token: Some(name.to_owned()) })
}

/// Checks a password, or an old ticket in its place.
pub(crate) fn verify_password(access: &Access, user: &str, password: &str, now: f64) -> bool {
    if password.starts_with("PVE:") {
        return verify_ticket(access, password, now).as_deref() == Some(user);
    }
    access.users.get(user).is_some_and(|user| user.enable && user.password.as_deref() == Some(password))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::access::User;

    fn access() -> Access {
        let mut access = Access { ticket_key: "key".to_owned(), ..Access::default() };
        let root = User { enable: true, ..User::default() };
        access.users.insert("root@pam".to_owned(), root);
        access
    }

    #[test]
    fn a_ticket_is_good_for_two_hours_and_not_when_changed() {
        let access = access();
        let ticket = ticket(&access, "root@pam", 1000.0);
        assert_eq!(verify_ticket(&access, &ticket, 8000.0).as_deref(), Some("root@pam"));
        assert_eq!(verify_ticket(&access, &ticket, 8200.0), None);
        assert_eq!(verify_ticket(&access, &format!("{ticket}x"), 1000.0), None);
    }

    #[test]
    fn writing_with_a_ticket_needs_the_csrf_token() {
        let access = access();
        let mut credentials = Credentials { ticket: Some(ticket(&access, "root@pam", 0.0)), ..Credentials::default() };
        assert!(authenticate(&access, &credentials, "GET", 1.0).is_ok());
        let refusal = authenticate(&access, &credentials, "POST", 1.0).unwrap_err();
        assert_eq!(refusal.reason, "Permission denied - invalid csrf token");
        credentials.csrf = Some(csrf_token(&access, "root@pam", 0.0));
        assert!(authenticate(&access, &credentials, "POST", 1.0).is_ok());
    }
}
