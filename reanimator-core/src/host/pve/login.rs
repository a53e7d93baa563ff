//! Logging in to Proxmox: an API token in every request, or a ticket that is fetched and renewed.
//!
//! A failed login costs 3 s over there, counts against the account and wakes who watches the log. So the first request
//! of a login goes alone, and a refusal is remembered: whoever asks again gets it at once, until
//! [`Login::allow_again`].

use std::{fmt, time::Duration};

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::Instant};

use super::refusal;
use crate::{
    Error, ErrorKind, Result,
    collect::pve::lenient::Fields,
    model::ProxmoxAuth,
    transport::http::{Answer, HttpTransport, Request, Upgraded, encode},
};

/// A ticket lives two hours; renewed in the middle, so that an hour of trouble costs no login.
const RENEW_AFTER: Duration = Duration::from_secs(3600);

/// How long a ticket is good for.
const TICKET_LIFE: Duration = Duration::from_secs(2 * 3600 - 60);

const CSRF: HeaderName = HeaderName::from_static("csrfpreventiontoken");

/// What to log in with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An API token.
    Token {
        /// `user@realm!name`
        id: String,
        /// The token's secret.
        secret: SecretString,
    },
    /// A user's password.
    Ticket {
        /// `root@pam`
        user: String,
        /// The password.
        password: SecretString,
        /// A code of the second factor, good for one login: `123456`, or `recovery:...`.
        otp: Option<SecretString>,
    },
}

impl Credentials {
    /// An API token, `user@realm!name`.
    pub fn token(id: impl Into<String>, secret: SecretString) -> Self {
        Self::Token { id: id.into(), secret }
    }

    /// A user, `root@pam`, with a password.
    pub fn password(user: impl Into<String>, password: SecretString) -> Self {
        Self::Ticket { user: user.into(), password, otp: None }
    }

    /// What a connection says, with its secret.
    pub fn new(auth: &ProxmoxAuth, secret: SecretString) -> Self {
        match auth {
            ProxmoxAuth::Token { id } => Self::token(id, secret),
            ProxmoxAuth::Ticket { user } => Self::password(user, secret),
        }
    }

    /// With a code of the second factor for the first login. A token needs none.
    #[must_use]
    pub fn with_otp(mut self, code: Option<SecretString>) -> Self {
        if let Self::Ticket { otp, .. } = &mut self {
            *otp = code;
        }
        self
    }

    fn who(&self) -> &str {
        match self {
            Self::Token { id, .. } => id,
            Self::Ticket { user, .. } => user,
        }
    }
}

/// A login and how it stands.
pub(super) struct Login {
    credentials: Credentials,
    state: Mutex<State>,
    renew_after: Duration,
}

enum State {
    /// Not tried yet.
    New,
    /// The token was taken.
    TokenTaken,
    /// A ticket was given.
    Ticket(Ticket),
    /// It was refused, with these words.
    Refused(String),
}

#[derive(Clone)]
struct Ticket {
    ticket: SecretString,
    csrf: SecretString,
    since: Instant,
}

impl Login {
    pub(super) fn new(credentials: Credentials) -> Result<Self> {
        if let Credentials::Token { id, secret } = &credentials {
            if !id.contains('@') || !id.contains('!') {
                return Err(Error::new(ErrorKind::Invalid, format!("read the token's id {id:?}"))
                    .because("it is not USER@REALM!NAME")
                    .next("copy it from Datacenter, Permissions, API Tokens"));
            }
            token_header(id, secret)?;
        }
        Ok(Self { credentials, state: Mutex::new(State::New), renew_after: RENEW_AFTER })
    }

    #[cfg(test)]
    pub(super) fn renewing_after(mut self, age: Duration) -> Self {
        self.renew_after = age;
        self
    }

    pub(super) async fn allow_again(&self) {
        let mut state = self.state.lock().await;
        if matches!(*state, State::Refused(_)) {
            *state = State::New;
        }
    }

    /// Sends a request, logged in.
    pub(super) async fn send(&self, client: &dyn HttpTransport, request: &Request) -> Result<Answer> {
        let sending = async {
            match &self.credentials {
                Credentials::Token { id, secret } => {
                    self.send_with_token(client, request, token_header(id, secret)?).await
                }
                Credentials::Ticket { .. } => self.send_with_ticket(client, request).await,
            }
        };
        // Waiting for another one's login counts too.
        tokio::time::timeout(request.time_limit, sending).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Timeout, format!("ask {request}"))
                .on(client.endpoint())
                .because(format!("no answer within {} s", request.time_limit.as_secs_f64())))
        })
    }

    /// Whether it is a token, which some calls do not take.
    pub(super) fn is_token(&self) -> bool {
        matches!(self.credentials, Credentials::Token { .. })
    }

    /// Opens a WebSocket, logged in. A log-in was tried by the call before it, so none is tried again here.
    pub(super) async fn open_socket(
        &self,
        client: &dyn HttpTransport,
        request: &Request,
        protocol: &'static str,
    ) -> Result<Upgraded> {
        let headers = match &self.credentials {
            Credentials::Token { id, secret } => token_header(id, secret)?,
            Credentials::Ticket { .. } => self.ticket(client, None).await?.headers(request)?,
        };
        client.open_socket(request, &headers, protocol).await
    }

    async fn send_with_token(
        &self,
        client: &dyn HttpTransport,
        request: &Request,
        headers: HeaderMap,
    ) -> Result<Answer> {
        let mut state = self.state.lock().await;
        if let State::Refused(why) = &*state {
            return Err(self.refused_before(why, client));
        }
        let is_first = matches!(*state, State::New);
        let answer = if is_first {
            client.send(request, &headers).await?
        } else {
            drop(state);
            let answer = client.send(request, &headers).await?;
            state = self.state.lock().await;
            answer
        };
        if answer.status == 401 {
            let why = refusal::words(&answer);
            *state = State::Refused(why.clone());
            return Err(self.refused(&why, client));
        }
        *state = State::TokenTaken;
        Ok(answer)
    }

    async fn send_with_ticket(&self, client: &dyn HttpTransport, request: &Request) -> Result<Answer> {
        let ticket = self.ticket(client, None).await?;
        let answer = client.send(request, &ticket.headers(request)?).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // It may have run out unseen, when this machine slept: the password gets one more.
        let fresh = self.ticket(client, Some(&ticket)).await?;
        let answer = client.send(request, &fresh.headers(request)?).await?;
        if answer.status == 401 {
            let why = refusal::words(&answer);
            *self.state.lock().await = State::Refused(why.clone());
            return Err(self.refused(&why, client));
        }
        Ok(answer)
    }

    /// A ticket that is good now and is not `refused`. One login at a time; who waits takes what the other got.
    async fn ticket(&self, client: &dyn HttpTransport, refused: Option<&Ticket>) -> Result<Ticket> {
        let mut state = self.state.lock().await;
        let current = match &*state {
            State::Refused(why) => return Err(self.refused_before(why, client)),
            State::Ticket(ticket) if refused.is_none_or(|refused| refused.since != ticket.since) => {
                Some(ticket.clone())
            }
            _ => None,
        };
        let outcome = match current {
            Some(ticket) if ticket.since.elapsed() < self.renew_after => return Ok(ticket),
            Some(ticket) => match self.log_in(client, &ticket.ticket, None).await {
                Ok(renewed) => Ok(renewed),
                Err(LoginFailure::Refused(_)) => self.log_in_with_password(client).await,
                // Nobody answers; the old one is still good for a while.
                Err(LoginFailure::Error(_)) if ticket.since.elapsed() < TICKET_LIFE => return Ok(ticket),
                Err(failure) => Err(failure),
            },
            None => self.log_in_with_password(client).await,
        };
        match outcome {
            Ok(ticket) => {
                *state = State::Ticket(ticket.clone());
                Ok(ticket)
            }
            Err(LoginFailure::Error(error)) => Err(error),
            Err(LoginFailure::Refused(why)) => {
                let error = self.refused(&why, client);
                *state = State::Refused(why);
                Err(error)
            }
        }
    }

    async fn log_in_with_password(&self, client: &dyn HttpTransport) -> Result<Ticket, LoginFailure> {
        let Credentials::Ticket { password, otp, .. } = &self.credentials else {
            return Err(LoginFailure::Error(
                Error::new(ErrorKind::Internal, "log in").because("a token needs no ticket"),
            ));
        };
        self.log_in(client, password, otp.as_ref()).await
    }

    async fn log_in(
        &self,
        client: &dyn HttpTransport,
        password: &SecretString,
        otp: Option<&SecretString>,
    ) -> Result<Ticket, LoginFailure> {
        let ask = || Request::post(["access", "ticket"]).param("username", self.credentials.who());
        let (ticket, needs_factor) = ticket_of(client, &ask().secret("password", password.clone())).await?;
        if !needs_factor {
            return Ok(ticket);
        }
        let Some(otp) = otp else {
            return Err(LoginFailure::Refused(
                "a second factor is needed; give a code, or use an API token".to_owned(),
            ));
        };
        let code = otp.expose_secret();
        let typed = if code.contains(':') { code.to_owned() } else { format!("totp:{code}") };
        let second = ask().secret("password", typed.into()).secret("tfa-challenge", ticket.ticket);
        match ticket_of(client, &second).await? {
            (ticket, false) => Ok(ticket),
            (_, true) => Err(LoginFailure::Refused("the second factor was not taken".to_owned())),
        }
    }

    fn refused(&self, why: &str, client: &dyn HttpTransport) -> Error {
        Error::new(ErrorKind::AuthFailed, format!("log in as {}", self.credentials.who()))
            .on(client.endpoint())
            .because(why)
            .next(match self.credentials {
                Credentials::Token { .. } => "check the token's id and secret, and that it has not expired",
                Credentials::Ticket { .. } => "check user, realm and password",
            })
    }

    fn refused_before(&self, why: &str, client: &dyn HttpTransport) -> Error {
        self.refused(why, client)
            .because(format!("{why} (refused before; not tried again by itself)"))
            .next("correct the credentials, or test the connection to try once more")
    }
}

enum LoginFailure {
    /// The far side said no.
    Refused(String),
    /// It did not come to that.
    Error(Error),
}

impl From<Error> for LoginFailure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Asks for a ticket; also says whether it is only half of one, for the second factor.
async fn ticket_of(client: &dyn HttpTransport, request: &Request) -> Result<(Ticket, bool), LoginFailure> {
    let answer = client.send(request, &HeaderMap::new()).await?;
    if answer.status == 401 {
        return Err(LoginFailure::Refused(refusal::words(&answer)));
    }
    let data = refusal::data(request, &answer)?;
    let fields = Fields::of(&data);
    let text = |name| fields.and_then(|fields| fields.text(name));
    let needs_factor = fields.and_then(|fields| fields.flag("NeedTFA")).unwrap_or(false);
    let ticket = text("ticket").ok_or_else(|| {
        Error::new(ErrorKind::Protocol, format!("ask {request}"))
            .on(&answer.endpoint)
            .because("the answer to the login holds no ticket")
    })?;
    let needs_factor = needs_factor || ticket.starts_with("PVE:!tfa!");
    let csrf = text("CSRFPreventionToken").unwrap_or_default();
    Ok((Ticket { ticket: ticket.into(), csrf: csrf.into(), since: Instant::now() }, needs_factor))
}

impl Ticket {
    fn headers(&self, request: &Request) -> Result<HeaderMap> {
        let cookie = format!("PVEAuthCookie={}", encode(self.ticket.expose_secret()));
        let mut headers = HeaderMap::from_iter([(COOKIE, secret_header(&cookie)?)]);
        if !request.method.is_safe() {
            headers.insert(CSRF, secret_header(self.csrf.expose_secret())?);
        }
        Ok(headers)
    }
}

fn token_header(id: &str, secret: &SecretString) -> Result<HeaderMap> {
    let value = secret_header(&format!("PVEAPIToken={id}={}", secret.expose_secret()))?;
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Invalid, "log in")
            .because("the secret holds characters that no secret of Proxmox has, such as a line break")
            .next("copy it again")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("who", &self.credentials.who()).finish_non_exhaustive()
    }
}
