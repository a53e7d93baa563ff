//! HTTP exchanges: written down without what logs in, and answered again.
//!
//! Of a request the method, the path and the parameters are kept; headers never are, since what logs in is in them.
//! What was sent as a secret is blanked out, in the answer too, and so is every field of an answer that hands a secret
//! out: tickets, CSRF tokens, passwords, keys, the one-time value of a new API token.

use async_trait::async_trait;
use bytes::Bytes as Body;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::record::{BLANK, Recorder, blank, blank_bytes};
use super::tape::{Bytes, Entry, Failed};
use super::{Answers, Replay, lock};
use crate::model::Problem;
use crate::transport::http::{Answer, HttpTransport, Request, Value, encode};
use crate::{Error, ErrorKind, Result};

/// Fields and parameters that hold secrets wherever they stand, in small letters.
const SECRET_FIELDS: [&str; 14] = [
    "ticket",
    "csrfpreventiontoken",
    "password",
    "new-password",
    "confirmation-password",
    "cipassword",
    "secret",
    "tfa-challenge",
    "privkey",
    "private-key",
    "encryption-key",
    "client-key",
    "keyring",
    "otp",
];

/// Fields that hold secrets below `/access` only: a new token's value, the codes of a second factor.
const SECRET_BELOW_ACCESS: [&str; 4] = ["value", "recovery", "challenge", "key"];

/// A secret shorter than this is blanked out where it stands alone, and not looked for inside other text: it would take
/// half of the text with it.
const SHORTEST_SOUGHT: usize = 6;

/// What makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct HttpAsked {
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    params: Vec<(String, String)>,
}

/// How an exchange ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum HttpRun {
    Failed { failed: Failed },
    Answered(HttpAnswered),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HttpAnswered {
    status: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    endpoint: String,
    body: Bytes,
}

impl HttpAsked {
    fn of(request: &Request) -> Self {
        let segments = request.path.iter().map(|segment| format!("/{}", encode(segment)));
        let param = |(name, value): &(String, Value)| {
            let shown = match value {
                Value::Plain(text) if !is_secret(name, &request.path) => text.clone(),
                Value::Plain(_) | Value::Secret(_) => BLANK.to_owned(),
            };
            (name.clone(), shown)
        };
        Self {
            method: request.method.as_str().to_owned(),
            path: segments.collect(),
            params: request.params.iter().map(param).collect(),
        }
    }
}

impl HttpRun {
    fn of(outcome: &Result<Answer>, request: &Request) -> Self {
        match outcome {
            Ok(answer) => Self::Answered(HttpAnswered {
                status: answer.status,
                reason: answer.reason.clone(),
                endpoint: answer.endpoint.clone(),
                body: Bytes(without_secrets(&answer.body, &request.path)),
            }),
            Err(error) => Self::Failed { failed: Failed { kind: error.kind(), said: crate::message(error) } },
        }
    }

    fn answer(self, request: &Request) -> Result<Answer> {
        match self {
            Self::Answered(HttpAnswered { status, reason, endpoint, body }) => {
                Ok(Answer { status, reason, endpoint, body: Body::from(body.0) })
            }
            Self::Failed { failed } => {
                Err(Error::new(failed.kind, format!("ask {request} when it was recorded")).because(failed.said))
            }
        }
    }
}

/// Takes secrets out of an exchange, wherever they show up.
pub(super) fn blank_exchange(asked: &mut HttpAsked, run: &mut HttpRun, secrets: &[&str]) {
    let texts: Vec<&str> = secrets.iter().copied().filter(|secret| secret.len() >= SHORTEST_SOUGHT).collect();
    let in_text =
        |text: &mut String| *text = texts.iter().fold(std::mem::take(text), |text, secret| blank(text, secret));
    in_text(&mut asked.path);
    asked.params.iter_mut().for_each(|(_, value)| in_text(value));
    match run {
        HttpRun::Answered(answered) => {
            in_text(&mut answered.reason);
            let body = std::mem::take(&mut answered.body.0);
            answered.body.0 = texts.iter().fold(body, |body, secret| blank_bytes(body, secret));
        }
        HttpRun::Failed { failed } => in_text(&mut failed.said),
    }
}

#[async_trait]
impl<T: HttpTransport> HttpTransport for Recorder<T> {
    async fn send(&self, request: &Request, headers: &HeaderMap) -> Result<Answer> {
        let outcome = self.inner().send(request, headers).await;
        let entry = Entry::Http { asked: HttpAsked::of(request), answer: HttpRun::of(&outcome, request) };
        let sent = secrets_sent(request, headers);
        self.note(entry, &sent.iter().map(String::as_str).collect::<Vec<_>>())?;
        outcome
    }

    fn endpoint(&self) -> String {
        self.inner().endpoint()
    }

    fn troubles(&self) -> Vec<(String, Problem)> {
        self.inner().troubles()
    }

    fn seen_by(&self, request: &Request) -> Vec<String> {
        self.inner().seen_by(request)
    }

    fn learn(&self, nodes: &[(String, String)]) {
        self.inner().learn(nodes);
    }
}

#[async_trait]
impl HttpTransport for Replay {
    async fn send(&self, request: &Request, _: &HeaderMap) -> Result<Answer> {
        let run = lock(&self.http).get_mut(&HttpAsked::of(request)).and_then(Answers::take);
        let run = run.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("ask {request} out of a recording"))
                .on(&self.label)
                .because("it was never recorded")
                .next("record the exchange anew, with this request in it")
        })?;
        run.answer(request)
    }

    fn endpoint(&self) -> String {
        self.label.clone()
    }

    fn troubles(&self) -> Vec<(String, Problem)> {
        Vec::new()
    }
}

/// What was sent and must not be read: secret parameters, and what logs in.
fn secrets_sent(request: &Request, headers: &HeaderMap) -> Vec<String> {
    let params = request.params.iter().filter_map(|(_, value)| match value {
        Value::Secret(_) => Some(value.expose().to_owned()),
        Value::Plain(_) => None,
    });
    let logging_in =
        headers.iter().filter(|(name, value)| value.is_sensitive() || [AUTHORIZATION, COOKIE].contains(name));
    let texts = logging_in.filter_map(|(_, value)| value.to_str().ok()).flat_map(|text| {
        // `PVEAPIToken=id=secret`, `PVEAuthCookie=ticket`: the name before the sign is no secret.
        let last = text.rsplit_once('=').map_or(text, |(_, secret)| secret);
        [text.to_owned(), last.to_owned()]
    });
    params.chain(texts).collect()
}

fn is_secret(field: &str, path: &[String]) -> bool {
    let field = field.to_ascii_lowercase();
    let below_access = path.first().is_some_and(|first| first == "access");
    SECRET_FIELDS.contains(&field.as_str()) || (below_access && SECRET_BELOW_ACCESS.contains(&field.as_str()))
}

/// A body in which every field that holds a secret is blanked out; what holds none stays byte for byte.
fn without_secrets(body: &[u8], path: &[String]) -> Vec<u8> {
    let Ok(mut json) = serde_json::from_slice::<Json>(body) else { return body.to_vec() };
    match blank_fields(&mut json, path) {
        true => json.to_string().into_bytes(),
        false => body.to_vec(),
    }
}

/// Blanks fields out; says whether there were any.
fn blank_fields(json: &mut Json, path: &[String]) -> bool {
    match json {
        Json::Object(fields) => fields.iter_mut().fold(false, |found, (name, field)| {
            let holds = matches!(field, Json::String(_) | Json::Array(_)) && is_secret(name, path);
            if holds {
                *field = Json::String(BLANK.to_owned());
            }
            (holds || blank_fields(field, path)) || found
        }),
        // Each of them is looked at, also after the first that holds one.
        Json::Array(items) => items.iter_mut().filter_map(|item| blank_fields(item, path).then_some(())).count() > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use reqwest::header::HeaderValue;
    use secrecy::SecretString;

    use super::*;
    use crate::transport::http::test_server::{Reply, TestServer};
    use crate::transport::http::{Client, Settings};

    fn client(server: &TestServer) -> Client {
        Client::new(&[server.endpoint()], &Settings::new("/api2/json")).unwrap()
    }

    #[tokio::test]
    async fn what_logs_in_is_in_no_recording() {
        let server = TestServer::start(|asked| {
            let body = match asked.line.as_str() {
                "POST /api2/json/access/ticket" => {
                    r#"{"data":{"ticket":"PVE:root@pam:6B0101::sig","CSRFPreventionToken":"6B01:csrf","username":"root@pam"}}"#
                }
                "POST /api2/json/access/users/a/token/b" => r#"{"data":{"value":"e0ff-new","full-tokenid":"a!b"}}"#,
                "GET /api2/json/echo" => "<p>you sent tok-secret-9 and hunter2hunter2</p>",
                _ => r#"{"data":{"value":7,"key":"ssh-rsa AAAA"}}"#,
            };
            Reply::json("200 OK", body)
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pve.jsonl");
        let recorder = Recorder::of_http(client(&server), &file, vec!["hunter2hunter2".into()]).unwrap();
        let none = HeaderMap::new();
        let password = SecretString::from("swordfish");
        let log_in = Request::post(["access", "ticket"]).param("username", "root@pam").secret("password", password);
        recorder.send(&log_in, &none).await.unwrap();
        let token = Request::post(["access", "users", "a", "token", "b"]).param("password", "typed-by-hand");
        let cookie = HeaderValue::from_static("PVEAuthCookie=PVE%3Aroot%40pam%3A6B0101%3A%3Asig");
        recorder.send(&token, &HeaderMap::from_iter([(COOKIE, cookie)])).await.unwrap();
        let bearer =
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("PVEAPIToken=a@pve!b=tok-secret-9"))]);
        recorder.send(&Request::get(["echo"]), &bearer).await.unwrap();
        recorder.send(&Request::get(["nodes"]), &bearer).await.unwrap();

        let text = std::fs::read_to_string(&file).unwrap();
        for secret in ["6B0101", "csrf\"", "e0ff", "tok-secret-9", "swordfish", "typed-by-hand", "hunter2"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let replay = Replay::open(&file).unwrap();
        assert_eq!(HttpTransport::endpoint(&replay), server.address.to_string());
        let again = replay.send(&log_in, &none).await.unwrap().json::<Json>("read it").unwrap();
        assert_eq!(
            again["data"],
            serde_json::json!({"ticket": BLANK, "CSRFPreventionToken": BLANK, "username": "root@pam"})
        );
        // Elsewhere the same names are no secrets, and what holds none stays byte for byte.
        let nodes = replay.send(&Request::get(["nodes"]), &none).await.unwrap();
        assert_eq!(nodes.body.as_ref(), br#"{"data":{"value":7,"key":"ssh-rsa AAAA"}}"#);
    }

    #[tokio::test]
    async fn odd_answers_and_failures_are_the_same_again() {
        let server = TestServer::start(|asked| match asked.line.as_str() {
            "GET /api2/json/far" => Reply::json("595 No route to host", ""),
            "GET /api2/json/page" => Reply::json("200 OK", "<html>"),
            _ => Reply::Cut,
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pve.jsonl");
        let recorder = Recorder::of_http(client(&server), &file, Vec::new()).unwrap();
        let none = HeaderMap::new();
        let requests = ["far", "page", "gone"].map(|path| Request::get([path]));
        let mut there = Vec::new();
        for request in &requests {
            there.push(recorder.send(request, &none).await);
        }
        let replay = Replay::open(&file).unwrap();
        for (request, outcome) in requests.iter().zip(there) {
            match (outcome, replay.send(request, &none).await) {
                (Ok(a), Ok(b)) => assert_eq!((a.status, a.reason, a.body), (b.status, b.reason, b.body)),
                (Err(a), Err(b)) => assert_eq!(a.kind(), b.kind()),
                (a, b) => panic!("{a:?} became {b:?}"),
            }
        }
        let error = replay.send(&Request::get(["never"]), &none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("GET /never"), "{error}");
    }
}
