#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{collections::BTreeSet, fs, future::Future, pin::pin, task::Poll};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::{
    model::{Action, Entity, HostChange, NewOperation, Operation, OperationId, OperationState, Role, TelemetryQuery},
    store::{
        AccessStore, AuditEntry, BackupStore, ConnectionStore, HostStore, MetaStore, MetricRow, OperationStore, Sample,
        SecretHash, SecretStore, SessionRecord, TelemetryStore, TokenRecord, UserRecord, contract,
    },
};

use super::{
    backup::{EMPTIED, OF_ITS_OWN, REPLACED},
    *,
};

/// A store of its own with one host, one person and one secret that bear its name.
async fn store(name: &str) -> SqliteStore {
    let store = SqliteStore::temporary().await.unwrap();
    let connection = format!("c-{name}");
    let secrets = [("password".to_owned(), format!("secret of {name}").into())];
    let host = contract::host(name, &[contract::by_ssh(&connection)]);
    store.save_host_with_connection(&host, &contract::ssh(&connection), &secrets).await.unwrap();
    let (created_at, hash) = (contract::at(1), SecretHash([name.len() as u8; 32]));
    let user = UserRecord { name: name.into(), password_hash: "hash".into(), role: Role::Admin, created_at };
    store.insert_user(&user).await.unwrap();
    let token = TokenRecord { name: name.into(), hash, role: Role::Admin, created_at, last_used_at: None };
    store.insert_token(&token).await.unwrap();
    let session = SessionRecord { hash, user: name.into(), created_at, expires_at: contract::at(i32::MAX.into()) };
    store.insert_session(&session).await.unwrap();
    store.put_setting("whose", Some(name)).await.unwrap();
    for what in ["login", "login", "host add"] {
        store.append_audit(&entry(name, what)).await.unwrap();
    }
    store.append_samples(&samples(name, 0..5)).await.unwrap();
    store
}

fn entry(who: &str, what: &str) -> AuditEntry {
    let [from, on, outcome] = ["local", "", "ok"].map(str::to_owned);
    AuditEntry { at: contract::at(7), who: who.into(), from, what: what.into(), on, outcome }
}

fn samples(host: &str, minutes: std::ops::Range<i64>) -> Vec<Sample> {
    let entity: Entity = format!("host:{host}").parse().unwrap();
    let values = |minute: i64| MetricRow::new(entity.kind()).with("cpu_percent", minute as f64);
    minutes.map(|at| Sample { entity: entity.clone(), at: contract::at(at * 60), values: values(at) }).collect()
}

async fn seen(store: &SqliteStore, host: &str) -> Vec<f64> {
    let query = TelemetryQuery {
        entity: format!("host:{host}").parse().unwrap(),
        metrics: vec!["cpu_percent".into()],
        from: contract::at(0),
        to: contract::at(3_600),
        step: Some(Duration::from_secs(60)),
    };
    store.query(&query).await.unwrap().metrics["cpu_percent"].mean.iter().flatten().copied().collect()
}

async fn copy(store: &SqliteStore, history: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    store.copy_to(folder.path(), history).await.unwrap();
    folder
}

/// Whose data it is: that of one of them altogether, or the test fails.
async fn whose(store: &SqliteStore) -> String {
    let name = store.setting("whose").await.unwrap().unwrap();
    let hosts: Vec<String> = store.hosts().await.unwrap().into_iter().map(|host| host.name).collect();
    assert_eq!(hosts, [name.as_str()]);
    let connections: Vec<String> = store.connections().await.unwrap().into_iter().map(|each| each.id.0).collect();
    assert_eq!(connections, [format!("c-{name}")]);
    let users: Vec<String> = store.users().await.unwrap().into_iter().map(|user| user.name).collect();
    assert_eq!(users, [name.as_str()]);
    let secret = store.get_secret(&format!("c-{name}"), "password").await.unwrap().unwrap();
    assert_eq!(secret.expose_secret(), format!("secret of {name}"));
    assert_eq!(store.tokens().await.unwrap()[0].name, name);
    name
}

async fn trail(store: &SqliteStore) -> Vec<String> {
    let mut entries = store.audit(None, 100).await.unwrap();
    entries.reverse();
    entries.into_iter().map(|stored| format!("{} {}", stored.entry.who, stored.entry.what)).collect()
}

async fn count(store: &SqliteStore, table: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(store.main.reader()).await.unwrap()
}

#[tokio::test]
async fn each_table_is_thought_of() {
    let store = SqliteStore::temporary().await.unwrap();
    let tables: BTreeSet<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .fetch_all(store.main.reader())
            .await
            .unwrap()
            .into_iter()
            .collect();
    let known = REPLACED.iter().chain(&EMPTIED).chain(&OF_ITS_OWN).map(|table| table.to_string()).collect();
    assert_eq!(tables, known, "say in backup.rs what becomes of a new table when a backup is restored");
}

#[tokio::test]
async fn a_copy_put_into_another_store_is_all_that_is_there_then() {
    let (old, new) = (store("old").await, store("newer").await);
    let folder = copy(&old, true).await;
    let contents = new.check_copy(folder.path()).await.unwrap();
    assert_eq!((contents.hosts, contents.connections, contents.users), (1, 1, 1));
    new.replace_from(folder.path()).await.unwrap();
    assert_eq!(whose(&new).await, "old");
    assert_eq!(seen(&new, "old").await, [0.0, 1.0, 2.0, 3.0, 4.0]);
    for table in EMPTIED {
        assert_eq!(count(&new, table).await, 0, "{table}");
    }
    // Once more, as after a restore that nobody saw the end of.
    new.replace_from(folder.path()).await.unwrap();
    assert_eq!(whose(&new).await, "old");
    // It is written to as before.
    new.append_samples(&samples("old", 5..6)).await.unwrap();
    assert_eq!(seen(&new, "old").await.len(), 6);
}

#[tokio::test]
async fn the_audit_trail_gains_what_it_lacks_and_loses_nothing() {
    let (old, new) = (store("old").await, store("newer").await);
    let folder = copy(&old, false).await;
    new.replace_from(folder.path()).await.unwrap();
    let both = ["newer login", "newer login", "newer host add", "old login", "old login", "old host add"];
    assert_eq!(trail(&new).await, both);
    new.replace_from(folder.path()).await.unwrap();
    assert_eq!(trail(&new).await, both, "entries were doubled");
    old.append_audit(&entry("old", "exec")).await.unwrap();
    old.replace_from(folder.path()).await.unwrap();
    assert_eq!(trail(&old).await, ["old login", "old login", "old host add", "old exec"]);
}

#[tokio::test]
async fn history_that_is_there_stays_and_that_of_the_copy_comes_in() {
    let old = store("old").await;
    let (with, without) = (copy(&old, true).await, copy(&old, false).await);
    assert!(!without.path().join("telemetry.db").exists());
    old.append_samples(&samples("old", 5..8)).await.unwrap();
    for folder in [&with, &without] {
        old.replace_from(folder.path()).await.unwrap();
        assert_eq!(seen(&old, "old").await.len(), 8);
    }
    // What was packed and thinned comes in too.
    let now = contract::at(40 * 24 * 3_600);
    while old.roll_up_and_prune(now, &crate::store::Retention::default()).await.unwrap().more {}
    let packed = copy(&old, true).await;
    let new = store("newer").await;
    new.replace_from(packed.path()).await.unwrap();
    let chunks: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM chunks").fetch_one(new.telemetry.reader()).await.unwrap();
    assert!(chunks > 0);
}

#[tokio::test]
async fn a_copy_has_a_key_of_its_own_and_no_log_in() {
    let old = store("old").await;
    let folder = copy(&old, false).await;
    let key = |folder: &Path| fs::read_to_string(folder.join("master.key")).unwrap();
    assert_ne!(key(folder.path()), key(old.directory()));
    let copied = SqliteStore::open(folder.path(), KeySource::File).await.unwrap();
    assert_eq!(whose(&copied).await, "old");
    assert_eq!(count(&copied, "sessions").await, 0);
    assert_eq!(count(&old, "sessions").await, 1);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_anything_changes() {
    let (old, new) = (store("old").await, store("newer").await);
    let alter = async |sql: &'static str| {
        let folder = copy(&old, true).await;
        let mut connection = database::connect(&folder.path().join("reanimator.db")).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        folder
    };
    for (sql, word) in [
        ("UPDATE meta SET value = '99' WHERE key = 'schema_version'", "newer"),
        ("UPDATE secrets SET sealed = x'0102'", "secret"),
        ("UPDATE hosts SET data = 'no json'", "host"),
        ("DROP TABLE users; CREATE VIEW users AS SELECT 1 AS name", "views"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM connections", "refer"),
        ("UPDATE meta SET value = 'AAAA' WHERE key = 'master_key_check'", "key"),
    ] {
        let folder = alter(sql).await;
        let error = new.check_copy(folder.path()).await.unwrap_err();
        let report = crate::report(&error);
        assert!(report.contains(word), "{word:?} is not in: {report}");
        assert_eq!(whose(&new).await, "newer");
    }
    let folder = copy(&old, true).await;
    let path = folder.path().join("reanimator.db");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    new.check_copy(folder.path()).await.unwrap_err();
    fs::remove_file(folder.path().join("master.key")).unwrap();
    new.check_copy(folder.path()).await.unwrap_err();
    assert_eq!(whose(&new).await, "newer");
}

/// Polls a future so many times, waiting for it in between, and then drops it. Says whether it came to its end.
async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut polled) = (pin!(future), 0);
    std::future::poll_fn(move |context| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_restore_that_is_dropped_anywhere_leaves_all_of_the_old_or_all_of_the_new() {
    let old = store("old").await;
    let folder = copy(&old, true).await;
    let (mut before, mut after) = (0, 0);
    for polls in 0.. {
        let new = store("newer").await;
        let ended = drop_after(polls, new.replace_from(folder.path())).await;
        // The transaction that was dropped is rolled back before the next one begins.
        new.put_setting("written", Some("after")).await.unwrap();
        match whose(&new).await.as_str() {
            "newer" => before += 1,
            _ => after += 1,
        }
        assert!(seen(&new, "newer").await.len() == 5);
        match ended {
            Some(result) => {
                result.unwrap();
                assert_eq!(whose(&new).await, "old");
                break;
            }
            // Whatever was left, the next attempt does it.
            None if polls % 10 == 0 => {
                new.replace_from(folder.path()).await.unwrap();
                assert_eq!(whose(&new).await, "old");
            }
            None => {}
        }
    }
    assert!(before > 20 && after >= 1, "{before} before, {after} after");
}

/// An operation with a step and a line, carried out as far as `state`.
async fn operation(store: &SqliteStore, title: &str, state: OperationState) -> OperationId {
    let action = Action::Host { id: "h1".into(), change: HostChange::Reboot };
    let new = NewOperation { title: title.into(), steps: vec![action.into()], ..NewOperation::default() };
    let asked = Operation::new(new, "ada", contract::at(1));
    store.add_operation(&asked).await.unwrap();
    let (taken, hold) =
        store.take_operation(&asked.id, "a process", None, contract::at(2), Duration::from_secs(60)).await.unwrap();
    store.say(&hold, Some(0), title, contract::at(3)).await.unwrap();
    store.write_operation(&hold, &Operation { state, ..taken }).await.unwrap();
    asked.id
}

#[tokio::test]
async fn operations_that_are_over_come_with_a_copy_and_others_are_not_taken_up_again() {
    let (old, new) = (store("old").await, store("newer").await);
    let over = operation(&old, "over", OperationState::Done).await;
    let open = operation(&old, "open", OperationState::Running).await;
    let own = operation(&new, "own", OperationState::Failed).await;
    let folder = copy(&old, false).await;
    for _ in 0..2 {
        new.replace_from(folder.path()).await.unwrap();
        let known = new.operation(&over).await.unwrap().unwrap();
        assert_eq!((known.title.as_str(), known.state, known.owner), ("over", OperationState::Done, None));
        assert_eq!(known.steps.len(), 1);
        let lines = new.operation_lines(&over, 0, 10).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["over"]);
        assert!(new.operation(&open).await.unwrap().is_none());
        assert!(new.operation(&own).await.unwrap().is_some());
    }
}
