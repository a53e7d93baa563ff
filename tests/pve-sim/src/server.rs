//! HTTPS: takes requests at a node's address and writes answers in the manner
//! of pveproxy (reason phrases, headers, closed connections after an error).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::faults::Fault;
use crate::login::Credentials;
use crate::params::Params;
use crate::refusal::{Answer, Refusal};
use crate::uploads;
use crate::world::{Request, World};

/// The largest body that is taken, as pveproxy has it.
const LARGEST_BODY: usize = 512 << 10;

/// How long an idle connection is kept, as pveproxy has it.
const IDLE: Duration = Duration::from_secs(5);

/// Serves one node's API at an address until the simulation stops.
pub(crate) async fn serve(world: Arc<World>, door: usize, at: (TcpListener, SocketAddr), stop: watch::Receiver<bool>) {
    let inner = Arc::clone(&world);
    listen(world, door, 0, at, stop, move |stream| connection(Arc::clone(&inner), door, stream)).await;
}

/// Listens for a node until the simulation stops; closed while it is down.
/// `which` of the node's addresses this is says where to note that it is open.
pub(crate) async fn listen<Work>(
    world: Arc<World>,
    door: usize,
    which: usize,
    (listener, address): (TcpListener, SocketAddr),
    mut stop: watch::Receiver<bool>,
    work: impl Fn(TcpStream) -> Work,
) where
    Work: Future<Output = ()> + Send + 'static,
{
    let mut listener = Some(listener);
    let mut wanted = world.doors[door].wanted.subscribe();
    loop {
        if !*wanted.borrow_and_update() {
            listener = None;
        } else if listener.is_none() {
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                Err(error) => tracing::error!(%address, %error, "cannot listen again"),
            }
        }
        world.doors[door].open[which].send_replace(listener.is_some());
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.changed() => return,
            changed = wanted.changed() => if changed.is_err() { return },
            Ok((stream, _)) = accepted => {
                if let Some((stream, cut)) = split_off(stream) {
                    tokio::spawn(until_cut(work(stream), cut, wanted.clone(), stop.clone()));
                }
            }
        }
    }
}

/// Works on a connection until it ends, the node goes down or all stops.
async fn until_cut(
    work: impl Future<Output = ()>,
    cut: std::net::TcpStream,
    mut wanted: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = work => {}
        _ = stop.changed() => {}
        _ = wanted.wait_for(|up| !up) => {}
    }
    // Nothing to do where the other side was quicker.
    let _ = cut.shutdown(std::net::Shutdown::Both);
}

/// A second handle on a socket, so that it can be cut under a library that
/// keeps tasks of its own.
fn split_off(stream: TcpStream) -> Option<(TcpStream, std::net::TcpStream)> {
    let plain = stream.into_std().ok()?;
    let cut = plain.try_clone().ok()?;
    Some((TcpStream::from_std(plain).ok()?, cut))
}

async fn connection(world: Arc<World>, door: usize, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let config = world.doors[door].identity.config();
    let stream = match tokio_rustls::TlsAcceptor::from(config).accept(stream).await {
        Ok(stream) => stream,
        Err(error) => return tracing::debug!(%error, "no TLS session"),
    };
    // Held by each console that goes on over this connection: it ends with the last of them.
    let (alive, mut gone) = mpsc::channel::<Infallible>(1);
    let service = service_fn(|request| {
        let (world, alive) = (Arc::clone(&world), alive.clone());
        async move { Ok::<_, Infallible>(respond(&world, door, request, alive).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
    drop(alive);
    let _nothing_is_ever_sent = gone.recv().await;
}

async fn respond(
    world: &World,
    door: usize,
    mut request: hyper::Request<Incoming>,
    alive: mpsc::Sender<Infallible>,
) -> Response<Full<Bytes>> {
    let console = Entrance::of(&mut request);
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    if path == "/" {
        return page("<html><head><title>Proxmox Virtual Environment</title></head></html>");
    }
    let Some(rest) = path.strip_prefix("/api2/json") else {
        return refuse(&Refusal::bare(501, "no such uri"));
    };
    let rest = if rest.is_empty() { "/" } else { rest };
    let (params, has_body) = if uploads::is_upload(head.method.as_str(), rest) {
        match take_in(world, door, &head.headers, body).await {
            Ok(params) => (params, true),
            Err(refusal) => return refuse(&refusal),
        }
    } else {
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return refuse(&Refusal::bare(501, "for data too large"));
        };
        let body = body.to_bytes();
        match params(&head.headers, head.uri.query().unwrap_or_default(), &body) {
            Ok(params) => (params, !body.is_empty()),
            Err(refusal) => return refuse(&refusal),
        }
    };
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: rest.to_owned(),
        segments: Request::segments_of(rest),
        params,
        credentials: credentials(&head.headers),
        has_body,
        far: None,
    };
    world.count(door, &request.segments);
    let fault = world.meet(door, &request);
    if let Some((Fault::Late, delay)) = fault {
        let answer = world.answer(door, request);
        tokio::time::sleep(delay).await;
        return respond_with(write(answer));
    }
    if let Some((_, delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    match fault.map(|fault| fault.0) {
        Some(Fault::Unreachable) => refuse(&Refusal::no_route()),
        Some(Fault::TimedOut) => refuse(&Refusal::bare(596, "Connection timed out")),
        Some(Fault::Unauthorized) => refuse(&Refusal::bare(401, "permission denied - invalid PVE ticket")),
        Some(Fault::Forbidden) => refuse(&Refusal::forbidden(&format!("{rest}, simulated"))),
        Some(Fault::Html) => page("<html><body><h1>Welcome to nginx!</h1></body></html>"),
        Some(Fault::HalfJson) => half(write(world.answer(door, request))),
        Some(Fault::Slow | Fault::Late) | None => {
            let answer = world.answer(door, request);
            if let (Some(entrance), Ok(reply)) = (console, &answer) {
                return entrance.open(world, door, &reply.data, alive);
            }
            if matches!(&answer, Err(refusal) if refusal.delayed) {
                tokio::time::sleep(world.login_delay).await;
            }
            let bytes = write(answer);
            respond_with(bytes)
        }
    }
}

/// A request that wants to become a console's WebSocket.
struct Entrance {
    upgrade: hyper::upgrade::OnUpgrade,
    accept: String,
}

impl Entrance {
    fn of(request: &mut hyper::Request<Incoming>) -> Option<Self> {
        if !request.uri().path().ends_with("/vncwebsocket") {
            return None;
        }
        let key = request.headers().get("sec-websocket-key")?.as_bytes().to_owned();
        // pveproxy speaks this one alone.
        request.headers().get("sec-websocket-protocol").filter(|named| *named == "binary")?;
        let upgrade = hyper::upgrade::on(request);
        Some(Self { upgrade, accept: derive_accept_key(&key) })
    }

    /// Goes over to the WebSocket. The port that the answer names is free again.
    fn open(self, world: &World, door: usize, data: &Value, alive: mpsc::Sender<Infallible>) -> Response<Full<Bytes>> {
        let port = data["port"].as_str().and_then(|port| port.parse::<u16>().ok()).unwrap_or_default();
        let console = world.cluster(world.doors[door].cluster).consoles.remove(&port);
        let Some(console) = console else { return refuse(&Refusal::died("no such console")) };
        tokio::spawn(async move {
            match self.upgrade.await {
                Ok(upgraded) => crate::consoles::serve(console, upgraded).await,
                Err(error) => tracing::debug!(%error, "a console was not entered"),
            }
            drop(alive);
        });
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert("Upgrade", HeaderValue::from_static("websocket"));
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("binary"));
        if let Ok(accept) = HeaderValue::try_from(self.accept) {
            headers.insert("Sec-WebSocket-Accept", accept);
        }
        response
    }
}

/// Takes a file in, and gives the parameters that came with it and where it
/// lies.
async fn take_in(world: &World, door: usize, headers: &HeaderMap, body: Incoming) -> Result<Params, Refusal> {
    let (mut params, received) = uploads::receive(headers, body).await?;
    let place = format!("/var/tmp/pveupload-{}", uuid::Uuid::new_v4().simple());
    params.set("tmpfilename", Value::String(place.clone()));
    world.cluster(world.doors[door].cluster).received.insert(place, received);
    Ok(params)
}

impl World {
    fn meet(&self, door: usize, request: &Request) -> Option<(Fault, Duration)> {
        let door = &self.doors[door];
        let cluster = format!("sim{}", door.cluster + 1);
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).meet(
            &cluster,
            &door.name,
            &request.path,
            &request.segments,
        )
    }
}

fn credentials(headers: &HeaderMap) -> Credentials {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let ticket = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(text)
        .flat_map(|line| line.split(';').map(|pair| pair.trim().to_owned()).collect::<Vec<_>>())
        .find_map(|pair| pair.strip_prefix("PVEAuthCookie=").map(str::to_owned))
        .map(|value| Request::segments_of(&value.replace('/', "%2F")).concat());
    Credentials {
        ticket,
        authorization: headers.get(AUTHORIZATION).and_then(text),
        csrf: headers.get("CSRFPreventionToken").and_then(text),
    }
}

fn params(headers: &HeaderMap, query: &str, body: &Bytes) -> Result<Params, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let mut params = if kind.starts_with("application/json") && !body.is_empty() {
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| Refusal::bare(400, format!("malformed JSON string: {error}")))?;
        let mut params = Params::default();
        for (name, value) in value.as_object().into_iter().flatten() {
            params.set(name, value.clone());
        }
        params
    } else {
        Params::from_form(&text)
    };
    for (name, value) in Params::from_form(query).iter() {
        params.set(name, value.clone());
    }
    Ok(params)
}

/// An answer's status, reason and body.
struct Written {
    status: u16,
    reason: String,
    body: String,
}

fn write(answer: Answer) -> Written {
    match answer {
        Ok(reply) => {
            let mut body = json!({"data": reply.data});
            if let Some(total) = reply.total {
                body["total"] = json!(total);
            }
            Written { status: 200, reason: "OK".to_owned(), body: body.to_string() }
        }
        Err(refusal) => Written {
            status: refusal.status,
            reason: refusal.reason,
            body: refusal.body.map(|body| body.to_string()).unwrap_or_default(),
        },
    }
}

fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    respond_with(write(Err(refusal.clone())))
}

/// The answer with the second half of its body missing.
fn half(mut written: Written) -> Response<Full<Bytes>> {
    let mut middle = written.body.len() / 2;
    while !written.body.is_char_boundary(middle) {
        middle -= 1;
    }
    written.body.truncate(middle);
    respond_with(written)
}

fn page(text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn respond_with(written: Written) -> Response<Full<Bytes>> {
    let has_body = !written.body.is_empty();
    let mut response = Response::new(Full::new(Bytes::from(written.body)));
    *response.status_mut() = StatusCode::from_u16(written.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(reason) = ReasonPhrase::try_from(written.reason) {
        response.extensions_mut().insert(reason);
    }
    let headers = response.headers_mut();
    let fixed = |text: &'static str| HeaderValue::from_static(text);
    headers.insert("Server", fixed("pve-api-daemon/3.0"));
    headers.insert("Cache-Control", fixed("max-age=0"));
    headers.insert("Pragma", fixed("no-cache"));
    if has_body {
        headers.insert(CONTENT_TYPE, fixed("application/json;charset=UTF-8"));
    }
    let close = written.status >= 300;
    headers.insert(CONNECTION, fixed(if close { "close" } else { "Keep-Alive" }));
    response
}
