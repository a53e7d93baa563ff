//! What a store keeps of maintenance windows, and of what somebody has protected.

use async_trait::async_trait;

use crate::{
    Result,
    model::{Protection, Window},
};

/// What is to become of a window, which is handed in as it is at that moment. What it refuses is not done at all.
pub type WindowEdit = Box<dyn FnOnce(Window) -> Result<Window> + Send>;

/// Maintenance windows and protections.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait WindowStore: Send + Sync {
    /// All windows, by name.
    async fn windows(&self) -> Result<Vec<Window>>;

    /// Adds a window.
    ///
    /// # Errors
    /// `Conflict` where one is called so already.
    async fn insert_window(&self, window: &Window) -> Result<()>;

    /// Changes a window as it is at that moment; its name stays. Gives it as it is then.
    ///
    /// # Errors
    /// `NotFound`, and what `edit` refuses.
    async fn edit_window(&self, name: &str, edit: WindowEdit) -> Result<Window>;

    /// Removes a window.
    ///
    /// # Errors
    /// `NotFound`.
    async fn remove_window(&self, name: &str) -> Result<()>;

    /// All that somebody has protected, by what it is.
    async fn protections(&self) -> Result<Vec<Protection>>;

    /// Protects something, in place of an earlier protection of it.
    async fn put_protection(&self, protection: &Protection) -> Result<()>;

    /// Protects something no more. Whether it was protected.
    async fn remove_protection(&self, thing: &str) -> Result<bool>;
}
