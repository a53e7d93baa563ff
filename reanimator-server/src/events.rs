//! The WebSocket: everything as it is, then every change as it comes.
//!
//! The first frame is `connected` with the whole fleet, so a client needs no second call; after that come the
//! core's events as they are. A client that falls behind is let go (close code 1013) and starts again with a fresh
//! `connected`: nothing is kept for it beyond the core's bounded channel. While a socket is open its credential is
//! looked at again and again, so that a log-out or a removed token ends it (1008).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State,
        ws::{
            CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    response::Response,
};
use futures::{Sink, SinkExt, Stream, StreamExt};
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    model::{Event, EventKind},
};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{Receiver, error::RecvError},
    },
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Credential, Viewer},
    error::ApiError,
    openapi::Refusals,
    state::AppState,
};

/// How patient the service is with a listener.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// How long one frame may take to leave us: a client that reads nothing for so long is gone or stuck.
    send: Duration,
    /// How often a client is asked for a sign of life, and its credential looked at again.
    check_every: Duration,
    /// As long as a client may keep silent: more than two of those signs.
    silence: Duration,
}

const PATIENCE: Patience =
    Patience { send: Duration::from_secs(10), check_every: Duration::from_secs(20), silence: Duration::from_secs(50) };

/// Clients have nothing to say here but pongs and closes.
const LARGEST_INCOMING: usize = 4096;

/// Why a connection ends, as it is told to the client.
#[derive(Clone, Copy, Debug)]
struct Farewell {
    code: u16,
    reason: &'static str,
}

const STOPPING: Farewell = Farewell { code: close_code::AWAY, reason: "the service stops" };
const TOO_SLOW: Farewell = Farewell { code: close_code::AGAIN, reason: "too slow: connect again for the whole state" };
const LOGGED_OUT: Farewell = Farewell { code: close_code::POLICY, reason: "the session or token has ended" };
const FAULT: Farewell = Farewell { code: close_code::ERROR, reason: "a fault of our own" };

/// The live events, as a WebSocket.
///
/// Takes the session cookie (from pages of our own origin) or a bearer token. Frames are `Event`s in JSON: first
/// `connected`, whose data is `{"hosts": [Host], "totals": Totals}`; then `host:added`, `host:updated`,
/// `host:online`, `host:offline` (data is the Host), `host:removed` (`{"id"}`), `totals:updated` (Totals), and
/// `guest:added`, `guest:updated`, `guest:removed`; and `operation:started`, `operation:updated`, `operation:ended` (data
/// is the Operation), `update:started`, `update:updated`, `update:ended` (data is the UpdateLine). Close codes: 1001 the service stops, 1008 the session or token
/// has ended, 1013 the client was too slow and may connect again.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", extensions(("x-role" = json!("viewer"))),
    responses((status = 101, description = "The WebSocket; its frames are events", body = Event), Refusals))]
pub(crate) async fn listen(
    Viewer(caller): Viewer,
    State(state): State<AppState>,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| {
        Error::new(ErrorKind::Invalid, "open the event stream")
            .because(rejection.body_text())
            .next("open it as a WebSocket, HTTP version 13")
    })?;
    let place = Arc::clone(&state.listeners).try_acquire_owned().map_err(|_| {
        Error::new(ErrorKind::Busy, "open the event stream").because("too many listen already").next("try again later")
    })?;
    let upgrade = upgrade.max_message_size(LARGEST_INCOMING).max_frame_size(LARGEST_INCOMING);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, state, caller.credential, place)))
}

async fn serve(socket: WebSocket, state: AppState, credential: Credential, _place: OwnedSemaphorePermit) {
    let (mut out, mut said) = socket.split();
    let farewell = match tell(&mut out, &mut said, &state, &credential).await {
        Ok(farewell) => farewell,
        Err(error) => {
            tracing::error!(error = %reanimator_core::message(&error), "an event stream failed");
            Some(FAULT)
        }
    };
    if let Some(farewell) = farewell {
        write(&mut out, farewell.into(), PATIENCE.send).await;
    }
}

/// Tells the client everything until one side ends it: `None` when the client did.
async fn tell<E>(
    out: &mut (impl Sink<Message> + Unpin),
    said: &mut (impl Stream<Item = std::result::Result<Message, E>> + Unpin),
    state: &AppState,
    credential: &Credential,
) -> Result<Option<Farewell>> {
    // Listening begins before the state is read, so that no change falls between the two.
    let mut events = state.fleet.events();
    let status = state.fleet.status().await?;
    let data = serde_json::json!({ "hosts": status.hosts, "totals": status.totals });
    let connected = Event { kind: EventKind::Connected, at: status.at, data };
    if !send(out, &connected, PATIENCE.send).await? {
        return Ok(None);
    }
    let still_known = || is_known(credential, &state.fleet);
    follow(out, said, &mut events, &state.stop, PATIENCE, still_known).await
}

/// Passes events on until one side ends it.
async fn follow<E, Known: Future<Output = Result<bool>>>(
    out: &mut (impl Sink<Message> + Unpin),
    said: &mut (impl Stream<Item = std::result::Result<Message, E>> + Unpin),
    events: &mut Receiver<Event>,
    stop: &CancellationToken,
    patience: Patience,
    still_known: impl Fn() -> Known,
) -> Result<Option<Farewell>> {
    let mut check = interval(patience.check_every);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(Some(STOPPING)),
            event = events.recv() => match event {
                Ok(event) if send(out, &event, patience.send).await? => {}
                Ok(_) => return Ok(None),
                Err(RecvError::Lagged(_)) => return Ok(Some(TOO_SLOW)),
                Err(RecvError::Closed) => return Ok(Some(STOPPING)),
            },
            message = said.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
                Some(Ok(_)) => heard_at = Instant::now(),
            },
            _ = check.tick() => {
                if !still_known().await? {
                    return Ok(Some(LOGGED_OUT));
                }
                let ping = Message::Ping(bytes::Bytes::new());
                if heard_at.elapsed() > patience.silence || !write(out, ping, patience.send).await {
                    return Ok(None);
                }
            }
        }
    }
}

async fn is_known(credential: &Credential, fleet: &Fleet) -> Result<bool> {
    match credential.check(fleet).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Unauthenticated => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sends one event; `false` when the client is gone or stuck.
async fn send(out: &mut (impl Sink<Message> + Unpin), event: &Event, limit: Duration) -> Result<bool> {
    let text = serde_json::to_string(event)
        .map_err(|error| Error::new(ErrorKind::Internal, "write an event").from_source(error))?;
    Ok(write(out, Message::text(text), limit).await)
}

async fn write(out: &mut (impl Sink<Message> + Unpin), message: Message, limit: Duration) -> bool {
    matches!(timeout(limit, out.send(message)).await, Ok(Ok(())))
}

impl From<Farewell> for Message {
    fn from(Farewell { code, reason }: Farewell) -> Self {
        Self::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::{channel::mpsc, stream};
    use jiff::Timestamp;
    use tokio::sync::broadcast;

    use super::*;

    /// As many events as may wait in these tests.
    const WAITING: usize = 4;
    const SHORT: Patience = Patience {
        send: Duration::from_millis(50),
        check_every: Duration::from_millis(10),
        silence: Duration::from_secs(60),
    };
    const LONG: Patience = Patience { check_every: Duration::from_secs(60), ..PATIENCE };

    fn event() -> Event {
        Event { kind: EventKind::HostUpdated, at: Timestamp::UNIX_EPOCH, data: serde_json::Value::Null }
    }

    /// With which code a listener is let go who has room for `room` frames and never says anything.
    async fn code_after(happened: usize, room: usize, patience: Patience, known: bool, stop: bool) -> Option<u16> {
        let (tell, mut events) = broadcast::channel(WAITING);
        let (mut out, _unread) = mpsc::channel(room);
        let token = CancellationToken::new();
        if stop {
            token.cancel();
        }
        for _ in 0..happened {
            tell.send(event()).unwrap();
        }
        let mut silent = stream::pending::<std::result::Result<Message, ()>>();
        let ended = follow(&mut out, &mut silent, &mut events, &token, patience, || async { Ok(known) }).await;
        ended.unwrap().map(|farewell| farewell.code)
    }

    #[tokio::test]
    async fn a_listener_who_fell_behind_is_told_to_come_again() {
        assert_eq!(code_after(WAITING + 1, 100, LONG, true, false).await, Some(close_code::AGAIN));
    }

    #[tokio::test]
    async fn a_listener_who_reads_nothing_is_dropped() {
        assert_eq!(code_after(WAITING, 0, SHORT, true, false).await, None);
    }

    #[tokio::test]
    async fn a_listener_whose_session_ended_is_told_so() {
        assert_eq!(code_after(0, 100, SHORT, false, false).await, Some(close_code::POLICY));
    }

    #[tokio::test]
    async fn a_listener_who_gives_no_sign_of_life_is_dropped() {
        let patience = Patience { silence: Duration::ZERO, ..SHORT };
        assert_eq!(code_after(0, 100, patience, true, false).await, None);
    }

    #[tokio::test]
    async fn at_the_end_every_listener_is_told() {
        assert_eq!(code_after(0, 100, LONG, true, true).await, Some(close_code::AWAY));
    }
}
