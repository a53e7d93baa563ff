//! Ending a command for sure: its whole process group, for every account.
//!
//! SSH has a request for signals, but OpenSSH refuses it for root and other servers ignore it. So the group, which the
//! command's shell announced when it began, is ended by a second command; over the same connection where the server has
//! a session left, else over a new one.

use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};

use super::auth::Ways;
use super::connection::Connection;
use super::dial::reach;
use super::target::SshTarget;
use crate::transport::command::Become;
use crate::transport::shell;
use crate::transport::sudo::{Listener, Next};
use crate::{Error, ErrorKind, Result};

/// How long ending may take: two seconds of patience there, and the way to it.
const LIMIT: Duration = Duration::from_secs(6);

/// Knows how to reach the host once more.
#[derive(Clone)]
pub(super) struct Undertaker {
    pub(super) target: Arc<SshTarget>,
    pub(super) ways: Arc<Ways>,
}

impl Undertaker {
    /// Ends a process group.
    ///
    /// # Errors
    /// When it cannot be said for sure that it was ended.
    pub(super) async fn end(&self, over: &Connection, group: Option<u32>, become_root: &Become) -> Result<()> {
        let Some(group) = group else {
            return Err(cannot("its shell never said which process it is"));
        };
        let line = shell::exec_line(&shell::end_group(group), become_root);
        let ending = async {
            if let Some(channel) = over.open_spare().await {
                return speak(channel, &line, become_root).await;
            }
            let link = reach(&self.target).await?.log_in(&Ok(self.ways.clone())).await?;
            let channel = link.handle.channel_open_session().await.map_err(|error| cannot(&error.to_string()))?;
            speak(channel, &line, become_root).await
        };
        tokio::time::timeout(LIMIT, ending).await.unwrap_or_else(|_| Err(cannot("the host did not answer")))
    }
}

async fn speak(mut channel: Channel<Msg>, line: &str, become_root: &Become) -> Result<()> {
    let lost = |error: russh::Error| cannot(&error.to_string());
    channel.exec(true, line).await.map_err(lost)?;
    let (mut listener, _group) = Listener::new(become_root.clone());
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::ExtendedData { data, .. } => match listener.hear(&data).1 {
                Next::Go => {}
                Next::Password(password) => channel.data_bytes(password).await.map_err(lost)?,
                Next::GiveUp => channel.eof().await.map_err(lost)?,
            },
            ChannelMsg::ExitStatus { exit_status: 0 } => {
                return listener.refusal().map_or(Ok(()), Err);
            }
            ChannelMsg::Failure | ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. } => break,
            _ => {}
        }
    }
    Err(listener.refusal().unwrap_or_else(|| cannot("the host would not run what ends it")))
}

fn cannot(cause: &str) -> Error {
    Error::new(ErrorKind::Protocol, "end the command").because(cause).next("look for it on the host and end it there")
}
