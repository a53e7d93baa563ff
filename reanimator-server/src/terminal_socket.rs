//! The WebSocket of one terminal: binary frames are what is typed and what is shown, text frames are JSON that says the
//! rest.
//!
//! Both ways have their measure. A page says how far it has shown ([`TerminalOrder::Seen`]) and is sent only so much more;
//! it is told how much of what was typed has been taken ([`TerminalNews::Taken`]), and sends only so much more. So neither
//! a flood nor a long paste fills the memory of one side, and a key that stops a flood is felt at once.
//!
//! While it is open, its credential is looked at again and again: who is logged out, or is an admin no more, is let go.

use std::time::Duration;

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
use bytes::Bytes;
use futures::{Sink, SinkExt, Stream, StreamExt};
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    access::Role,
    message,
    model::{Terminal, TerminalEnd, TerminalSize},
    workflows::shell::{Hands, Seen, Viewer},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::{Admin, Credential},
    error::ApiError,
    json::{Name, Query},
    openapi::Refusals,
    state::AppState,
};

/// How long one frame may take to leave us.
const SEND: Duration = Duration::from_secs(20);
/// How often the credential is looked at again, and a sign of life asked for.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// As long as a client may keep silent.
const SILENCE: Duration = Duration::from_secs(50);
/// The largest frame that is taken.
const LARGEST_INCOMING: usize = 64 * 1024;
/// As many orders as wait for the far side: with the largest frames 1 MiB. A client that minds [`TerminalNews::Taken`]
/// never has so many under way.
const ORDERS: usize = 16;
/// As many pieces of news as wait.
const NEWS: usize = 64;

/// How somebody looks at a terminal.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Look {
    /// How many bytes it has seen of all that the terminal ever showed: it is sent what follows. Without, it is sent all
    /// that is kept.
    from: Option<u64>,
    /// Whether it will say how much it has seen. Defaults to no: then what it was sent counts as seen.
    says: bool,
}

/// What a client says in text frames.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum TerminalOrder {
    /// Give the terminal another size.
    Resize {
        /// Characters in a line.
        cols: u16,
        /// Lines.
        rows: u16,
    },
    /// Everything before this byte was shown.
    Seen {
        /// Its number, counted from the terminal's beginning.
        at: u64,
    },
}

/// What a client is told in text frames.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum TerminalNews {
    /// The first frame: the terminal, and which byte comes next.
    Attached {
        /// It.
        terminal: Box<Terminal>,
        /// The number of the next byte that is sent.
        at: u64,
    },
    /// Bytes that this client has not seen are gone: clear the screen; the next frame goes on.
    Lost {
        /// How many.
        bytes: u64,
        /// The number of the next byte that is sent.
        at: u64,
    },
    /// Somebody has given it another size.
    Size(TerminalSize),
    /// So many bytes of what this client has typed were taken since it came.
    Taken {
        /// How many.
        bytes: u64,
    },
    /// What this client asked for could not be done.
    Refused {
        /// Why.
        message: String,
    },
    /// It has ended. The last frame but for the close.
    Ended(TerminalEnd),
}

/// Why a connection ends, as it is told to the client.
#[derive(Clone, Copy, Debug)]
struct Farewell {
    code: u16,
    reason: &'static str,
}

const ENDED: Farewell = Farewell { code: close_code::NORMAL, reason: "the terminal has ended" };
const STOPPING: Farewell = Farewell { code: close_code::AWAY, reason: "the service stops" };
const LOGGED_OUT: Farewell = Farewell { code: close_code::POLICY, reason: "the session has ended, or is no admin's" };
const NOT_UNDERSTOOD: Farewell = Farewell { code: close_code::UNSUPPORTED, reason: "a text frame was no known order" };
const FAULT: Farewell = Farewell { code: close_code::ERROR, reason: "a fault of our own" };

/// A terminal, as a WebSocket.
///
/// Takes the session cookie (from pages of our own origin) or a bearer token of an admin. Binary frames are what is typed
/// and what is shown; text frames are a `TerminalOrder` or a `TerminalNews` in JSON. Close codes: 1000 the terminal has
/// ended, 1001 the service stops, 1003 a text frame was not understood, 1008 the session has ended.
#[utoipa::path(get, path = "/api/v1/terminals/{id}/ws", tag = "terminals", params(("id" = String, Path), Look),
    extensions(("x-role" = json!("admin"))),
    responses((status = 101, description = "The WebSocket", body = TerminalNews), Refusals))]
pub(crate) async fn look(
    Admin(caller): Admin,
    State(state): State<AppState>,
    Name(id): Name,
    Query(look): Query<Look>,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let id = id.into();
    state.terminals.get(&id)?;
    let upgrade = upgrade.map_err(|rejection| {
        Error::new(ErrorKind::Invalid, "look at the terminal")
            .because(rejection.body_text())
            .next("open it as a WebSocket, HTTP version 13")
    })?;
    let viewer = state.terminals.attach(&id, look.from, look.says, &caller.by()).await?;
    let upgrade = upgrade.max_message_size(LARGEST_INCOMING).max_frame_size(LARGEST_INCOMING).write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, state, caller.credential, viewer)))
}

async fn serve(socket: WebSocket, state: AppState, credential: Credential, viewer: Viewer) {
    let (mut out, mut said) = socket.split();
    let hands = viewer.hands();
    let (order, orders) = mpsc::channel(ORDERS);
    let (tell, news) = mpsc::channel(NEWS);
    let heard = tokio::sync::watch::Sender::new(Instant::now());
    let farewell = tokio::select! {
        farewell = show(&mut out, viewer, news) => farewell,
        farewell = listen(&mut said, &hands, order, &heard) => farewell,
        never = carry_out(&hands, orders, tell.clone()) => never,
        farewell = watch_over(&state, &credential, &heard, tell) => farewell,
    };
    if let Some(Farewell { code, reason }) = farewell {
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
        // Who is gone needs no farewell.
        let _gone = timeout(SEND, out.send(close)).await;
    }
}

/// Sends what is shown, and the news between, until the terminal has ended or the client is gone: then none.
async fn show(
    out: &mut (impl Sink<Message> + Unpin),
    mut viewer: Viewer,
    mut news: mpsc::Receiver<Message>,
) -> Option<Farewell> {
    let attached = TerminalNews::Attached { terminal: Box::new(viewer.terminal()), at: viewer.at() };
    if !send(out, text(&attached)).await {
        return None;
    }
    loop {
        let next = tokio::select! {
            biased;
            Some(news) = news.recv() => news,
            seen = viewer.next() => match seen {
                Some(Seen::Bytes { bytes, .. }) => Message::Binary(bytes),
                Some(Seen::Lost { bytes }) => text(&TerminalNews::Lost { bytes, at: viewer.at() }),
                Some(Seen::Size(size)) => text(&TerminalNews::Size(size)),
                Some(Seen::Ended(end)) => text(&TerminalNews::Ended(end)),
                None => return Some(ENDED),
            },
        };
        if !send(out, next).await {
            return None;
        }
    }
}

/// Takes in what the client says.
async fn listen<E>(
    said: &mut (impl Stream<Item = std::result::Result<Message, E>> + Unpin),
    hands: &Hands,
    order: mpsc::Sender<Order>,
    heard: &tokio::sync::watch::Sender<Instant>,
) -> Option<Farewell> {
    while let Some(Ok(message)) = said.next().await {
        heard.send_replace(Instant::now());
        let next = match message {
            Message::Binary(bytes) => Order::Type(bytes),
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(TerminalOrder::Resize { cols, rows }) => Order::Resize(TerminalSize { cols, rows }),
                // At once: what waits to be typed must not hold up what is shown.
                Ok(TerminalOrder::Seen { at }) => {
                    hands.seen(at);
                    continue;
                }
                Err(_) => return Some(NOT_UNDERSTOOD),
            },
            Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if order.send(next).await.is_err() {
            return None;
        }
    }
    None
}

/// What goes to the far side, in the order it came.
#[derive(Debug)]
enum Order {
    Type(Bytes),
    Resize(TerminalSize),
}

async fn carry_out(hands: &Hands, mut orders: mpsc::Receiver<Order>, tell: mpsc::Sender<Message>) -> Option<Farewell> {
    let mut taken = 0;
    while let Some(order) = orders.recv().await {
        let done = match order {
            Order::Type(bytes) => {
                taken += bytes.len() as u64;
                hands.type_in(bytes).await.map(|()| Some(TerminalNews::Taken { bytes: taken }))
            }
            Order::Resize(size) => hands.resize(size).await.map(|()| None),
        };
        let news = done.unwrap_or_else(|error| Some(TerminalNews::Refused { message: message(&error) }));
        if let Some(news) = news
            && tell.send(text(&news)).await.is_err()
        {
            break;
        }
    }
    // The client is gone, or what is shown has ended: whoever sees that says so.
    std::future::pending().await
}

/// Ends it when the service stops, the client is silent, or who looks may do so no more.
async fn watch_over(
    state: &AppState,
    credential: &Credential,
    heard: &tokio::sync::watch::Sender<Instant>,
    tell: mpsc::Sender<Message>,
) -> Option<Farewell> {
    let mut check = interval(CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = state.stop.cancelled() => return Some(STOPPING),
            _ = check.tick() => {}
        }
        match is_admin(credential, &state.fleet).await {
            Ok(true) => {}
            Ok(false) => return Some(LOGGED_OUT),
            Err(error) => {
                tracing::error!(error = %message(&error), "who looks at a terminal cannot be checked");
                return Some(FAULT);
            }
        }
        if heard.borrow().elapsed() > SILENCE {
            return None;
        }
        // Where much is told already, there is no need to ask for a sign of life.
        let _busy = tell.try_send(Message::Ping(Bytes::new()));
    }
}

async fn is_admin(credential: &Credential, fleet: &Fleet) -> Result<bool> {
    match credential.check(fleet).await {
        Ok(principal) => Ok(principal.role.allows(Role::Admin)),
        Err(error) if error.kind() == ErrorKind::Unauthenticated => Ok(false),
        Err(error) => Err(error),
    }
}

fn text(news: &TerminalNews) -> Message {
    // These hold nothing that JSON cannot: strings and numbers.
    Message::text(serde_json::to_string(news).unwrap_or_default())
}

/// Sends one frame; false when the client is gone or stuck.
async fn send(out: &mut (impl Sink<Message> + Unpin), message: Message) -> bool {
    matches!(timeout(SEND, out.send(message)).await, Ok(Ok(())))
}
