//! One host's SSH server: its listener, its connections, its running commands, and what is wrong with it.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use reanimator_core::{
    collect::linux::{file_systems, identity, inventory, watch},
    transport::shell,
};
use russh::{
    Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect,
    keys::{PrivateKey, ssh_key::PublicKey},
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::{
    Fault, answers,
    commands::{self, Answer},
    facts,
    machine::{Figures, Machine},
};

/// How much a host with [`Fault::Garbage`] says.
const GARBAGE: usize = 2 * 1024 * 1024;

/// How long a port that was given up may take to be free again.
const REBIND_PAUSE: Duration = Duration::from_millis(20);

/// One host, served.
#[derive(Debug)]
pub(crate) struct Served {
    machine: Machine,
    config: Arc<server::Config>,
    allowed: PublicKey,
    address: SocketAddr,
    began: Instant,
    state: Mutex<State>,
    /// Told of each change of [`State::fault`].
    changed: tokio::sync::watch::Sender<Fault>,
    next_group: AtomicU32,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    rebooted: Option<f64>,
    /// Since when its disk fills, how full it was then, and by how much it grows in an hour.
    filling: Option<(f64, f64, f64)>,
    /// Ends every connection of now; a new one is made for those to come.
    connections: CancellationToken,
    /// What runs, by process group.
    running: HashMap<u32, CancellationToken>,
    /// Questions for facts that it had no answer to.
    unknown: BTreeSet<String>,
}

impl Served {
    pub(crate) fn new(
        machine: Machine,
        host_key: PrivateKey,
        allowed: PublicKey,
        address: SocketAddr,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let config = Arc::new(server::Config {
            keys: vec![host_key],
            auth_rejection_time: Duration::from_millis(100),
            auth_rejection_time_initial: Some(Duration::ZERO),
            inactivity_timeout: None,
            ..server::Config::default()
        });
        Arc::new(Self {
            machine,
            config,
            allowed,
            address,
            began: Instant::now(),
            state: Mutex::default(),
            changed: tokio::sync::watch::Sender::new(Fault::Clear),
            next_group: AtomicU32::new(1000),
            stop,
        })
    }

    /// Takes connections until it is told to stop; while it refuses, it does not listen.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener) {
        let mut listener = Some(listener);
        let mut changes = self.changed.subscribe();
        loop {
            let refuses = self.fault() == Fault::Refuse;
            match (&listener, refuses) {
                (Some(_), true) => listener = None,
                (None, false) => listener = TcpListener::bind(self.address).await.ok(),
                _ => {}
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                // The sender is ours, so it is there.
                _changed = changes.changed() => {}
                () = tokio::time::sleep(REBIND_PAUSE), if listener.is_none() && !refuses => {}
                Ok((stream, _)) = accept(listener.as_ref()), if listener.is_some() => {
                    let connections = self.state().connections.child_token();
                    tokio::spawn(self.clone().connection(stream, connections));
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, until: CancellationToken) {
        let serve = async {
            if self.fault() == Fault::Silent {
                return std::future::pending().await;
            }
            // Only costs speed where it is refused.
            let _slower = stream.set_nodelay(true);
            let visitor = Visitor { host: self.clone(), channels: HashMap::new() };
            // A client that breaks off is its own business.
            if let Ok(session) = server::run_stream(self.config.clone(), stream, visitor).await {
                let handle = session.handle();
                tokio::select! {
                    _ended = session => {}
                    () = self.ended(&until) => {
                        let _gone = handle.disconnect(Disconnect::ByApplication, "going down".into(), "en".into()).await;
                    }
                }
            }
        };
        tokio::select! {
            () = serve => {}
            () = async { self.ended(&until).await; tokio::time::sleep(REBIND_PAUSE).await } => {}
        }
    }

    async fn ended(&self, until: &CancellationToken) {
        tokio::select! {
            () = until.cancelled() => {}
            () = self.stop.cancelled() => {}
        }
    }

    pub(crate) fn break_with(&self, fault: Fault) {
        if matches!(fault, Fault::Reboot | Fault::Refuse) {
            let mut state = self.state();
            std::mem::take(&mut state.connections).cancel();
            state.running.clear();
            if fault == Fault::Reboot {
                state.rebooted = Some(self.began.elapsed().as_secs_f64());
            }
        }
        self.changed.send_replace(if fault == Fault::Reboot { Fault::Clear } else { fault });
    }

    pub(crate) fn figures(&self) -> Figures {
        let (rebooted, filling) = {
            let state = self.state();
            (state.rebooted, state.filling)
        };
        let now = self.began.elapsed().as_secs_f64();
        let mut figures = self.machine.figures(now, rebooted);
        if let Some((since, share, per_hour)) = filling {
            let share = (share + per_hour * (now - since) / 3600.0).clamp(0.0, 1.0);
            figures.disk_kib.1 = (figures.disk_kib.0 as f64 * share) as u64;
        }
        figures
    }

    pub(crate) fn fill(&self, share: f64, per_hour: f64) {
        self.state().filling = Some((self.began.elapsed().as_secs_f64(), share, per_hour));
    }

    pub(crate) fn unknown(&self) -> BTreeSet<String> {
        self.state().unknown.clone()
    }

    fn fault(&self) -> Fault {
        *self.changed.borrow()
    }

    fn clock(&self) -> i64 {
        let ahead = if self.fault() == Fault::ClockOff { 3600 } else { 0 };
        jiff::Timestamp::now().as_second() + ahead
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Whoever is at the other end of one connection.
struct Visitor {
    host: Arc<Served>,
    /// Sessions that were opened and not yet asked for anything.
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl server::Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = user == crate::USER && key.public_key.key_data() == self.host.allowed.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let Some(channel) = self.channels.remove(&id) else { return session.channel_failure(id) };
        session.channel_success(id)?;
        let (line, host) = (String::from_utf8_lossy(line).into_owned(), self.host.clone());
        let (read, write) = channel.split();
        tokio::spawn(async move {
            let group = host.next_group.fetch_add(1, Ordering::Relaxed);
            let end = CancellationToken::new();
            host.state().running.insert(group, end.clone());
            let command = Running { host: &host, write: &write, group };
            tokio::select! {
                // Whoever is gone cannot be told anything.
                _said = command.run(&line, read) => {}
                () = end.cancelled() => {
                    let _gone = write.exit_status(143).await;
                }
            }
            host.state().running.remove(&group);
            let _gone = write.eof().await;
            let _gone = write.close().await;
        });
        Ok(())
    }
}

/// One command on its channel.
struct Running<'a> {
    host: &'a Served,
    write: &'a ChannelWriteHalf<Msg>,
    group: u32,
}

impl Running<'_> {
    async fn run(&self, line: &str, mut read: ChannelReadHalf) -> Result<(), russh::Error> {
        let text = match shell::text_of(line) {
            Some(text) => {
                self.write.extended_data_bytes(1, shell::announcement(self.group)).await?;
                text
            }
            None => line.to_owned(),
        };
        if marked(&text, watch::MARKER) {
            return self.watch(read).await;
        }
        tokio::select! {
            said = self.once(&text) => said,
            () = hung_up(&mut read) => Ok(()),
        }
    }

    /// A command that ends by itself.
    async fn once(&self, text: &str) -> Result<(), russh::Error> {
        if let Some(group) = text.strip_prefix("kill -s TERM -- -") {
            let digits: String = group.chars().take_while(char::is_ascii_digit).collect();
            if let Some(end) = digits.parse().ok().and_then(|group: u32| self.host.state().running.remove(&group)) {
                end.cancel();
            }
            return self.write.exit_status(0).await;
        }
        match self.host.fault() {
            Fault::Silent => return std::future::pending().await,
            Fault::Garbage => self.garbage().await?,
            Fault::Endless => return self.endless().await,
            Fault::HalfFrame => return self.write.data_bytes("half an ans".to_owned()).await,
            _ => {}
        }
        let answer = self.answer(text);
        tokio::time::sleep(answer.takes).await;
        self.write.data_bytes(answer.stdout).await?;
        if !answer.stderr.is_empty() {
            self.write.extended_data_bytes(1, answer.stderr).await?;
        }
        self.write.exit_status(answer.status).await
    }

    fn answer(&self, text: &str) -> Answer {
        let Served { machine, .. } = self.host;
        let figures = self.host.figures();
        let clock = self.host.clock();
        let stdout = if marked(text, inventory::ask::MARKER) {
            let rebooted = self.host.state().rebooted;
            let (text, unknown) = facts::answer(text, &facts::Asked { machine, figures: &figures, clock, rebooted });
            self.host.state().unknown.extend(unknown);
            text
        } else if marked(text, identity::MARKER) {
            answers::identity(machine, clock)
        } else if marked(text, file_systems::MARKER) && text.contains("df -P") {
            format!("{}@inodes\n{}", answers::df(machine, &figures), answers::df_inodes(machine, &figures))
        } else if marked(text, file_systems::MARKER) {
            answers::mounts(machine)
        } else {
            return commands::answer(text, machine, &figures, clock);
        };
        Answer { stdout, ..Answer::default() }
    }

    /// The watching shell: a sample for each line `t N`, until the input ends.
    async fn watch(&self, mut read: ChannelReadHalf) -> Result<(), russh::Error> {
        let mut waiting = String::new();
        while let Some(message) = read.wait().await {
            match message {
                ChannelMsg::Data { data } => waiting += &String::from_utf8_lossy(&data),
                ChannelMsg::Eof | ChannelMsg::Close => break,
                _ => continue,
            }
            while let Some((line, rest)) = waiting.split_once('\n') {
                let Some(number) = line.strip_prefix("t ").map(str::to_owned) else {
                    return self.write.exit_status(0).await;
                };
                waiting = rest.to_owned();
                let goes_on = tokio::select! {
                    said = self.sample(&number) => said?,
                    () = hung_up(&mut read) => return Ok(()),
                };
                if !goes_on {
                    return self.write.exit_status(0).await;
                }
            }
        }
        self.write.exit_status(0).await
    }

    /// One sample; false when the shell ends with it.
    async fn sample(&self, number: &str) -> Result<bool, russh::Error> {
        let block = || answers::sample(&self.host.machine, &self.host.figures());
        match self.host.fault() {
            Fault::Silent => {}
            Fault::Garbage => self.garbage().await?,
            Fault::Endless => self.endless().await?,
            Fault::HalfFrame => {
                let block = block();
                self.write.data_bytes(format!("@begin {number}\n{}", &block[..block.len() / 2])).await?;
                return Ok(false);
            }
            Fault::Clear | Fault::Refuse | Fault::Reboot | Fault::ClockOff => {
                self.write.data_bytes(format!("@begin {number}\n{}@end {number}\n", block())).await?;
            }
        }
        Ok(true)
    }

    async fn garbage(&self) -> Result<(), russh::Error> {
        // Every byte there is, in an order that is no UTF-8.
        let piece: Vec<u8> = (0..32_768_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for _ in 0..GARBAGE / piece.len() {
            self.write.data_bytes(piece.clone()).await?;
        }
        Ok(())
    }

    async fn endless(&self) -> Result<(), russh::Error> {
        let piece = "y\n".repeat(8192).into_bytes();
        loop {
            self.write.data_bytes(piece.clone()).await?;
        }
    }
}

/// Waits until the client has closed the channel; its end of input is not that.
async fn hung_up(read: &mut ChannelReadHalf) {
    while !matches!(read.wait().await, None | Some(ChannelMsg::Close)) {}
}

/// Whether a command is the one with this mark.
fn marked(text: &str, marker: &str) -> bool {
    text.strip_prefix(": ").is_some_and(|rest| rest.starts_with(marker))
}
