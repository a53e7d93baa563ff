//! Set-up, log-in, cookies, CSRF and where requests come from.

use crate::common::{ADMIN, PASSWORD, Service, request};
use axum::http::{Method, StatusCode, header};
use reanimator_core::model::Role;
use reanimator_server::{ServerOptions, Tls};
use secrecy::ExposeSecret;
use serde_json::json;

async fn setup_token(service: &Service) -> String {
    service.fleet.access().create_setup_token(service.fleet.now()).await.unwrap().expose_secret().to_owned()
}

async fn set_up(service: &Service, token: &str, password: &str) -> crate::common::Answer {
    let body = json!({ "token": token, "username": ADMIN, "password": password });
    service.send(request(Method::POST, "/api/v1/setup").json(&body)).await
}

#[tokio::test]
async fn the_first_admin_is_made_once_with_the_token_from_the_console() {
    let service = Service::empty().await;
    let needed = || service.send(request(Method::GET, "/api/v1/setup").empty());
    assert_eq!(needed().await.ok(), json!({ "needed": true }));
    let token = setup_token(&service).await;

    set_up(&service, "not the token", PASSWORD).await.problem(403, "denied");
    set_up(&service, &token, "too short").await.problem(422, "invalid");
    let answer = set_up(&service, &token, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let person = answer.person();
    let me = service.send(request(Method::GET, "/api/v1/me").cookie(&person).empty()).await.ok();
    assert_eq!(me, json!({ "name": ADMIN, "role": "admin", "kind": "user", "csrf": person.csrf }));

    assert_eq!(needed().await.ok(), json!({ "needed": false }));
    let again = set_up(&service, &token, PASSWORD).await;
    assert!(again.status.is_client_error(), "{}", again.text());
}

#[tokio::test]
async fn a_service_without_set_up_makes_nobody_admin() {
    let service = Service::with_options(ServerOptions { allow_setup: false, ..ServerOptions::default() }).await;
    assert_eq!(service.send(request(Method::GET, "/api/v1/setup").empty()).await.ok(), json!({ "needed": false }));
    let token = setup_token(&service).await;
    set_up(&service, &token, PASSWORD).await.problem(403, "denied");
}

#[tokio::test]
async fn the_cookie_is_for_our_own_pages_only() {
    let service = Service::empty().await;
    service.person(ADMIN, Role::Admin).await;
    let set = |answer: &crate::common::Answer| answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();

    let plain = set(&service.log_in(ADMIN, PASSWORD).await);
    assert!(plain.starts_with("reanimator="), "{plain}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age="] {
        assert!(plain.contains(attribute), "{attribute} is not in {plain}");
    }
    assert!(!plain.contains("Secure") && !plain.contains("Domain"), "{plain}");

    let service = Service::with_options(ServerOptions { tls: Tls::SelfMade, ..ServerOptions::default() }).await;
    service.person(ADMIN, Role::Admin).await;
    let answer = service.log_in(ADMIN, PASSWORD).await;
    let tls = set(&answer);
    assert!(tls.starts_with("__Host-reanimator=") && tls.contains("; Secure"), "{tls}");
    assert!(answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let service = Service::empty().await;
    service.person(ADMIN, Role::Admin).await;
    let wrong = service.log_in(ADMIN, "not the password").await.problem(401, "unauthenticated");
    let unknown = service.log_in("nobody", "not the password").await.problem(401, "unauthenticated");
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn log_in_is_slowed_and_says_when_to_come_back() {
    let service = Service::empty().await;
    for _ in 0..100 {
        let answer = service.log_in("nobody", "guess").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            answer.problem(429, "rate-limited");
            let after: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!(after > 0);
            return;
        }
    }
    panic!("a hundred guesses were taken");
}

#[tokio::test]
async fn a_change_by_cookie_needs_the_csrf_token_and_our_own_origin() {
    let service = Service::empty().await;
    let ada = service.person(ADMIN, Role::Admin).await;
    let body = json!({ "name": "bot", "role": "viewer" });
    let create = || request(Method::POST, "/api/v1/tokens").cookie(&ada);

    service.send(create().json(&body)).await.problem(403, "denied");
    service.send(create().header("x-csrf-token", "guessed").json(&body)).await.problem(403, "denied");
    let foreign = create().header("x-csrf-token", &ada.csrf).header("origin", "http://evil.example");
    service.send(foreign.json(&body)).await.problem(403, "denied");
    let other_port = create().header("x-csrf-token", &ada.csrf).header("origin", "http://127.0.0.1:1");
    service.send(other_port.json(&body)).await.problem(403, "denied");
    assert_eq!(service.fleet.access().tokens().await.unwrap().len(), 0);

    let answer = service.send(request(Method::POST, "/api/v1/tokens").by(&ada).json(&body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
}

#[tokio::test]
async fn another_session_s_csrf_token_does_not_fit() {
    let service = Service::empty().await;
    let ada = service.person(ADMIN, Role::Admin).await;
    let again = service.log_in(ADMIN, PASSWORD).await.person();
    assert_ne!(ada.csrf, again.csrf);
    let mixed = request(Method::POST, "/api/v1/logout").cookie(&ada).header("x-csrf-token", &again.csrf);
    service.send(mixed.empty()).await.problem(403, "denied");
}

#[tokio::test]
async fn log_in_from_a_foreign_page_is_refused() {
    let service = Service::empty().await;
    service.person(ADMIN, Role::Admin).await;
    let body = json!({ "username": ADMIN, "password": PASSWORD });
    let asking = request(Method::POST, "/api/v1/login").header("origin", "http://evil.example");
    service.send(asking.json(&body)).await.problem(403, "denied");
}

#[tokio::test]
async fn log_out_ends_the_session_at_once() {
    let service = Service::empty().await;
    let ada = service.person(ADMIN, Role::Admin).await;
    let answer = service.send(request(Method::POST, "/api/v1/logout").by(&ada).empty()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    service.send(request(Method::GET, "/api/v1/me").cookie(&ada).empty()).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_that_was_removed_lets_nobody_in() {
    let service = Service::empty().await;
    let token = service.token(Role::Viewer).await;
    let me = service.get(&token, "/api/v1/me").await.ok();
    assert_eq!(me, json!({ "name": "viewer-0", "role": "viewer", "kind": "token" }));
    service.fleet.access().revoke_token("viewer-0").await.unwrap();
    service.get(&token, "/api/v1/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn on_loopback_a_foreign_host_name_is_refused_everywhere() {
    let service = Service::empty().await;
    let token = service.token(Role::Viewer).await;
    for path in ["/", "/health", "/api/v1/me"] {
        let asking = axum::http::Request::builder().uri(path).header("host", "rebound.example:8420");
        let asking = asking.header("authorization", format!("Bearer {token}")).body(axum::body::Body::empty()).unwrap();
        service.send(asking).await.problem(403, "denied");
    }
}
