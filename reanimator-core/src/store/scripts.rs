//! What a store keeps of prepared scripts.

use async_trait::async_trait;

use crate::{Result, model::StoredScript};

/// Prepared scripts, by their names.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait ScriptStore: Send + Sync {
    /// All of them, by their names.
    async fn scripts(&self) -> Result<Vec<StoredScript>>;

    /// One of them.
    async fn script(&self, name: &str) -> Result<Option<StoredScript>>;

    /// Stores a new one. Whether there was none of its name; else nothing is done.
    async fn add_script(&self, script: &StoredScript) -> Result<bool>;

    /// Puts one in the place of the one of its name. Whether there was one; else nothing is done.
    async fn replace_script(&self, script: &StoredScript) -> Result<bool>;

    /// Deletes one. Whether there was one.
    async fn delete_script(&self, name: &str) -> Result<bool>;
}
