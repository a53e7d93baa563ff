//! Maintenance windows, and what is protected by hand.

use reanimator_core::{
    Fleet, Result,
    access::Principal,
    model::{Window, WindowChange},
};

use super::audited;
use crate::{answer::Plain, arguments::Json};

/// All windows.
pub(crate) async fn windows(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.windows().await?)
}

/// One window.
pub(crate) async fn window(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&fleet.window(&name).await?)
}

/// Makes a window.
pub(crate) async fn create_window(fleet: Fleet, window: Json) -> Result<Plain> {
    let window: Window = window.read("the maintenance window")?;
    let on = format!("{}: {window}", window.name);
    Plain::of(&audited(&fleet, "window create", &on, fleet.create_window(window)).await?)
}

/// Changes a window; what is absent stays.
pub(crate) async fn edit_window(fleet: Fleet, name: String, change: Json) -> Result<Plain> {
    let change: WindowChange = change.read("the change of a maintenance window")?;
    Plain::of(&audited(&fleet, "window edit", &name, fleet.change_window(&name, change)).await?)
}

/// Removes a window.
pub(crate) async fn delete_window(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "window delete", &name, fleet.remove_window(&name)).await
}

/// All that is protected by hand.
pub(crate) async fn protections(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.protections().await?)
}

/// Protects a host.
pub(crate) async fn protect_host(fleet: Fleet, name: String, reason: String) -> Result<Plain> {
    let who = Principal::local().who();
    Plain::of(&audited(&fleet, "host protect", &name, fleet.protect_host(&name, &reason, &who)).await?)
}

/// Protects a host no more.
pub(crate) async fn unprotect_host(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "host unprotect", &name, fleet.unprotect_host(&name)).await
}

/// Protects a guest.
pub(crate) async fn protect_guest(fleet: Fleet, name: String, reason: String, node: Option<String>) -> Result<Plain> {
    let who = Principal::local().who();
    let protect = fleet.protect_guest(node.as_deref(), &name, &reason, &who);
    Plain::of(&audited(&fleet, "guest protect", &name, protect).await?)
}

/// Protects a guest no more.
pub(crate) async fn unprotect_guest(fleet: Fleet, name: String, node: Option<String>) -> Result<()> {
    audited(&fleet, "guest unprotect", &name, fleet.unprotect_guest(node.as_deref(), &name)).await
}
