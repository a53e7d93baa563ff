//! A terminal over SSH, on a connection of its own: a flood in it holds up nobody else.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, Pty as Mode};
use tokio::sync::mpsc;

use super::connection::name_of;
use super::pool::Pool;
use crate::model::TerminalSize;
use crate::transport::Exit;
use crate::transport::pty::{Far, Pty, TERM, Typed, pair};
use crate::{Error, ErrorKind, Result};

/// How long the host may take to give a terminal, once it has let us in.
const OPENING: Duration = Duration::from_secs(10);

/// How long the server may take to say how a shell ended, once it was hung up.
const CLOSING: Duration = Duration::from_secs(2);

/// Opens a terminal with a login shell, or with `command`.
pub(super) async fn open(pool: &Pool, size: TerminalSize, command: Option<&str>) -> Result<Pty> {
    let size = size.checked()?;
    let (connection, _) = pool.connection().await?;
    let opening = async {
        let channel =
            connection.link.handle.channel_open_session().await.map_err(|error| no_terminal(&error.to_string()))?;
        begin(channel, size, command).await
    };
    let opened = tokio::time::timeout(OPENING, opening).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Timeout, "open a terminal")
            .because(format!("it let us in and gave none within {} s", OPENING.as_secs()))
            .next("check the load there"))
    });
    let (read, write) = match opened {
        Ok(halves) => halves,
        Err(error) => {
            pool.close().await;
            return Err(error);
        }
    };
    let (near, far) = pair();
    tokio::spawn(async move {
        let Far { typed, screen, exit } = far;
        let ended = carry(read, &write, typed, screen).await;
        let ended = ended.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Unreachable, "keep the terminal open")
                .because(connection.link.ending.why())
                .next("check the host and the network between, then open another one"))
        });
        let _nobody_asks = exit.send(ended);
        let _gone_already = connection.link.handle.disconnect(Disconnect::ByApplication, "", "en").await;
    });
    Ok(near)
}

async fn begin(
    channel: Channel<Msg>,
    size: TerminalSize,
    command: Option<&str>,
) -> Result<(ChannelReadHalf, ChannelWriteHalf<Msg>)> {
    let (mut read, write) = channel.split();
    let lost = |error: russh::Error| no_terminal(&error.to_string());
    let (cols, rows) = (u32::from(size.cols), u32::from(size.rows));
    // What is typed is UTF-8, so that a backspace takes away a whole letter.
    write.request_pty(true, TERM, cols, rows, 0, 0, &[(Mode::IUTF8, 1)]).await.map_err(lost)?;
    granted(&mut read, "a terminal", "check PermitTTY in the server's sshd_config").await?;
    // Only where the host itself has no language set; and it may refuse it.
    write.set_env(false, "LANG", "C.UTF-8").await.map_err(lost)?;
    match command {
        Some(command) => write.exec(true, command).await,
        None => write.request_shell(true).await,
    }
    .map_err(lost)?;
    granted(&mut read, "a shell", "check ForceCommand and the account's shell there").await?;
    Ok((read, write))
}

/// Waits until the server has said yes.
async fn granted(read: &mut ChannelReadHalf, what: &str, next: &str) -> Result<()> {
    loop {
        match read.wait().await {
            Some(ChannelMsg::Success) => return Ok(()),
            Some(ChannelMsg::Failure) => {
                return Err(Error::new(ErrorKind::Denied, format!("open {what}"))
                    .because("the server refuses it to this account")
                    .next(next));
            }
            None | Some(ChannelMsg::Close) => return Err(no_terminal("the server closed it at once")),
            Some(_) => {}
        }
    }
}

fn no_terminal(why: &str) -> Error {
    Error::new(ErrorKind::Denied, "open a terminal")
        .because(format!("the server lets us in but opens no session ({why})"))
        .next("check MaxSessions and ForceCommand in the server's sshd_config")
}

/// Carries both ways until the far side closes or nobody is left; none where the connection was lost.
async fn carry(
    mut read: ChannelReadHalf,
    write: &ChannelWriteHalf<Msg>,
    typed: mpsc::Receiver<Typed>,
    screen: mpsc::Sender<bytes::Bytes>,
) -> Option<Result<Exit>> {
    let mut exit = Exit::default();
    let closed = tokio::select! {
        closed = hear(&mut read, &screen, &mut exit) => closed,
        () = feed(write, typed) => {
            let _closed_already = write.close().await;
            // What comes now is thrown away: nobody looks.
            drop(screen);
            let rest = async { while read.wait().await.is_some() {} };
            let _in_time = tokio::time::timeout(CLOSING, rest).await;
            true
        }
    };
    (closed || exit != Exit::default()).then_some(Ok(exit))
}

/// Takes in everything that the server says; whether it closed the terminal.
async fn hear(read: &mut ChannelReadHalf, screen: &mpsc::Sender<bytes::Bytes>, exit: &mut Exit) -> bool {
    while let Some(message) = read.wait().await {
        let over = match message {
            ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => screen.send(data).await.is_err(),
            ChannelMsg::ExitStatus { exit_status } => {
                exit.status = Some(exit_status);
                false
            }
            ChannelMsg::ExitSignal { signal_name, .. } => {
                exit.signal = Some(name_of(signal_name));
                false
            }
            ChannelMsg::Close => true,
            _ => false,
        };
        if over {
            return true;
        }
    }
    false
}

/// Ends when it was hung up.
async fn feed(write: &ChannelWriteHalf<Msg>, mut typed: mpsc::Receiver<Typed>) {
    while let Some(next) = typed.recv().await {
        // The far end of a lost connection is heard of by who reads.
        let _lost = match next {
            Typed::Bytes(bytes) => write.data_bytes(bytes).await,
            Typed::Size(size) => write.window_change(u32::from(size.cols), u32::from(size.rows), 0, 0).await,
        };
    }
}
