//! Credentials, write-only.

use reanimator_core::{Fleet, Result, fleet::NewSshCredentials};
use secrecy::SecretString;

use super::audited;
use crate::{answer::Plain, arguments};

/// Whose credentials are stored, and which.
pub(crate) async fn credentials(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.credentials_stored().await?)
}

/// Replaces some of a host's.
pub(crate) async fn set_host_credentials(fleet: Fleet, name: String, new: NewSshCredentials) -> Result<Plain> {
    let set = fleet.set_host_credentials(&name, new);
    Plain::of(&audited(&fleet, "host credentials set", &name, set).await?)
}

/// Removes some of a host's.
pub(crate) async fn remove_host_credentials(fleet: Fleet, name: String, names: Vec<String>) -> Result<Plain> {
    let remove = fleet.remove_host_credentials(&name, &names);
    Plain::of(&audited(&fleet, "host credentials remove", &name, remove).await?)
}

/// Replaces a cluster's.
pub(crate) async fn set_proxmox_credentials(
    fleet: Fleet,
    name: String,
    token: Option<String>,
    user: Option<String>,
    password: Option<String>,
) -> Result<Plain> {
    let new = arguments::proxmox_secret(&name, token, user, password)?;
    let set = fleet.set_proxmox_credentials(&name, &new);
    Plain::of(&audited(&fleet, "proxmox credentials set", &name, set).await?)
}

/// Removes some of a cluster's.
pub(crate) async fn remove_proxmox_credentials(fleet: Fleet, name: String, names: Vec<String>) -> Result<Plain> {
    let remove = fleet.remove_proxmox_credentials(&name, &names);
    Plain::of(&audited(&fleet, "proxmox credentials remove", &name, remove).await?)
}

/// New credentials of a host, by the keyword arguments of `set_host_credentials`.
pub(crate) fn host_credentials(
    user: Option<String>,
    password: Option<String>,
    key: Option<String>,
    passphrase: Option<String>,
    sudo_password: Option<String>,
) -> NewSshCredentials {
    NewSshCredentials {
        user,
        password: password.map(SecretString::from),
        key: key.map(SecretString::from),
        passphrase: passphrase.map(SecretString::from),
        sudo_password: sudo_password.map(SecretString::from),
    }
}
