//! A small HTTPS client for the tests: status, reason phrase, body.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs)]

use std::sync::Once;
use std::time::Duration;

use pve_sim::{Options, Sim};
use reqwest::{Client, Method};
use serde_json::Value;

/// A simulation for tests: quick tasks, refusals without a wait.
pub async fn start(nodes: u32) -> Sim {
    start_with(Options { nodes, guests: 8, ..quick() }).await
}

pub fn quick() -> Options {
    Options { login_delay: Duration::ZERO, task_time: Duration::from_millis(50), ..Options::default() }
}

pub async fn start_with(options: Options) -> Sim {
    Sim::start(options).await.unwrap()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["data"].clone()
    }
}

/// A client that says who it is by a token.
pub struct Api {
    client: Client,
    pub url: String,
    pub token: Option<String>,
    pub headers: Vec<(&'static str, String)>,
}

impl Api {
    pub fn new(url: &str, token: Option<&str>) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .pool_idle_timeout(Duration::from_secs(4))
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self { client, url: url.to_owned(), token: token.map(str::to_owned), headers: Vec::new() }
    }

    /// The first node of a simulation, with the token that may do everything.
    pub fn of(sim: &Sim) -> Self {
        Self::new(&sim.info().url, Some(&sim.info().token))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[]).await.unwrap()
    }

    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        self.send("POST", path, params).await.unwrap()
    }

    pub async fn send(&self, method: &str, path: &str, params: &[(&str, &str)]) -> reqwest::Result<Answer> {
        let method: Method = method.parse().unwrap();
        let url = format!("{}/api2/json{path}", self.url);
        let mut request = self.client.request(method.clone(), url);
        request = match method {
            Method::GET | Method::DELETE => request.query(params),
            _ => request.form(params),
        };
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("PVEAPIToken={token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await?;
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
        let reason = reason.map_or_else(
            || response.status().canonical_reason().unwrap_or_default().to_owned(),
            |reason| String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        );
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer { status, reason, text })
    }

    /// Waits until a task has ended and gives its `exitstatus`.
    pub async fn wait(&self, upid: &Value) -> String {
        let upid = upid.as_str().unwrap();
        let node = upid.split(':').nth(1).unwrap();
        let id = upid.replace('@', "%40").replace('!', "%21").replace(':', "%3A");
        for _ in 0..200 {
            let status = self.get(&format!("/nodes/{node}/tasks/{id}/status")).await.data();
            if status["status"] == "stopped" {
                return status["exitstatus"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{upid} did not end");
    }
}
