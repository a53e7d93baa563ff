#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use crate::store::SqliteStore;

use super::*;

const HOME: &str = "192.0.2.1";
const PASSWORD: &str = "correct horse";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn password(text: &str) -> NewPassword {
    NewPassword::checked(text.into()).unwrap()
}

async fn empty() -> Access {
    Access::new(Arc::new(SqliteStore::temporary().await.unwrap()))
}

async fn with_admin() -> Access {
    let access = empty().await;
    access.add_user("ada", password(PASSWORD), Role::Admin, at(0)).await.unwrap();
    access
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn the_setup_link_makes_one_admin_once() {
    let access = empty().await;
    assert!(access.setup_needed().await.unwrap());
    let old = access.create_setup_token(at(0)).await.unwrap();
    let link = access.create_setup_token(at(1)).await.unwrap();
    let set_up = async |token: &SecretString, now| {
        access.complete_setup(token.expose_secret(), "ada", password(PASSWORD), HOME, now).await
    };
    assert_eq!(kind(set_up(&old, at(2)).await), ErrorKind::Denied, "a newer link was made");
    assert_eq!(kind(set_up(&link, at(24 * 3600 + 2)).await), ErrorKind::Denied, "it is too old");
    let session = set_up(&link, at(3)).await.unwrap();
    assert_eq!((session.name.as_str(), session.role), ("ada", Role::Admin));
    let principal = access.authenticate(Credential::Cookie(&session.cookie), at(4)).await.unwrap();
    assert_eq!(principal.csrf(), Some(session.csrf.as_str()));
    assert!(!access.setup_needed().await.unwrap());
    assert_eq!(kind(set_up(&link, at(5)).await), ErrorKind::Denied, "it was used");
    assert_eq!(kind(access.create_setup_token(at(6)).await), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_session_lasts_a_day_or_until_logout() {
    let access = with_admin().await;
    let session = access.login("ada", PASSWORD.into(), HOME, at(0)).await.unwrap();
    let cookie = Credential::Cookie(&session.cookie);
    let principal = access.authenticate(cookie, at(24 * 3600 - 1)).await.unwrap();
    assert_eq!((principal.who().as_str(), principal.role, principal.kind), ("ada", Role::Admin, PrincipalKind::User));
    assert_eq!(kind(access.authenticate(cookie, at(24 * 3600)).await), ErrorKind::Unauthenticated);
    access.logout(&session.cookie).await.unwrap();
    assert_eq!(kind(access.authenticate(cookie, at(1)).await), ErrorKind::Unauthenticated);
    access.logout(&session.cookie).await.unwrap();
}

#[tokio::test]
async fn a_cookie_is_no_token_and_a_change_needs_the_csrf_word() {
    let access = with_admin().await;
    let session = access.login("ada", PASSWORD.into(), HOME, at(0)).await.unwrap();
    assert_eq!(kind(access.authenticate(Credential::Bearer(&session.cookie), at(1)).await), ErrorKind::Unauthenticated);
    let token = access.create_token("ci", Role::Viewer, at(0)).await.unwrap();
    assert_eq!(kind(access.authenticate(Credential::Cookie(&token), at(1)).await), ErrorKind::Unauthenticated);
    let person = access.authenticate(Credential::Cookie(&session.cookie), at(1)).await.unwrap();
    assert!(person.means_it(Some(&session.csrf)));
    assert!(!person.means_it(Some("guess")));
    assert!(!person.means_it(None));
    let program = access.authenticate(Credential::Bearer(&token), at(1)).await.unwrap();
    assert!(program.means_it(None));
}

#[tokio::test]
async fn wrong_name_and_wrong_password_are_the_same_and_are_slowed() {
    let access = with_admin().await;
    let nobody = access.login("nobody", PASSWORD.into(), HOME, at(0)).await.unwrap_err();
    let mistyped = access.login("ada", "wrong".into(), HOME, at(0)).await.unwrap_err();
    assert_eq!(crate::report(&nobody), crate::report(&mistyped));
    assert_eq!(mistyped.kind(), ErrorKind::Unauthenticated);
    for _ in 0..4 {
        assert_eq!(kind(access.login("ada", "wrong".into(), HOME, at(0)).await), ErrorKind::Unauthenticated);
    }
    let refused = access.login("ada", PASSWORD.into(), "192.0.2.99", at(0)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert_eq!(retry_after(&refused), Some(Duration::from_secs(1)));
    access.login("ada", PASSWORD.into(), "192.0.2.99", at(1)).await.unwrap();
    let trail = access.audit(None, 100).await.unwrap();
    assert_eq!(trail.len(), 7, "refused attempts leave no entry");
    assert_eq!(trail.last().unwrap().entry.who, "unknown", "what was typed as a name may be a password");
    assert_eq!(trail[0].entry.outcome, "ok");
}

#[tokio::test]
async fn the_last_admin_stays() {
    let access = with_admin().await;
    let demotion = || UserChange { role: Some(Role::Viewer), password: None };
    assert_eq!(kind(access.remove_user("ada").await), ErrorKind::Conflict);
    assert_eq!(kind(access.change_user("ada", demotion()).await), ErrorKind::Conflict);
    assert_eq!(access.users().await.unwrap()[0].role, Role::Admin);
    access.add_user("bob", password(PASSWORD), Role::Admin, at(0)).await.unwrap();
    access.change_user("ada", demotion()).await.unwrap();
    access.remove_user("ada").await.unwrap();
    assert_eq!(kind(access.remove_user("bob").await), ErrorKind::Conflict);
    assert_eq!(kind(access.remove_user("ada").await), ErrorKind::NotFound);
    assert_eq!(kind(access.add_user("bob", password(PASSWORD), Role::Viewer, at(0)).await), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_a_new_role_holds_at_once() {
    let access = with_admin().await;
    access.add_user("bob", password(PASSWORD), Role::Viewer, at(0)).await.unwrap();
    let ada = access.login("ada", PASSWORD.into(), HOME, at(0)).await.unwrap();
    let bob = access.login("bob", PASSWORD.into(), HOME, at(0)).await.unwrap();
    access.change_user("bob", UserChange { role: Some(Role::Operator), password: None }).await.unwrap();
    let principal = access.authenticate(Credential::Cookie(&bob.cookie), at(1)).await.unwrap();
    assert_eq!(principal.role, Role::Operator);
    let change = UserChange { role: None, password: Some(password("battery staple")) };
    access.change_user("bob", change).await.unwrap();
    assert_eq!(kind(access.authenticate(Credential::Cookie(&bob.cookie), at(1)).await), ErrorKind::Unauthenticated);
    access.authenticate(Credential::Cookie(&ada.cookie), at(1)).await.unwrap();
    assert_eq!(kind(access.login("bob", PASSWORD.into(), HOME, at(1)).await), ErrorKind::Unauthenticated);
    let bob = access.login("bob", "battery staple".into(), HOME, at(1)).await.unwrap();
    assert_eq!(bob.role, Role::Operator);
    access.remove_user("bob").await.unwrap();
    assert_eq!(kind(access.authenticate(Credential::Cookie(&bob.cookie), at(1)).await), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_token_is_shown_once_used_often_and_revoked() {
    let access = empty().await;
    let token = access.create_token("ci", Role::Viewer, at(0)).await.unwrap();
    assert!(token.expose_secret().starts_with("rnm_"));
    assert_eq!(kind(access.create_token("ci", Role::Admin, at(0)).await), ErrorKind::Conflict);
    let principal = access.authenticate(Credential::Bearer(&token), at(10)).await.unwrap();
    assert_eq!((principal.who().as_str(), principal.kind), ("token:ci", PrincipalKind::Token));
    assert_eq!(kind(principal.require(Role::Operator, "rename a host")), ErrorKind::Denied);
    access.authenticate(Credential::Bearer(&token), at(69)).await.unwrap();
    assert_eq!(access.tokens().await.unwrap()[0].last_used_at, Some(at(10)), "noted once a minute");
    access.authenticate(Credential::Bearer(&token), at(70)).await.unwrap();
    assert_eq!(access.tokens().await.unwrap()[0].last_used_at, Some(at(70)));
    access.revoke_token("ci").await.unwrap();
    assert_eq!(kind(access.authenticate(Credential::Bearer(&token), at(80)).await), ErrorKind::Unauthenticated);
    assert_eq!(kind(access.revoke_token("ci").await), ErrorKind::NotFound);
}

#[tokio::test]
async fn names_fit_into_the_trail_and_into_paths() {
    let access = empty().await;
    for name in ["", "local:root", "a b", "a/b", "new\nline", &"x".repeat(65)] {
        let added = access.add_user(name, password(PASSWORD), Role::Admin, at(0)).await;
        assert_eq!(kind(added), ErrorKind::Invalid, "{name:?}");
        assert_eq!(kind(access.create_token(name, Role::Admin, at(0)).await), ErrorKind::Invalid, "{name:?}");
    }
    access.create_token("jürgen.ci+1@example", Role::Viewer, at(0)).await.unwrap();
}

#[tokio::test]
async fn the_trail_is_read_backwards_by_pages() {
    let access = empty().await;
    for number in 0..5 {
        access.record("local:root", "local", "exec", &format!("host {number}"), "ok", at(number)).await.unwrap();
    }
    let page = access.audit(None, 2).await.unwrap();
    let on = |page: &[StoredAuditEntry]| page.iter().map(|row| row.entry.on.clone()).collect::<Vec<_>>();
    assert_eq!(on(&page), ["host 4", "host 3"]);
    let page = access.audit(Some(page[1].number), 10).await.unwrap();
    assert_eq!(on(&page), ["host 2", "host 1", "host 0"]);
    access.record("x", "local", "exec", &"é".repeat(5000), "ok", at(9)).await.unwrap();
    assert_eq!(access.audit(None, 1).await.unwrap()[0].entry.on.chars().count(), 1001);
}

#[tokio::test]
async fn debug_of_everything_shows_no_secret() {
    let access = with_admin().await;
    let session = access.login("ada", PASSWORD.into(), HOME, at(0)).await.unwrap();
    let token = access.create_token("ci", Role::Viewer, at(0)).await.unwrap();
    let principal = access.authenticate(Credential::Cookie(&session.cookie), at(0)).await.unwrap();
    let users = access.users().await.unwrap();
    let tokens = access.tokens().await.unwrap();
    let change = UserChange { role: None, password: Some(password(PASSWORD)) };
    let shown = format!(
        "{access:?} {session:?} {principal:?} {users:?} {tokens:?} {change:?} {:?}",
        Credential::Bearer(&token)
    );
    let hash = users[0].password_hash.rsplit('$').next().unwrap();
    for secret in [session.cookie.expose_secret(), token.expose_secret(), PASSWORD, hash, &session.csrf] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(Principal::local().who().starts_with("local:"));
}
