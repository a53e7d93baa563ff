//! Reanimator over HTTP: the API, the live events and the web page.
//!
//! A thin frontend: it converts, calls [`reanimator_core`], and shows. [`serve`] runs the whole service with its
//! live loop; [`app`] is the same routes as a plain [`axum::Router`], for tests and for those who embed it.
//!
//! | room | what it does |
//! |---|---|
//! | `routes` | one file per resource |
//! | `auth` | who asks, and whether they may |
//! | `error` | failures as problem details |
//! | `json`, `list` | what clients send, and lists in pages |
//! | `tables`, `etag` | the dashboard's tables, made once for all, and whether they changed |
//! | `events` | the WebSocket of what happens |
//! | `terminal_socket` | the WebSocket of a terminal |
//! | `metrics` | `/metrics` |
//! | `openapi` | where routes come together, and their description |
//! | `page` | the built web page |
//! | `headers` | what stands on every answer, and host names |
//! | `serve`, `tls` | the listener |
//!
//! It refuses to listen beyond loopback without TLS, to be called by foreign names on loopback, to answer anyone
//! who is not logged in (but for `/health`, log-in, set-up and the page's files), bodies over 1 MiB, and requests
//! that take longer than two minutes.
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions};
//! use reanimator_server::{ServerOptions, serve};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run() -> reanimator_core::Result<()> {
//! let fleet = Fleet::open(FleetOptions::new("/var/lib/reanimator")).await?;
//! let stop = CancellationToken::new();
//! serve(fleet, ServerOptions::default(), stop, |ready| tracing::info!("listening at {}", ready.url)).await
//! # }
//! ```

mod app;
mod auth;
mod error;
mod etag;
mod events;
mod headers;
mod json;
mod list;
mod metrics;
mod openapi;
mod options;
mod page;
mod routes;
mod serve;
mod state;
mod tables;
mod terminal_socket;
mod tls;

pub use app::app;
pub use openapi::openapi_json;
pub use options::{Ready, ServerOptions, Tls};
pub use serve::serve;
pub use state::AppState;
