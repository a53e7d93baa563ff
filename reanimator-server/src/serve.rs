//! The running service: the listener, the live loop beside it, and an orderly end.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    store::LeaseHolder,
    workflows::{
        alerts::AlertsLoop,
        live::{LiveLoop, LiveOptions},
        notify::NotifyLoop,
        operations::OperationsLoop,
        update::UpdatesLoop,
    },
};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::{
    app::app,
    options::{Ready, ServerOptions, Tls},
    state::AppState,
    tls::{self, Identity},
};

/// As long as open requests may take to end once the service stops.
const GRACE: Duration = Duration::from_secs(10);
/// How often to look whether the live loop has the lease: it takes one transaction.
const LOOK_FOR_LEASE: Duration = Duration::from_millis(20);
/// As long as a client may take to send its request's head.
const HEAD_LIMIT: Duration = Duration::from_secs(15);

/// Runs the live loop, operations, updates, commands, alert rules, notices and the HTTP service until `stop` is cancelled.
///
/// `ready` is called once, when both run and the socket listens.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for options that are refused (beyond loopback without TLS, unusable certificate files),
/// [`ErrorKind::Conflict`] when the address is taken or another service runs on the same data directory, and
/// whatever ends the live loop.
pub async fn serve(
    fleet: Fleet,
    options: ServerOptions,
    stop: CancellationToken,
    ready: impl FnOnce(Ready),
) -> Result<()> {
    refuse_plain(&options)?;
    let identity = tls::load(&options.tls, fleet.data_dir(), options.listen, &options.allowed_hosts)?;
    let (listener, address) = bind(options.listen)?;
    let stop = stop.child_token();
    let _stop_when_done = stop.clone().drop_guard();
    let url = url_of(address, identity.is_some());
    let fingerprint = identity.as_ref().map(|identity| identity.fingerprint.clone());
    let state = AppState::new(fleet.clone(), &options, stop.clone());
    let (jobs, terminals) = (state.commands.clone(), state.terminals.clone());

    let live = LiveOptions { address: url.clone(), ..options.live.clone() };
    let live = ended_with(LiveLoop::new(fleet.clone(), live).run(stop.clone()), stop.clone());
    let http = ended_with(listen(listener, identity, state, stop.clone()), stop.clone());
    // Whoever is refused as a second server does nothing of what follows.
    let held = || async {
        tokio::select! {
            held = wait_for_lease(&fleet, &url) => held.map(|()| true),
            () = stop.cancelled() => Ok(false),
        }
    };
    let announced = async {
        if held().await? {
            // Only now: a link that a second, refused start printed must not take the place of the first one's.
            let setup_link = setup_link(&fleet, &options, &url).await?;
            ready(Ready { address, url: url.clone(), setup_link, fingerprint });
        }
        Ok(())
    };
    let worked = async {
        if held().await? {
            tokio::join!(
                OperationsLoop::new(fleet.clone()).run(stop.clone()),
                UpdatesLoop::new(fleet.clone()).run(stop.clone()),
                AlertsLoop::new(fleet.clone()).run(stop.clone()),
                NotifyLoop::new(fleet.clone()).run(stop.clone()),
                jobs.look_after(stop.clone()),
                terminals.look_after(stop.clone()),
            );
        }
        Ok(())
    };
    tokio::try_join!(live, http, announced, worked).map(|_| ())
}

/// Waits until this process is the one that serves the data; that it never will be, the live loop says.
async fn wait_for_lease(fleet: &Fleet, url: &str) -> Result<()> {
    let ours = |holder: LeaseHolder| holder.pid == std::process::id() && holder.address == url;
    while !fleet.store().server(fleet.now()).await?.is_some_and(ours) {
        tokio::time::sleep(LOOK_FOR_LEASE).await;
    }
    Ok(())
}

/// A plain service beyond loopback would send passwords and sessions in the clear.
fn refuse_plain(options: &ServerOptions) -> Result<()> {
    if options.listen.ip().is_loopback() || options.tls != Tls::Off || options.allow_plain {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, format!("listen on {}", options.listen))
        .because("that is beyond loopback, and passwords would cross the network in the clear")
        .next("add --tls for a self-made certificate, or --tls-cert and --tls-key for your own"))
}

fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let bound = TcpListener::bind(listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| {
        Error::new(ErrorKind::Conflict, format!("listen on {listen}"))
            .from_source(error)
            .next("end what listens there, or choose another address with --listen")
    })
}

/// What people open: a name where it listens everywhere, since `0.0.0.0` is no address to go to.
fn url_of(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    match (address.ip().is_unspecified(), tls::host_name()) {
        (true, name) => format!("{scheme}://{}:{}", name.as_deref().unwrap_or("localhost"), address.port()),
        (false, _) => format!("{scheme}://{address}"),
    }
}

/// The link that makes the first admin. Its token is a fragment, which browsers send to nobody.
async fn setup_link(fleet: &Fleet, options: &ServerOptions, url: &str) -> Result<Option<String>> {
    if !options.allow_setup || !fleet.access().setup_needed().await? {
        return Ok(None);
    }
    let token = fleet.access().create_setup_token(fleet.now()).await?;
    Ok(Some(format!("{url}/setup#{}", token.expose_secret())))
}

/// Serves until `stop`; then lets open requests end for a while.
async fn listen(
    listener: TcpListener,
    identity: Option<Identity>,
    state: AppState,
    stop: CancellationToken,
) -> Result<()> {
    let (changes, terminals) = (state.changes.clone(), state.terminals.clone());
    let service = app(state).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let failed = |error: std::io::Error| Error::new(ErrorKind::Internal, "serve HTTP").from_source(error);
    let mut server = axum_server::from_tcp(listener).map_err(failed)?.handle(handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
    let serving = async {
        match identity {
            Some(Identity { config, .. }) => {
                let tls = RustlsAcceptor::new(RustlsConfig::from_config(config)).acceptor(NoDelayAcceptor::new());
                server.acceptor(tls).serve(service).await
            }
            None => server.acceptor(NoDelayAcceptor::new()).serve(service).await,
        }
    };
    tokio::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = stop.cancelled() => {
            handle.graceful_shutdown(Some(GRACE));
            // What runs in terminals is hung up, and their ends are in the audit trail, before the store is closed.
            let (served, ()) = tokio::join!(serving, terminals.stop());
            served
        }
    };
    // What was begun for somebody who has hung up is no open request.
    changes.close();
    if tokio::time::timeout(GRACE, changes.wait()).await.is_err() {
        tracing::warn!(left = changes.len(), "changes that were begun did not end in time");
    }
    served.map_err(failed)
}

/// Stops everything once one part has ended, for whatever reason.
async fn ended_with<T>(part: impl Future<Output = Result<T>>, stop: CancellationToken) -> Result<T> {
    let _stop_the_others = stop.drop_guard();
    part.await
}
