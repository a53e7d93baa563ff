//! A TLS server for tests that answers with given bytes, well-formed or not.
#![allow(clippy::unwrap_used)]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};

use super::fingerprint_text;
use crate::model::Endpoint;

/// What the server does with one request.
pub(crate) enum Reply {
    /// Sends these bytes as they are and closes.
    Bytes(Vec<u8>),
    /// Closes without a word.
    Cut,
    /// Says nothing for ever.
    Silence,
    /// Sends the bytes once it is told to.
    Held(Arc<Notify>, Vec<u8>),
}

impl Reply {
    /// An answer with a body of JSON.
    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::Bytes(
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                .into_bytes(),
        )
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The first line without the version: `GET /api2/json/version`.
    pub(crate) line: String,
    /// All headers, as they came.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

/// A server on a loopback port of its own; it ends with the test.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) fingerprint: String,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    /// Requests under way now.
    pub(crate) under_way: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestServer {
    /// Starts one with a certificate of its own.
    pub(crate) async fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = CertificateDer::from(key.cert.der().to_vec());
        let sha256: [u8; 32] = Sha256::digest(&certificate).into();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, under_way) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, count) = (Arc::clone(&asked), Arc::clone(&under_way));
        let task = tokio::spawn(async move {
            // Dropped with the listening task, so that nothing outlives the test.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, handler) = (acceptor.clone(), Arc::clone(&handler));
                let (log, count) = (Arc::clone(&log), Arc::clone(&count));
                connections.spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(asked) = read_request(&mut stream).await else { return };
                    log.lock().unwrap().push(asked.clone());
                    count.fetch_add(1, Ordering::SeqCst);
                    answer(&mut stream, handler(&asked)).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, fingerprint: fingerprint_text(&sha256), asked, under_way, task }
    }

    /// Its endpoint, pinned.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { url: format!("https://{}", self.address), fingerprint: Some(self.fingerprint.clone()), node: None }
    }

    /// The first lines of all requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.line.clone()).collect()
    }
}

async fn read_request<S: AsyncReadExt + Unpin>(stream: &mut S) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse().unwrap());
            if body.len() >= length {
                let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
                return Some(Asked { line, head: head.to_owned(), body: body.to_owned() });
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

async fn answer<S: AsyncWriteExt + Unpin>(stream: &mut S, reply: Reply) {
    let bytes = match reply {
        Reply::Bytes(bytes) => bytes,
        Reply::Cut => return,
        Reply::Silence => return std::future::pending().await,
        Reply::Held(told, bytes) => {
            told.notified().await;
            bytes
        }
    };
    // A client that has gone away is the test's own doing.
    let _written = stream.write_all(&bytes).await;
    let _closed = stream.shutdown().await;
}
