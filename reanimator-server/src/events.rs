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
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use jiff::Timestamp;
use reanimator_core::{
    Error, ErrorKind, Result,
    model::{Event, EventKind},
};
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast::error::RecvError},
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    auth::{Credential, Viewer},
    error::ApiError,
    state::AppState,
};

/// How long one frame may take to leave us: a client that reads nothing for so long is gone or stuck.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How often a client is asked for a sign of life, and its credential looked at again.
const CHECK_EVERY: Duration = Duration::from_secs(20);
/// As long as a client may keep silent: two missed pings.
const SILENCE_LIMIT: Duration = Duration::from_secs(50);
/// Clients have nothing to say here but pongs and closes.
const LARGEST_INCOMING: usize = 4096;

/// Why a connection ends, as it is told to the client.
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
/// `guest:added`, `guest:updated`, `guest:removed`. Close codes: 1001 the service stops, 1008 the session or token
/// has ended, 1013 the client was too slow and may connect again.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", extensions(("x-role" = json!("viewer"))),
    responses((status = 101, description = "The WebSocket; its frames are events", body = Event)))]
pub(crate) async fn listen(
    Viewer(caller): Viewer,
    State(state): State<AppState>,
    upgrade: std::result::Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
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

async fn serve(mut socket: WebSocket, state: AppState, credential: Credential, _place: OwnedSemaphorePermit) {
    let farewell = match tell(&mut socket, &state, &credential).await {
        Ok(farewell) => farewell,
        Err(error) => {
            tracing::error!(error = %reanimator_core::message(&error), "an event stream failed");
            Some(FAULT)
        }
    };
    if let Some(Farewell { code, reason }) = farewell {
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
        // The client may be gone already; then there is nobody to tell.
        let _ = timeout(SEND_LIMIT, socket.send(close)).await;
    }
}

/// Tells the client everything until one side ends it: `None` when the client did.
async fn tell(socket: &mut WebSocket, state: &AppState, credential: &Credential) -> Result<Option<Farewell>> {
    // Listening begins before the state is read, so that no change falls between the two.
    let mut events = state.fleet.events();
    let status = state.fleet.status().await?;
    let data = serde_json::json!({ "hosts": status.hosts, "totals": status.totals });
    if !send(socket, &Event { kind: EventKind::Connected, at: status.at, data }).await? {
        return Ok(None);
    }
    let mut check = interval(CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Timestamp::now();
    loop {
        tokio::select! {
            () = state.stop.cancelled() => return Ok(Some(STOPPING)),
            event = events.recv() => match event {
                Ok(event) if send(socket, &event).await? => {}
                Ok(_) => return Ok(None),
                Err(RecvError::Lagged(_)) => return Ok(Some(TOO_SLOW)),
                Err(RecvError::Closed) => return Ok(Some(STOPPING)),
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
                Some(Ok(_)) => heard_at = Timestamp::now(),
            },
            _ = check.tick() => {
                if Timestamp::now().duration_since(heard_at).unsigned_abs() > SILENCE_LIMIT {
                    return Ok(None);
                }
                match credential.check(&state.fleet).await {
                    Err(error) if error.kind() == ErrorKind::Unauthenticated => return Ok(Some(LOGGED_OUT)),
                    checked => drop(checked?),
                }
                if !write(socket, Message::Ping(bytes::Bytes::new())).await {
                    return Ok(None);
                }
            }
        }
    }
}

/// Sends one event; `false` when the client is gone or stuck.
async fn send(socket: &mut WebSocket, event: &Event) -> Result<bool> {
    let text = serde_json::to_string(event)
        .map_err(|error| Error::new(ErrorKind::Internal, "write an event").from_source(error))?;
    Ok(write(socket, Message::text(text)).await)
}

async fn write(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(SEND_LIMIT, socket.send(message)).await, Ok(Ok(())))
}
