//! A mail in plain text, handed to a mail server over SMTP.
//!
//! The way there is protected unless the target says otherwise, and no password goes over one that is not, but to this very
//! machine. What the server says is bounded: it is a stranger until it has logged us in.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use lettre::{
    Message as Mail,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters},
        extension::ClientId,
    },
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Message, Secrets, guard, tls};
use crate::{
    Error, ErrorKind, Result,
    model::{MailTls, NotifyTarget, NotifyWay},
};

/// How long all of it may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long connecting to one address may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// As much of what the server says is read, in bytes.
const SAID_LIMIT: u64 = 256 * 1024;

/// What of the way is about mail.
#[derive(Clone, Copy, Debug)]
struct Way<'a> {
    server: &'a str,
    port: u16,
    tls: MailTls,
    user: Option<&'a str>,
    from: &'a str,
    to: &'a [String],
}

impl<'a> Way<'a> {
    fn of(target: &'a NotifyTarget) -> Result<Self> {
        let NotifyWay::Email { server, port, tls, user, from, to } = &target.way else {
            return Err(Error::new(ErrorKind::Internal, "build a mail").on(&*target.name));
        };
        let port = port.unwrap_or(NotifyWay::usual_port(*tls));
        Ok(Self { server, port, tls: *tls, user: user.as_deref(), from, to })
    }
}

/// Hands the message to the mail server.
pub(super) async fn send(target: &NotifyTarget, secrets: &Secrets, message: &Message) -> Result<String> {
    let way = Way::of(target)?;
    let credentials = match way.user {
        Some(user) => Some(Credentials::new(user.to_owned(), secrets.need("password", target)?.to_owned())),
        None => None,
    };
    let mail = build(way, message)?;
    match tokio::time::timeout(TIME_LIMIT, deliver(way, target.allow_inside, credentials, &mail)).await {
        Ok(sent) => sent,
        Err(_) => Err(attempt(ErrorKind::Timeout, way)
            .because(format!("it took longer than {} s", TIME_LIMIT.as_secs()))
            .next("check that the server is up; it may have taken the mail")),
    }
}

/// The mail as it goes out.
fn build(way: Way<'_>, message: &Message) -> Result<Mail> {
    let mailbox = |address: &str| {
        address.parse::<lettre::Address>().map(|address| Mailbox::new(None, address)).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("read the mail address {address:?}"))
                .next("write it as ops@example.org")
                .from_source(error)
        })
    };
    let from = mailbox(way.from)?;
    let domain = from.email.domain().to_owned();
    let automatic = |name| HeaderName::new_from_ascii_str(name);
    let mut mail = Mail::builder()
        .from(from)
        .subject(message.subject())
        .date(SystemTime::from(message.at))
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        // So that nobody's absence notice comes back.
        .raw_header(HeaderValue::new(automatic("Auto-Submitted"), "auto-generated".to_owned()))
        .raw_header(HeaderValue::new(automatic("X-Reanimator-Level"), message.level.as_str().to_owned()))
        .header(ContentType::TEXT_PLAIN);
    for address in way.to {
        mail = mail.to(mailbox(address)?);
    }
    mail.body(message.body().to_owned())
        .map_err(|error| Error::new(ErrorKind::Internal, "build a mail").from_source(error))
}

async fn deliver(way: Way<'_>, allow_inside: bool, credentials: Option<Credentials>, mail: &Mail) -> Result<String> {
    let addresses = guard::addresses(way.server, way.port, allow_inside).await?;
    let (stream, peer) = connect(way, &addresses).await?;
    if credentials.is_some() && way.tls == MailTls::None && !peer.ip().is_loopback() {
        return Err(attempt(ErrorKind::Denied, way)
            .because("the password would go over the network in the clear")
            .next("use starttls or tls"));
    }
    let hello = ClientId::default();
    let failed = |error: lettre::transport::smtp::Error| of_smtp(way, error);
    let stream: Box<dyn AsyncTokioStream> = match way.tls {
        MailTls::Tls => Box::new(protect(way, stream).await?),
        MailTls::Starttls | MailTls::None => Box::new(stream),
    };
    let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(failed)?;
    if way.tls == MailTls::Starttls {
        if !connection.can_starttls() {
            connection.abort().await;
            return Err(attempt(ErrorKind::Denied, way)
                .because("it does not offer to protect the connection (STARTTLS)")
                .next("use tls, or none where the way there is safe"));
        }
        let domain = TlsParameters::new_rustls(way.server.to_owned()).map_err(failed)?;
        connection.starttls(domain, &hello).await.map_err(failed)?;
    }
    if let Some(credentials) = credentials {
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(failed)?;
    }
    let taken = connection.send(mail.envelope(), &mail.formatted()).await.map_err(failed)?;
    // It was taken; how the server says goodbye is of no matter.
    let _ = connection.quit().await;
    let said: String = taken.first_line().unwrap_or_default().chars().filter(|c| !c.is_control()).take(160).collect();
    Ok(format!("{} took the mail: {said}", way.server))
}

async fn connect(way: Way<'_>, addresses: &[SocketAddr]) -> Result<(Bounded<TcpStream>, SocketAddr)> {
    let mut last = attempt(ErrorKind::Unreachable, way).because("it has no address");
    for address in addresses {
        match tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((Bounded::new(stream, SAID_LIMIT, *address), *address)),
            Ok(Err(error)) => last = attempt(ErrorKind::Unreachable, way).from_source(error),
            Err(_) => {
                let cause = format!("{address} did not answer within {} s", CONNECT_LIMIT.as_secs());
                last = attempt(ErrorKind::Timeout, way).because(cause);
            }
        }
    }
    Err(last.next("check that the server is up, and its name and port"))
}

/// TLS from the first byte.
async fn protect(way: Way<'_>, stream: Bounded<TcpStream>) -> Result<Protected> {
    let name = ServerName::try_from(way.server.to_owned())
        .map_err(|error| attempt(ErrorKind::Invalid, way).from_source(error))?;
    let config = Arc::new(tls::config()?);
    let peer = stream.peer;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        untrusted(way, &error).unwrap_or_else(|| {
            attempt(ErrorKind::Unreachable, way)
                .because("the connection could not be protected")
                .next("check that it speaks TLS on this port")
                .from_source(error)
        })
    })?;
    Ok(Protected { stream, peer })
}

fn attempt(kind: ErrorKind, way: Way<'_>) -> Error {
    Error::new(kind, "send a mail").on(format!("{}:{}", way.server, way.port))
}

/// That its certificate is not trusted, where that is the trouble.
fn untrusted(way: Way<'_>, error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let trouble = tls::certificate_trouble(error)?;
    Some(
        attempt(ErrorKind::Unreachable, way)
            .because(trouble)
            .next("let this machine trust it, or give the name it is for"),
    )
}

fn of_smtp(way: Way<'_>, error: lettre::transport::smtp::Error) -> Error {
    if let Some(untrusted) = untrusted(way, &error) {
        return untrusted;
    }
    let code = error.status().map(u16::from);
    let (kind, next) = match code {
        Some(530 | 534 | 535 | 538) => (ErrorKind::AuthFailed, "check the user and the password of this target"),
        Some(550..=559) => (ErrorKind::Denied, "check sender and recipients, and what this server lets us send"),
        Some(400..=499) => (ErrorKind::Busy, "it is tried again later"),
        Some(_) => (ErrorKind::Protocol, "see what the server says"),
        None if error.is_timeout() => (ErrorKind::Timeout, "check that the server is up"),
        None if error.is_tls() => (ErrorKind::Unreachable, "check that this machine trusts the server's certificate"),
        None if error.is_client() => (ErrorKind::Denied, "see what the server offers, and change the target"),
        None => (ErrorKind::Unreachable, "check that a mail server answers there, and that it is trusted"),
    };
    attempt(kind, way).next(next).from_source(error)
}

/// A stream of which only so much is read.
#[derive(Debug)]
struct Bounded<S> {
    stream: Take<S>,
    peer: SocketAddr,
}

impl<S: AsyncRead> Bounded<S> {
    fn new(stream: S, limit: u64, peer: SocketAddr) -> Self {
        Self { stream: stream.take(limit), peer }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stream.limit() == 0 {
            return Poll::Ready(Err(io::Error::other("the server says more than a mail server has to say")));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Bounded<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

/// The same, protected.
#[derive(Debug)]
struct Protected {
    stream: tokio_rustls::client::TlsStream<Bounded<TcpStream>>,
    peer: SocketAddr,
}

impl AsyncRead for Protected {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Protected {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Protected {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::notify::message::tests::message;

    fn target() -> NotifyTarget {
        serde_json::from_value(serde_json::json!({
            "name": "ops",
            "way": { "kind": "email", "server": "mail.example.org", "from": "fleet@example.org", "to": ["a@b.org", "c@d.org"] },
        }))
        .unwrap()
    }

    #[test]
    fn the_mail_is_plain_text_and_says_who_it_is() {
        let target = target();
        let way = Way::of(&target).unwrap();
        assert_eq!((way.port, way.tls), (587, MailTls::Starttls));
        let mail = String::from_utf8(build(way, &message()).unwrap().formatted()).unwrap();
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: fleet@example.org",
            "To: a@b.org, c@d.org",
            "Date: Thu, 26 Nov 2026 12:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "X-Reanimator-Level: critical",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.contains(line), "{line} is not in {head}");
        }
        assert!(head.contains(&format!("Message-ID: <{}@example.org>", message().id)), "{head}");
        assert!(head.contains("Subject: =?utf-8?b?") || head.contains("Subject: [critical] =?utf-8?b?"), "{head}");
        assert!(body.contains("since noon") && !mail.contains("<html"), "{body}");
    }

    #[tokio::test]
    async fn of_what_a_server_says_only_so_much_is_read() {
        let peer = "192.0.2.1:25".parse().unwrap();
        let mut endless = Bounded::new(tokio::io::repeat(b'x'), 10_000, peer);
        let mut said = Vec::new();
        let error = endless.read_to_end(&mut said).await.unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
        assert_eq!(said.len(), 10_000);
    }
}
