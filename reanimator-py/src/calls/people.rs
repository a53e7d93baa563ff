//! Who may log in, tokens for programs, and the trail of what was done.

use std::path::PathBuf;

use futures::StreamExt as _;
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    access::{NewPassword, UserChange},
    fleet::{AuditFormat, AuditWords},
    model::Role,
    store::{TokenRecord, UserRecord},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{fs::OpenOptions, io::AsyncWriteExt as _};

use super::audited;
use crate::answer::Plain;

/// As many entries of the trail as one call gives at most.
const LARGEST_LIMIT: u32 = 10_000;

/// Who may log in, without their passwords' hashes.
pub(crate) async fn users(fleet: Fleet) -> Result<Plain> {
    let users = fleet.access().users().await?;
    let document = |user: &UserRecord| json!({ "name": user.name, "role": user.role, "created_at": user.created_at });
    Plain::of(&users.iter().map(document).collect::<Vec<Value>>())
}

/// Lets somebody in.
pub(crate) async fn add_user(fleet: Fleet, name: String, password: SecretString, role: String) -> Result<()> {
    let role: Role = role.parse()?;
    let add = fleet.access().add_user(&name, NewPassword::checked(password)?, role, fleet.now());
    audited(&fleet, "user add", &name, add).await
}

/// Changes a role, a password, or both; what is `None` stays.
pub(crate) async fn update_user(
    fleet: Fleet,
    name: String,
    role: Option<String>,
    password: Option<SecretString>,
) -> Result<()> {
    if role.is_none() && password.is_none() {
        return Err(Error::new(ErrorKind::Invalid, format!("change the user {name:?}"))
            .because("neither a role nor a password was given")
            .next("give role= or password="));
    }
    // Both are looked at before either is changed.
    let role = role.map(|role| role.parse::<Role>()).transpose()?;
    let password = password.map(NewPassword::checked).transpose()?;
    if password.is_some() {
        let change = fleet.access().change_user(&name, UserChange { role: None, password });
        audited(&fleet, "user set password", &name, change).await?;
    }
    if role.is_some() {
        let change = fleet.access().change_user(&name, UserChange { role, password: None });
        audited(&fleet, "user set role", &name, change).await?;
    }
    Ok(())
}

/// Lets somebody in no longer.
pub(crate) async fn remove_user(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "user remove", &name, fleet.access().remove_user(&name)).await
}

/// The tokens, without themselves.
pub(crate) async fn tokens(fleet: Fleet) -> Result<Plain> {
    let tokens = fleet.access().tokens().await?;
    let document = |token: &TokenRecord| {
        json!({
            "name": token.name,
            "role": token.role,
            "created_at": token.created_at,
            "last_used_at": token.last_used_at,
        })
    };
    Plain::of(&tokens.iter().map(document).collect::<Vec<Value>>())
}

/// Makes a token and gives it away for the only time.
pub(crate) async fn create_token(fleet: Fleet, name: String, role: String) -> Result<Plain> {
    let role: Role = role.parse()?;
    let create = fleet.access().create_token(&name, role, fleet.now());
    let token = audited(&fleet, "token create", &name, create).await?;
    Plain::of(&json!({ "token": token.expose_secret(), "name": name, "role": role }))
}

/// Makes a token worthless.
pub(crate) async fn revoke_token(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "token revoke", &name, fleet.access().revoke_token(&name)).await
}

/// What was done, newest first.
pub(crate) async fn audit(fleet: Fleet, words: AuditWords, limit: u32) -> Result<Plain> {
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Error::new(ErrorKind::Invalid, "list the audit trail")
            .because(format!("one call gives 1 to {LARGEST_LIMIT} entries, not {limit}"))
            .next("give a limit in between"));
    }
    let entries = fleet.audit(&words, None, limit).await?;
    Plain::of(&entries.iter().map(|stored| &stored.entry).collect::<Vec<_>>())
}

/// Writes what was done into a new file; gives its size.
pub(crate) async fn audit_export(fleet: Fleet, words: AuditWords, path: PathBuf, format: String) -> Result<Plain> {
    let format = match format.as_str() {
        "csv" => AuditFormat::Csv,
        "jsonl" => AuditFormat::Jsonl,
        other => {
            return Err(Error::new(ErrorKind::Invalid, "export the audit trail")
                .because(format!("{other:?} is no format of it"))
                .next("choose csv or jsonl"));
        }
    };
    let begin = async { fleet.export_audit(&words, format) };
    let mut parts = audited(&fleet, "audit export", format.extension(), begin).await?;
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Invalid, format!("write {}", path.display()))
            .next("name a new file in a folder that can be written to")
            .from_source(error)
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).await.map_err(failed)?;
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        let part = part?;
        file.write_all(part.as_bytes()).await.map_err(failed)?;
        bytes += part.len();
    }
    file.flush().await.map_err(failed)?;
    Plain::of(&bytes)
}
