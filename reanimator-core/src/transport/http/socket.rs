//! A WebSocket to an endpoint, over the same pinned TLS as its requests, on a connection of its own.

use std::{sync::Arc, time::Duration};

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig},
};
use url::Url;

use super::{
    answer::{Answer, excerpt},
    certificate::{self, Trust},
    request::Request,
};
use crate::{Error, ErrorKind, Result};

/// The largest message that is taken.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// An open WebSocket.
pub type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// What came of asking for a WebSocket.
pub enum Upgraded {
    /// It is open.
    Socket(Box<Socket>),
    /// The far side answered something else.
    Refused(Answer),
}

impl std::fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(_) => f.write_str("Socket"),
            Self::Refused(answer) => f.debug_tuple("Refused").field(answer).finish(),
        }
    }
}

/// Opens one at `root`, speaking `protocol`.
pub(super) async fn open(
    root: &Url,
    trust: Trust,
    request: &Request,
    headers: &HeaderMap,
    protocol: &'static str,
    limit: Duration,
) -> Result<Upgraded> {
    let endpoint = format!("{}:{}", root.host_str().unwrap_or_default(), root.port_or_known_default().unwrap_or(443));
    let late = || {
        Error::new(ErrorKind::Timeout, format!("open {request}"))
            .on(&endpoint)
            .because(format!("no answer within {} s", limit.as_secs_f64()))
            .next("check the load there")
    };
    let opening = opened(root, &endpoint, trust, request, headers, protocol);
    tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(late()))
}

async fn opened(
    root: &Url,
    endpoint: &str,
    trust: Trust,
    request: &Request,
    headers: &HeaderMap,
    protocol: &'static str,
) -> Result<Upgraded> {
    let attempt = || format!("open {request}");
    let unreachable = |error: std::io::Error| match certificate::refusal(&error) {
        Some(refused) => refused.into_error(attempt(), endpoint),
        None => Error::new(ErrorKind::Unreachable, attempt())
            .on(endpoint)
            .because(error.to_string())
            .next("check that the node is up and the address right")
            .from_source(error),
    };
    let invalid = |why: String| Error::new(ErrorKind::Invalid, attempt()).on(endpoint).because(why);
    let host = root.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), root.port_or_known_default().unwrap_or(443))).await;
    let stream = stream.map_err(unreachable)?;
    // Only costs speed where it is refused.
    let _slower = stream.set_nodelay(true);
    let name = ServerName::try_from(host).map_err(|error| invalid(error.to_string()))?;
    let tls = TlsConnector::from(Arc::new(trust.config()?)).connect(name, stream).await.map_err(unreachable)?;
    let mut url = request.url(root)?;
    // TLS is there already; the scheme only says what the request is.
    url.set_scheme("wss").map_err(|()| invalid("its address cannot be that of a WebSocket".to_owned()))?;
    let mut ask = url.as_str().into_client_request().map_err(|error| invalid(error.to_string()))?;
    for name in [AUTHORIZATION, COOKIE] {
        if let Some(value) = headers.get(&name) {
            ask.headers_mut().insert(name, value.clone());
        }
    }
    ask.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE))
        .write_buffer_size(0);
    match client_async_with_config(ask, tls, Some(config)).await {
        Ok((socket, _)) => Ok(Upgraded::Socket(Box::new(socket))),
        Err(tungstenite::Error::Http(response)) => {
            let body = bytes::Bytes::from(response.body().clone().unwrap_or_default());
            let reason = response.status().canonical_reason().unwrap_or_default().to_owned();
            let reason = if body.is_empty() { reason } else { excerpt(&body) };
            let status = response.status().as_u16();
            Ok(Upgraded::Refused(Answer { status, reason, body, endpoint: endpoint.to_owned() }))
        }
        Err(tungstenite::Error::Io(error)) => Err(unreachable(error)),
        Err(error) => Err(Error::new(ErrorKind::Protocol, attempt())
            .on(endpoint)
            .because(error.to_string())
            .next("look at what stands before the API: it must pass WebSockets on")),
    }
}
