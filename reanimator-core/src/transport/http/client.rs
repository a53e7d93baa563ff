//! Sends requests to whichever of several endpoints answers.

use std::{
    fmt,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use tokio::{sync::Semaphore, time::Instant};
use url::Url;

use super::{
    HttpTransport,
    answer::{Answer, BODY_LIMIT, BodyFailure, excerpt, read_body},
    certificate::{self, Trust},
    failure::Failure,
    form::{Form, FormFile},
    request::Request,
    socket::{self, Upgraded},
};
use crate::{
    Error, ErrorKind, Result,
    model::{Endpoint, Problem},
};

/// How a [`Client`] behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The path that all requests are below.
    pub root: String,
    /// How long one endpoint may take for TCP and TLS. Defaults to 5 s.
    pub connect_limit: Duration,
    /// How many requests may be under way at once, over all endpoints. Defaults to 5, as Proxmox's own manager does:
    /// a node has three workers for everybody.
    pub in_flight: usize,
    /// How much of an answer is read. Defaults to [`BODY_LIMIT`].
    pub body_limit: usize,
}

impl Settings {
    /// The defaults, for an API below `root` (`/api2/json`).
    pub fn new(root: impl Into<String>) -> Self {
        Self { root: root.into(), connect_limit: Duration::from_secs(5), in_flight: 5, body_limit: BODY_LIMIT }
    }
}

/// How long an endpoint that failed stands behind the others, after the first failure; doubled with each further one.
const FIRST_BACK_OFF: Duration = Duration::from_secs(2);

/// The longest that it stands behind.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// An HTTPS client for one service that answers at several endpoints.
///
/// It stays with the endpoint that worked last; only what is about one node goes to that node's own endpoint first,
/// where that is known, so that each node sees what concerns it and the first one is not asked for all. One that cannot be reached stands behind the others for a while; an
/// answer, whatever its status, is an answer and is not asked for again elsewhere.
pub struct Client {
    endpoints: Vec<Standing>,
    current: AtomicUsize,
    permits: Semaphore,
    /// A file takes as long as it takes: what is asked meanwhile does not wait for it.
    files: Semaphore,
    body_limit: usize,
}

/// One endpoint and how it stands.
struct Standing {
    /// `192.0.2.7:8006`
    name: String,
    root: Url,
    trust: Trust,
    http: reqwest::Client,
    /// The node that answers there.
    node: OnceLock<String>,
    trouble: Mutex<Option<Trouble>>,
    /// Whether it let a request about its node wait in vain: the next one goes elsewhere.
    silent: AtomicBool,
}

#[derive(Debug)]
struct Trouble {
    failures: u32,
    until: Instant,
    problem: Problem,
}

impl Client {
    /// A client for `endpoints`, first one first. Connects to nothing yet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when there is no endpoint, or one is not an `https` URL or has no valid fingerprint.
    pub fn new(endpoints: &[Endpoint], settings: &Settings) -> Result<Self> {
        if endpoints.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "set up the connection").because("it has no endpoint"));
        }
        let standing = |endpoint: &Endpoint| {
            let trust = Trust::from_fingerprint(endpoint.fingerprint.as_deref())?;
            let standing = Standing::new(&endpoint.url, trust, settings)?;
            Ok(match &endpoint.node {
                Some(node) => Standing { node: OnceLock::from(node.clone()), ..standing },
                None => standing,
            })
        };
        Ok(Self {
            endpoints: endpoints.iter().map(standing).collect::<Result<_>>()?,
            current: AtomicUsize::new(0),
            permits: Semaphore::new(settings.in_flight.max(1)),
            files: Semaphore::new(1),
            body_limit: settings.body_limit,
        })
    }

    async fn send_within_limit(&self, request: &Request, headers: &HeaderMap) -> Result<Answer> {
        let permits = if request.file.is_some() { &self.files } else { &self.permits };
        let _permit = permits.acquire().await.map_err(|_| Error::new(ErrorKind::Cancelled, attempt(request)))?;
        let mut failures = Vec::new();
        let home = self.home(request);
        let answering = home.filter(|home| !self.endpoints[*home].silent.swap(false, Ordering::Relaxed));
        for index in self.order(answering) {
            let standing = &self.endpoints[index];
            match self.ask(standing, request, headers).await? {
                Ok(answer) => {
                    *standing.trouble() = None;
                    if home.is_none() {
                        self.current.store(index, Ordering::Relaxed);
                    }
                    return Ok(answer);
                }
                Err(failure) => {
                    let error = failure.into_error(attempt(request), &standing.name);
                    standing.failed(Problem::from(&error));
                    failures.push(error);
                }
            }
        }
        Err(worst(failures, request))
    }

    /// Asks one endpoint. The outer error ends the matter; the inner one sends us to the next endpoint.
    async fn ask(
        &self,
        standing: &Standing,
        request: &Request,
        headers: &HeaderMap,
    ) -> Result<Result<Answer, Failure>> {
        let mut again = request.method.is_safe();
        loop {
            match standing.exchange(request, headers, self.body_limit).await? {
                Err(failure) if failure.may_have_arrived() && again => again = false,
                Err(failure) if failure.may_have_arrived() && !request.method.is_safe() => {
                    return Err(failure.into_error(attempt(request), &standing.name));
                }
                Err(Failure::BrokenOff { came, .. }) if !came.is_empty() => {
                    return Err(Error::new(ErrorKind::Protocol, attempt(request))
                        .on(&standing.name)
                        .because(format!("the answer breaks off after {} bytes: {}", came.len(), excerpt(&came)))
                        .next("look at the log of pveproxy there, and at what stands in between"));
                }
                outcome => return Ok(outcome),
            }
        }
    }

    /// The endpoint of the node that a request is to be asked at, or is about.
    fn home(&self, request: &Request) -> Option<usize> {
        let node = request.ask_at.as_deref().or(request.node())?;
        self.endpoints.iter().position(|standing| standing.node.get().is_some_and(|name| name == node))
    }

    /// Whom to ask: from the one that is at home in the matter, or that worked last, on; those in trouble after all
    /// others, longest at rest first.
    fn order(&self, home: Option<usize>) -> Vec<usize> {
        let count = self.endpoints.len();
        let start = self.current();
        let now = Instant::now();
        let others = (0..count).map(|n| (start + n) % count).filter(|index| Some(*index) != home);
        let mut order: Vec<usize> = home.into_iter().chain(others).collect();
        order.sort_by_key(|index| {
            self.endpoints[*index].trouble().as_ref().map(|t| t.until).filter(|until| *until > now)
        });
        order
    }

    fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed).min(self.endpoints.len() - 1)
    }

    /// Lets another endpoint have the next request, since this one keeps silent; returns this one.
    fn pass_on(&self, request: &Request) -> &Standing {
        if let Some(home) = self.home(request) {
            self.endpoints[home].silent.store(true, Ordering::Relaxed);
            return &self.endpoints[home];
        }
        let current = self.current();
        let next = (current + 1) % self.endpoints.len();
        // Several requests may have waited for the same endpoint: only the first of them moves on.
        let _moved = self.current.compare_exchange(current, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        &self.endpoints[current]
    }
}

#[async_trait]
impl HttpTransport for Client {
    /// A `GET` that was cut off is asked once more; nothing else ever is, since it may have been carried out.
    async fn send(&self, request: &Request, headers: &HeaderMap) -> Result<Answer> {
        match tokio::time::timeout(request.time_limit, self.send_within_limit(request, headers)).await {
            Ok(answer) => answer,
            Err(_) => {
                let silent = self.pass_on(request);
                Err(Error::new(ErrorKind::Timeout, attempt(request))
                    .on(&silent.name)
                    .because(format!("no answer within {} s", request.time_limit.as_secs_f64()))
                    .next(if request.method.is_safe() {
                        "check the load there"
                    } else {
                        "it may still be carried out: look before asking again"
                    }))
            }
        }
    }

    /// At the first endpoint that can be connected to: what is asked for is not begun by a connection that fails.
    async fn open_socket(&self, request: &Request, headers: &HeaderMap, protocol: &'static str) -> Result<Upgraded> {
        let mut failures = Vec::new();
        for index in self.order(self.home(request)) {
            let standing = &self.endpoints[index];
            let opened = socket::open(&standing.root, standing.trust, request, headers, protocol, request.time_limit);
            match opened.await {
                Err(error) if error.kind() == ErrorKind::Unreachable => failures.push(error),
                outcome => return outcome,
            }
        }
        Err(worst(failures, request))
    }

    fn troubles(&self) -> Vec<(String, Problem)> {
        self.endpoints
            .iter()
            .filter_map(|standing| standing.trouble().as_ref().map(|t| (standing.name.clone(), t.problem.clone())))
            .collect()
    }

    fn endpoint(&self) -> String {
        self.endpoints[self.current()].name.clone()
    }

    fn seen_by(&self, request: &Request) -> Vec<String> {
        let first = self.order(self.home(request)).first().map_or(&self.endpoints[0], |index| &self.endpoints[*index]);
        super::seen_by(first.node.get().unwrap_or(&first.name).clone(), request)
    }

    /// An endpoint is a node's where it has the address that the node has in its cluster, and no other endpoint is.
    fn learn(&self, nodes: &[(String, String)]) {
        for standing in self.endpoints.iter().filter(|standing| standing.node.get().is_none()) {
            let host = standing.root.host_str().unwrap_or_default().trim_matches(['[', ']']);
            let found = nodes.iter().find(|(_, address)| address == host).map(|(name, _)| name);
            let known = |name: &String| self.endpoints.iter().any(|each| each.node.get() == Some(name));
            if let Some(name) = found.filter(|name| !known(name)) {
                standing.node.get_or_init(|| name.clone());
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.endpoints.iter().map(|standing| standing.name.as_str()).collect();
        f.debug_struct("Client")
            .field("endpoints", &names)
            .field("current", &HttpTransport::endpoint(self))
            .finish_non_exhaustive()
    }
}

impl Standing {
    fn new(url: &str, trust: Trust, settings: &Settings) -> Result<Self> {
        let mut root = parse_url(url)?;
        let name = format!("{}:{}", root.host_str().unwrap_or_default(), root.port_or_known_default().unwrap_or(443));
        root.set_path(&settings.root);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(trust.config()?)
            .https_only(true)
            .http1_only()
            // pveproxy closes a connection that is idle for 5 s; letting go first avoids writing into a closed one.
            .pool_idle_timeout(Duration::from_secs(4))
            .pool_max_idle_per_host(4)
            .connect_timeout(settings.connect_limit)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .user_agent(concat!("reanimator/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::new(ErrorKind::Internal, "set up HTTPS").on(&name).from_source(error))?;
        Ok(Self {
            name,
            root,
            trust,
            http,
            node: OnceLock::new(),
            trouble: Mutex::new(None),
            silent: AtomicBool::new(false),
        })
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a failure. Several at the same time count as one.
    fn failed(&self, problem: Problem) {
        let now = Instant::now();
        let mut trouble = self.trouble();
        let failures = match &*trouble {
            Some(before) if before.until > now => before.failures,
            Some(before) => before.failures.saturating_add(1),
            None => 0,
        };
        let pause = FIRST_BACK_OFF.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_BACK_OFF);
        *trouble = Some(Trouble { failures, until: now + pause, problem });
    }

    async fn exchange(&self, request: &Request, headers: &HeaderMap, limit: usize) -> Result<Result<Answer, Failure>> {
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .map_err(|error| Error::new(ErrorKind::Internal, attempt(request)).from_source(error))?;
        let mut ask = self.http.request(method, request.url(&self.root)?).headers(headers.clone());
        if let Some(file) = &request.file {
            let form = Form::new(&request.params, file);
            ask = ask.header(CONTENT_TYPE, &form.content_type).header(CONTENT_LENGTH, form.length);
            let stream = form.into_stream().await.map_err(|error| unreadable(request, file, error))?;
            ask = ask.body(reqwest::Body::wrap_stream(stream));
        } else if request.method.has_body() {
            ask = ask
                .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
                .body(request.encoded_params());
        }
        let mut response = match ask.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(Failure::of_sending(error))),
        };
        refuse_redirect(&response, request, &self.name)?;
        match read_body(&mut response, limit).await {
            Ok(body) => Ok(Ok(self.answer(&response, body))),
            Err(BodyFailure::BrokenOff(came, error)) => {
                Ok(Err(Failure::BrokenOff { came, why: super::failure::innermost(&error) }))
            }
            Err(BodyFailure::TooLong(limit)) => Err(Error::new(ErrorKind::Protocol, attempt(request))
                .on(&self.name)
                .because(format!("the answer is longer than {limit} bytes"))),
        }
    }

    fn answer(&self, response: &reqwest::Response, body: Bytes) -> Answer {
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
        Answer {
            status: response.status().as_u16(),
            reason: reason.map(|phrase| String::from_utf8_lossy(phrase.as_bytes()).into_owned()).unwrap_or_default(),
            body,
            endpoint: self.name.clone(),
        }
    }
}

fn unreadable(request: &Request, file: &FormFile, error: std::io::Error) -> Error {
    Error::new(ErrorKind::NotFound, attempt(request))
        .because(format!("{} cannot be read", file.path.display()))
        .next("hand the file over again")
        .from_source(error)
}

/// What we try, in the words of an error.
fn attempt(request: &Request) -> String {
    format!("ask {request}")
}

fn refuse_redirect(response: &reqwest::Response, request: &Request, endpoint: &str) -> Result<()> {
    if !response.status().is_redirection() {
        return Ok(());
    }
    let target = response.headers().get(LOCATION).map_or("nowhere".to_owned(), |to| excerpt(to.as_bytes()));
    Err(Error::new(ErrorKind::Protocol, attempt(request))
        .on(endpoint)
        .because(format!("it sends us on to {target}, and a redirect is not followed with credentials"))
        .next("give the address of the API itself"))
}

fn parse_url(text: &str) -> Result<Url> {
    let invalid = |why: String| {
        Error::new(ErrorKind::Invalid, format!("read the address {text:?}"))
            .because(why)
            .next("give it as https://HOST:8006")
    };
    let url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
    match url.scheme() {
        "https" if url.host_str().is_some_and(|host| !host.is_empty()) && url.username().is_empty() => Ok(url),
        "https" => Err(invalid("it must hold a host and no user".to_owned())),
        other => Err(invalid(format!("{other} is not https"))),
    }
}

/// As many endpoints are named beside one cause.
const ENDPOINTS_NAMED: usize = 4;

/// The failure that says most: what a person must decide first, then that nobody answers.
fn worst(mut failures: Vec<Error>, request: &Request) -> Error {
    let is_certificate =
        |error: &Error| matches!(error.kind(), ErrorKind::CertificateChanged | ErrorKind::CertificateUnknown);
    if let Some(index) = failures.iter().position(is_certificate) {
        return failures.swap_remove(index);
    }
    if failures.len() == 1 {
        return failures.swap_remove(0);
    }
    let all_late = failures.iter().all(|error| error.kind() == ErrorKind::Timeout);
    Error::new(if all_late { ErrorKind::Timeout } else { ErrorKind::Unreachable }, attempt(request))
        .because(format!("none of {} endpoints answers: {}", failures.len(), causes(&failures, request)))
        .next("check that the nodes are up and the addresses right")
}

/// Each cause once, with the endpoints that gave it; the attempt, which is the same for all, is not said again.
fn causes(failures: &[Error], request: &Request) -> String {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for error in failures {
        let (endpoint, said) = (error.subject().unwrap_or_default(), crate::message(error));
        let known = format!("{endpoint}: could not {}: ", attempt(request));
        let cause = said.strip_prefix(&known).unwrap_or(&said);
        match told.iter_mut().find(|(same, _)| same == cause) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => told.push((cause.to_owned(), vec![endpoint])),
        }
    }
    let line = |(cause, endpoints): &(String, Vec<&str>)| {
        let named = endpoints.iter().take(ENDPOINTS_NAMED).copied().collect::<Vec<_>>().join(", ");
        match endpoints.len().saturating_sub(ENDPOINTS_NAMED) {
            0 => format!("{named}: {cause}"),
            more => format!("{named} and {more} more: {cause}"),
        }
    };
    told.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// A certificate that a server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its fingerprint.
    pub fingerprint: crate::Fingerprint,
    /// Whether the system trusts it for the name in the address.
    pub trusted: bool,
}

/// Looks at the certificate that the server at `url` shows. Sends nothing else.
///
/// # Errors
/// When it cannot be reached or does not speak TLS.
pub async fn probe(url: &str, limit: Duration) -> Result<Shown> {
    let settings = Settings { connect_limit: limit, ..Settings::new("/") };
    let standing = Standing::new(url, Trust::Nothing, &settings)?;
    let attempt = "look at the certificate".to_owned();
    let asked = tokio::time::timeout(limit, standing.http.get(standing.root.clone()).send()).await;
    let error = match asked {
        Ok(Err(error)) => error,
        Ok(Ok(_)) => return Err(Error::new(ErrorKind::Internal, attempt).because("a certificate was believed unseen")),
        Err(_) => {
            return Err(Error::new(ErrorKind::Timeout, attempt)
                .on(standing.name)
                .because(format!("no answer within {} s", limit.as_secs_f64())));
        }
    };
    match certificate::refusal(&error) {
        Some(refused) => Ok(Shown { fingerprint: refused.fingerprint(), trusted: refused.system.is_none() }),
        None => Err(Failure::of_sending(error).into_error(attempt, &standing.name)),
    }
}
