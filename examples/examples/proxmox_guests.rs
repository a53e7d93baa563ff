//! Connects a Proxmox VE cluster by any of its nodes and lists all its guests.
//!
//! ```text
//! export PROXMOX_TOKEN='root@pam!reanimator=...'
//! cargo run -p reanimator-examples --example proxmox_guests -- https://pve1:8006
//! ```
//! The first run shows the certificate's fingerprint; compare it on the node (`pvenode cert info`) and give it as the
//! second argument.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use reanimator_core::{
    Error, ErrorKind, Fleet, FleetOptions,
    fleet::{NewProxmox, ProxmoxSecret},
};
use secrecy::SecretString;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Ok(token)) = (arguments.next(), std::env::var("PROXMOX_TOKEN")) else {
        println!("usage: PROXMOX_TOKEN='user@realm!name=secret' proxmox_guests https://HOST:8006 [FINGERPRINT]");
        return Ok(());
    };
    let data_dir = std::env::temp_dir().join(format!("reanimator-example-{}", std::process::id()));
    let fleet = Fleet::open(FleetOptions::new(&data_dir)).await?;

    let cluster = NewProxmox {
        url,
        name: None,
        auth: ProxmoxSecret::Token(SecretString::from(token)),
        accept_certificate: arguments.next(),
        dry_run: false,
    };
    let outcome = match fleet.connect_proxmox(cluster).await {
        // Nobody is trusted by default: who it is has to be said once.
        Err(error) if error.kind() == ErrorKind::CertificateUnknown => {
            println!("certificate: {}", error.fingerprint().map_or("unknown", |shown| &shown.sha256));
            Err(error)
        }
        Err(error) => Err(error),
        Ok(report) => {
            println!("{}: {} nodes", report.name, report.nodes.len());
            for guest in fleet.guests().await? {
                let name = guest.name.as_deref().unwrap_or("-");
                println!("{:>5} {name} is {:?} on {}", guest.vmid, guest.status, guest.node);
            }
            Ok(())
        }
    };
    fleet.close().await;
    drop(std::fs::remove_dir_all(data_dir));
    outcome
}
