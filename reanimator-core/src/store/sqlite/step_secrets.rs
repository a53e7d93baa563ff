//! What scripts are given lies sealed among the secrets, not in the journal: some of it is a password.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::SqliteConnection;

use crate::{
    Error, ErrorKind, Result,
    model::{Action, OperationId, Step},
};

use super::{SqliteStore, secrets, to_json};

impl SqliteStore {
    /// The step as it may lie in the journal; what its script is given is written among the secrets.
    pub(super) async fn seal_parameters(
        &self,
        connection: &mut SqliteConnection,
        id: &OperationId,
        step: &Step,
    ) -> Result<Step> {
        let mut step = step.clone();
        let Action::Script { parameters, .. } = &mut step.action else { return Ok(step) };
        let given = std::mem::take(parameters);
        if given.is_empty() {
            return Ok(step);
        }
        let (owner, name) = place(id, step.number);
        let secret = SecretString::from(to_json("what a script is given", &given)?);
        let sealed = self.sealer.seal(&owner, &name, &secret)?;
        secrets::write(connection, &owner, &name, &sealed)
            .await
            .map_err(self.main.failed("store what a script is given"))?;
        Ok(step)
    }

    /// Gives a step what its script is given.
    pub(super) async fn open_parameters(
        &self,
        connection: &mut SqliteConnection,
        id: &OperationId,
        step: &mut Step,
    ) -> Result<()> {
        let Action::Script { parameters, .. } = &mut step.action else { return Ok(()) };
        let (owner, name) = place(id, step.number);
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM secrets WHERE owner = ? AND name = ?")
            .bind(&owner)
            .bind(&name)
            .fetch_optional(connection)
            .await
            .map_err(self.main.failed("read what a script is given"))?;
        let Some(sealed) = sealed else { return Ok(()) };
        let opened = self.sealer.open(&owner, &name, &sealed)?;
        *parameters = serde_json::from_str::<BTreeMap<String, String>>(opened.expose_secret()).map_err(|error| {
            Error::new(ErrorKind::Storage, "read what a script is given").on(id.as_str()).from_source(error)
        })?;
        Ok(())
    }
}

fn place(id: &OperationId, step: u32) -> (String, String) {
    (format!("operation:{id}"), format!("step {step}"))
}
