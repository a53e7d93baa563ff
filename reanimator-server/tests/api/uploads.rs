//! Files handed over through HTTP: in parts, resumed, refused.

use axum::http::{Method, StatusCode};
use reanimator_core::model::Role;
use serde_json::json;

use crate::common::{Service, request};

#[tokio::test]
async fn a_file_comes_in_parts_and_goes_on_where_it_stopped() {
    let service = Service::empty().await;
    let operator = service.token(Role::Operator).await;
    let begun = service.post(&operator, "/api/v1/uploads", json!({ "name": "a.iso", "size": 11 })).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let path = format!("/api/v1/uploads/{}", begun.json()["id"].as_str().unwrap());
    let send = async |offset: &str, bytes: &'static str| {
        let asking = request(Method::PATCH, &path).bearer(&operator).header("upload-offset", offset);
        service.send(asking.raw(bytes)).await
    };
    assert_eq!(send("0", "hello ").await.ok()["offset"], 6);
    let head = service.send(request(Method::HEAD, &path).bearer(&operator).empty()).await;
    assert_eq!((head.status, &head.headers["upload-offset"]), (StatusCode::OK, &"6".parse().unwrap()));
    send("0", "hello ").await.problem(409, "conflict");
    send("six", "world").await.problem(422, "invalid");
    let whole = send("6", "world").await;
    assert_eq!(whole.headers["upload-offset"], "11");
    let whole = whole.ok();
    let sum = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    assert_eq!((&whole["complete"], &whole["sha256"]), (&json!(true), &json!(sum)));
    let gone = service.json(Method::DELETE, &operator, &path, json!({})).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    service.get(&operator, &path).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_part_may_be_larger_than_any_other_body() {
    let service = Service::empty().await;
    let operator = service.token(Role::Operator).await;
    let size = 5 * 1024 * 1024;
    let begun = service.post(&operator, "/api/v1/uploads", json!({ "name": "a.iso", "size": size })).await.ok();
    let path = format!("/api/v1/uploads/{}", begun["id"].as_str().unwrap());
    let asking = request(Method::PATCH, &path).bearer(&operator).header("upload-offset", "0");
    assert_eq!(service.send(asking.raw(vec![7; size])).await.ok()["complete"], true);
    let none = service.post(&operator, "/api/v1/uploads", json!({ "name": "a.iso", "size": 0 })).await;
    none.problem(422, "invalid");
}

#[tokio::test]
async fn a_file_is_its_owners_and_the_admins() {
    let service = Service::empty().await;
    let (admin, operator) = (service.token(Role::Admin).await, service.token(Role::Operator).await);
    let begin = async |who: &str| {
        let begun = service.post(who, "/api/v1/uploads", json!({ "name": "a.iso", "size": 2 })).await.json();
        format!("/api/v1/uploads/{}", begun["id"].as_str().unwrap())
    };
    let (of_admin, of_operator) = (begin(&admin).await, begin(&operator).await);
    service.json(Method::DELETE, &operator, &of_admin, json!({})).await.problem(403, "denied");
    let asking = request(Method::PATCH, &of_admin).bearer(&operator).header("upload-offset", "0");
    service.send(asking.raw("ab")).await.problem(403, "denied");
    assert_eq!(service.get(&admin, &of_admin).await.ok()["offset"], 0);
    for (who, path) in [(&admin, &of_admin), (&admin, &of_operator)] {
        assert_eq!(service.json(Method::DELETE, who, path, json!({})).await.status, StatusCode::NO_CONTENT);
    }
}
