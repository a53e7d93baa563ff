//! Hosts and connections.

use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::{
    Error, ErrorKind, Result,
    model::{Connection, ConnectionId, Host, HostId, Link, Reach},
    store::{ConnectionStore, HostEdit, HostStore, HostsEdit, NamedSecret},
};

use super::{SqliteStore, commit, database, from_json, secrets, to_json};

#[async_trait]
impl HostStore for SqliteStore {
    async fn hosts(&self) -> Result<Vec<Host>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM hosts ORDER BY name")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the hosts"))?;
        rows.iter().map(|data| from_json(&self.main, "host", data)).collect()
    }

    async fn host(&self, id: &HostId) -> Result<Option<Host>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM hosts WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a host"))?;
        data.map(|data| from_json(&self.main, "host", &data)).transpose()
    }

    async fn insert_host(&self, host: &Host) -> Result<()> {
        let attempt = format!("add host {:?}", host.name);
        let mut transaction = self.main.begin(&attempt).await?;
        let insert = "INSERT INTO hosts (id, name, data) VALUES (?, ?, ?)";
        self.write_host(&mut transaction, insert, &attempt, host).await?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn update_host(&self, host: &Host) -> Result<()> {
        let attempt = format!("change host {:?}", host.name);
        let mut transaction = self.main.begin(&attempt).await?;
        let update = "UPDATE hosts SET name = ?2, data = ?3 WHERE id = ?1";
        if self.write_host(&mut transaction, update, &attempt, host).await? == 0 {
            return Err(missing_host(&attempt, &host.id));
        }
        commit(&self.main, &attempt, transaction).await
    }

    async fn edit_host(&self, id: &HostId, edit: HostEdit) -> Result<Host> {
        let attempt = "change a host";
        let mut transaction = self.main.begin(attempt).await?;
        let host = self.edit_within(&mut transaction, attempt, id, edit).await?;
        commit(&self.main, attempt, transaction).await?;
        Ok(host)
    }

    async fn edit_host_with_connection(
        &self,
        id: &HostId,
        connection: &Connection,
        secrets: &[NamedSecret],
        edit: HostEdit,
    ) -> Result<Host> {
        let attempt = format!("save {:?}", connection.name);
        let mut transaction = self.main.begin(&attempt).await?;
        self.write_way(&mut transaction, &attempt, connection, secrets).await?;
        let host = self.edit_within(&mut transaction, &attempt, id, edit).await?;
        commit(&self.main, &attempt, transaction).await?;
        Ok(host)
    }

    async fn edit_hosts(&self, edit: HostsEdit) -> Result<Vec<Host>> {
        let attempt = "change many hosts";
        let mut transaction = self.main.begin(attempt).await?;
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM hosts ORDER BY name")
            .fetch_all(&mut *transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        let before = rows.iter().map(|data| from_json(&self.main, "host", data)).collect::<Result<Vec<Host>>>()?;
        let mut after = before.clone();
        edit(&mut after)?;
        let changed: Vec<Host> =
            after.into_iter().zip(&before).filter(|(after, before)| after != *before).map(|(after, _)| after).collect();
        let update = "UPDATE hosts SET name = ?2, data = ?3 WHERE id = ?1";
        for host in &changed {
            self.write_host(&mut transaction, update, attempt, host).await?;
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(changed)
    }

    async fn remove_host(&self, id: &HostId) -> Result<()> {
        let attempt = "remove a host";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        let ways: Vec<String> = sqlx::query_scalar("SELECT DISTINCT connection_id FROM host_links WHERE host_id = ?")
            .bind(id.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(&failed)?;
        if delete_host(&mut transaction, id).await.map_err(&failed)? == 0 {
            return Err(missing_host(attempt, id));
        }
        for way in ways {
            let unused = "NOT EXISTS (SELECT 1 FROM host_links WHERE connection_id = ?1)";
            for delete in [
                format!("DELETE FROM secrets WHERE owner = ?1 AND {unused}"),
                format!("DELETE FROM connections WHERE id = ?1 AND {unused}"),
            ] {
                sqlx::query(sqlx::AssertSqlSafe(delete))
                    .bind(&way)
                    .execute(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            }
        }
        commit(&self.main, attempt, transaction).await
    }

    async fn save_connection_with_hosts(
        &self,
        connection: &Connection,
        secrets: &[NamedSecret],
        hosts: &[Host],
    ) -> Result<()> {
        let attempt = format!("save {:?}", connection.name);
        let mut transaction = self.main.begin(&attempt).await?;
        self.write_way(&mut transaction, &attempt, connection, secrets).await?;
        let upsert = "INSERT INTO hosts (id, name, data) VALUES (?1, ?2, ?3)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, data = excluded.data";
        for host in hosts {
            self.write_host(&mut transaction, upsert, &attempt, host).await?;
        }
        commit(&self.main, &attempt, transaction).await
    }

    async fn insert_hosts_with_connections(&self, hosts: &[(Host, Connection)]) -> Result<()> {
        let attempt = "add many hosts";
        let mut transaction = self.main.begin(attempt).await?;
        for (host, connection) in hosts {
            self.write_way(&mut transaction, attempt, connection, &[]).await?;
            let insert = "INSERT INTO hosts (id, name, data) VALUES (?, ?, ?)";
            self.write_host(&mut transaction, insert, attempt, host).await?;
        }
        commit(&self.main, attempt, transaction).await
    }
}

#[async_trait]
impl ConnectionStore for SqliteStore {
    async fn connections(&self) -> Result<Vec<Connection>> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT data FROM connections ORDER BY rowid")
            .fetch_all(self.main.reader())
            .await
            .map_err(self.main.failed("read the connections"))?;
        rows.iter().map(|data| from_json(&self.main, "connection", data)).collect()
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM connections WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(self.main.reader())
            .await
            .map_err(self.main.failed("read a connection"))?;
        data.map(|data| from_json(&self.main, "connection", &data)).transpose()
    }

    async fn insert_connection(&self, connection: &Connection) -> Result<()> {
        let attempt = format!("add connection {:?}", connection.name);
        let mut transaction = self.main.begin(&attempt).await?;
        let insert = "INSERT INTO connections (id, unique_name, data) VALUES (?, ?, ?)";
        self.write_connection(&mut transaction, insert, &attempt, connection).await?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn update_connection(&self, connection: &Connection) -> Result<()> {
        let attempt = format!("change connection {:?}", connection.name);
        let mut transaction = self.main.begin(&attempt).await?;
        let update = "UPDATE connections SET unique_name = ?2, data = ?3 WHERE id = ?1";
        if self.write_connection(&mut transaction, update, &attempt, connection).await? == 0 {
            return Err(missing_connection(&attempt, &connection.id));
        }
        commit(&self.main, &attempt, transaction).await
    }

    async fn update_credentials(
        &self,
        connection: &Connection,
        stored: &[NamedSecret],
        deleted: &[&str],
    ) -> Result<()> {
        let attempt = format!("change the credentials of {:?}", connection.name);
        let mut transaction = self.main.begin(&attempt).await?;
        for name in deleted {
            sqlx::query("DELETE FROM secrets WHERE owner = ? AND name = ?")
                .bind(connection.id.as_str())
                .bind(*name)
                .execute(&mut *transaction)
                .await
                .map_err(self.main.failed(&attempt))?;
        }
        let update = "UPDATE connections SET unique_name = ?2, data = ?3 WHERE id = ?1";
        if self.write_connection(&mut transaction, update, &attempt, connection).await? == 0 {
            return Err(missing_connection(&attempt, &connection.id));
        }
        self.write_secrets(&mut transaction, &attempt, &connection.id, stored).await?;
        commit(&self.main, &attempt, transaction).await
    }

    async fn remove_connection(&self, id: &ConnectionId) -> Result<Vec<HostId>> {
        let attempt = "remove a connection";
        let failed = self.main.failed(attempt);
        let mut transaction = self.main.begin(attempt).await?;
        let users: Vec<String> = sqlx::query_scalar(
            "SELECT data FROM hosts WHERE id IN (SELECT host_id FROM host_links WHERE connection_id = ?) ORDER BY name",
        )
        .bind(id.as_str())
        .fetch_all(&mut *transaction)
        .await
        .map_err(&failed)?;
        let mut gone = Vec::new();
        for data in users {
            let mut host: Host = from_json(&self.main, "host", &data)?;
            host.links.retain(|link| link.connection() != id);
            if host.links.iter().any(leads_in) {
                let update = "UPDATE hosts SET name = ?2, data = ?3 WHERE id = ?1";
                self.write_host(&mut transaction, update, attempt, &host).await?;
            } else {
                delete_host(&mut transaction, &host.id).await.map_err(&failed)?;
                gone.push(host.id);
            }
        }
        sqlx::query("DELETE FROM secrets WHERE owner = ?")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let deleted = sqlx::query("DELETE FROM connections WHERE id = ?")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        if deleted.rows_affected() == 0 {
            return Err(missing_connection(attempt, id));
        }
        commit(&self.main, attempt, transaction).await?;
        Ok(gone)
    }
}

/// Whether the machine is reached by this link: being a guest somewhere does not let us in.
fn leads_in(link: &Link) -> bool {
    match link {
        Link::Local { .. } | Link::Ssh { .. } | Link::ProxmoxNode { .. } => true,
        Link::Guest { .. } => false,
    }
}

impl SqliteStore {
    /// Reads a host, has it changed, and writes it, within a transaction that keeps every other writer out.
    async fn edit_within(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        attempt: &str,
        id: &HostId,
        edit: HostEdit,
    ) -> Result<Host> {
        let data: Option<String> = sqlx::query_scalar("SELECT data FROM hosts WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(self.main.failed(attempt))?;
        let data = data.ok_or_else(|| missing_host(attempt, id))?;
        let mut host: Host = from_json(&self.main, "host", &data)?;
        edit(&mut host);
        let update = "UPDATE hosts SET name = ?2, data = ?3 WHERE id = ?1";
        self.write_host(transaction, update, attempt, &host).await?;
        Ok(host)
    }

    /// Adds or changes a connection, with its secrets.
    async fn write_way(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        attempt: &str,
        connection: &Connection,
        secrets: &[NamedSecret],
    ) -> Result<()> {
        let upsert = "INSERT INTO connections (id, unique_name, data) VALUES (?1, ?2, ?3)
            ON CONFLICT (id) DO UPDATE SET unique_name = excluded.unique_name, data = excluded.data";
        self.write_connection(transaction, upsert, attempt, connection).await?;
        self.write_secrets(transaction, attempt, &connection.id, secrets).await
    }

    async fn write_secrets(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        attempt: &str,
        connection: &ConnectionId,
        secrets: &[NamedSecret],
    ) -> Result<()> {
        for (name, secret) in secrets {
            let sealed = self.sealer.seal(connection.as_str(), name, secret)?;
            secrets::write(transaction, connection.as_str(), name, &sealed).await.map_err(self.main.failed(attempt))?;
        }
        Ok(())
    }

    /// Writes the host by `sql` (its id, name and data) and its links anew; says how many hosts were written.
    async fn write_host(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        sql: &'static str,
        attempt: &str,
        host: &Host,
    ) -> Result<u64> {
        let failed = |error: sqlx::Error| {
            if database::is_duplicate(&error) {
                Error::new(ErrorKind::Conflict, attempt)
                    .on(&*host.name)
                    .because("there is a host of that name or id")
                    .next("give another name")
            } else if database::is_dangling(&error) {
                Error::new(ErrorKind::Invalid, attempt)
                    .on(&*host.name)
                    .because("it comes in by a connection that is not stored")
            } else {
                self.main.failed(attempt)(error)
            }
        };
        let written = sqlx::query(sql)
            .bind(host.id.as_str())
            .bind(&host.name)
            .bind(to_json("a host", host)?)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?
            .rows_affected();
        if written > 0 {
            write_links(transaction, host).await.map_err(failed)?;
        }
        Ok(written)
    }

    /// Writes the connection by `sql` (its id, unique name and data); says how many were written.
    async fn write_connection(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        sql: &'static str,
        attempt: &str,
        connection: &Connection,
    ) -> Result<u64> {
        let unique_name = match connection.reach {
            Reach::Proxmox(_) => Some(&connection.name),
            Reach::Local | Reach::Ssh(_) => None,
        };
        let written = sqlx::query(sql)
            .bind(connection.id.as_str())
            .bind(unique_name)
            .bind(to_json("a connection", connection)?)
            .execute(&mut **transaction)
            .await
            .map_err(|error| {
                if database::is_duplicate(&error) {
                    Error::new(ErrorKind::Conflict, attempt)
                        .on(&*connection.name)
                        .because("there is a connection of that name or id")
                        .next("give another name")
                } else {
                    self.main.failed(attempt)(error)
                }
            })?;
        Ok(written.rows_affected())
    }
}

async fn write_links(connection: &mut SqliteConnection, host: &Host) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM host_links WHERE host_id = ?").bind(host.id.as_str()).execute(&mut *connection).await?;
    for (place, link) in host.links.iter().enumerate() {
        sqlx::query("INSERT INTO host_links (host_id, place, connection_id) VALUES (?, ?, ?)")
            .bind(host.id.as_str())
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
            .bind(link.connection().as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Deletes the host; what hangs on it goes with it.
async fn delete_host(connection: &mut SqliteConnection, id: &HostId) -> Result<u64, sqlx::Error> {
    sqlx::query("DELETE FROM matches WHERE other = ?").bind(format!("host:{id}")).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM hosts WHERE id = ?")
        .bind(id.as_str())
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}

fn missing_host(attempt: &str, id: &HostId) -> Error {
    Error::new(ErrorKind::NotFound, attempt).on(id.as_str()).because("there is no host with that id")
}

fn missing_connection(attempt: &str, id: &ConnectionId) -> Error {
    Error::new(ErrorKind::NotFound, attempt).on(id.as_str()).because("there is no connection with that id")
}
