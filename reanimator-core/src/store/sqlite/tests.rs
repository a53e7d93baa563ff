#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, sync::Arc};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::store::{
    ConnectionStore, HostStore, MasterKey, MetaStore, SecretStore, StateStore, TelemetryStore, contract,
    contract_facts, contract_history, contract_operations, contract_telemetry, contract_updates,
};

use super::*;

macro_rules! keeps_the_contract {
    ($($name:ident: $contract:path;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $contract(&SqliteStore::temporary().await.unwrap()).await;
            }
        )*
    };
}

keeps_the_contract! {
    hosts: contract::hosts;
    connections: contract::connections;
    secrets: contract::secrets;
    state: contract::state;
    late_observation: contract_history::late_observation;
    samples: contract_telemetry::samples;
    bad_questions: contract_telemetry::bad_questions;
    latest: contract_telemetry::latest;
    recent: contract_telemetry::recent;
    recent_by_the_second: contract_telemetry::recent_by_the_second;
    charts: contract_telemetry::charts;
    tiers: contract_telemetry::tiers;
    stitched: contract_telemetry::stitched;
    late_samples: contract_telemetry::late_samples;
    clock_set_back: contract_telemetry::clock_set_back;
    facts: contract_facts::facts;
    facts_that_go: contract_facts::facts_that_go;
    changes: contract_facts::changes;
    slots: contract_operations::slots;
    gates: contract_operations::gates;
    open_operations: contract_operations::open_operations;
    what_scripts_are_given: contract_operations::what_scripts_are_given;
    events: contract_history::events;
    matches: contract_history::matches;
    settings: contract_history::settings;
    access: contract_history::access;
    updates: contract_updates::updates;
    update_schedules: contract_updates::schedules;
    redundant_sets: contract_updates::redundant_sets;
}

#[tokio::test]
async fn lease() {
    let directory = tempfile::tempdir().unwrap();
    contract_history::lease(&open(&directory).await.unwrap(), &open(&directory).await.unwrap()).await;
}

async fn open(directory: &TempDir) -> Result<SqliteStore> {
    SqliteStore::open(directory.path(), KeySource::File).await
}

/// A store that was used and closed.
async fn used() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await.unwrap();
    store.put_secret("c-web", "password", &"correct horse battery staple".into()).await.unwrap();
    store.insert_connection(&contract::ssh("c-web")).await.unwrap();
    store.insert_host(&contract::host("web", &[contract::by_ssh("c-web")])).await.unwrap();
    store.close().await;
    directory
}

/// All files of the directory with their contents, except locks.
fn files(directory: &TempDir) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .filter(|(name, _)| !name.ends_with(".lock"))
        .collect()
}

#[tokio::test]
async fn what_a_script_is_given_stands_in_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory).await.unwrap();
    contract_operations::what_scripts_are_given(&store).await;
    store.close().await;
    for (name, bytes) in files(&directory) {
        assert!(!bytes.windows(16).any(|window| window == b"hunter2 and more"), "{name} holds it");
    }
}

/// Opening is refused, in these words, and changes no file.
async fn refused(directory: &TempDir, words: &[&str]) -> Error {
    let before = files(directory);
    let error = open(directory).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    let report = crate::report(&error);
    for word in words {
        assert!(report.contains(word), "{word:?} is not in: {report}");
    }
    let after = files(directory);
    for (name, bytes) in &before {
        assert!(after.get(name) == Some(bytes), "{name} was changed");
    }
    // To read a database in WAL mode SQLite makes its shared memory and an empty log. Nothing else.
    for (name, bytes) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        let harmless = name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty());
        assert!(harmless, "{name} was made");
    }
    error
}

#[tokio::test]
async fn what_was_stored_is_there_for_the_next_program() {
    let directory = used().await;
    let store = open(&directory).await.unwrap();
    assert_eq!(store.hosts().await.unwrap().len(), 1);
    let secret = store.get_secret("c-web", "password").await.unwrap().unwrap();
    assert_eq!(secret.expose_secret(), "correct horse battery staple");
}

#[tokio::test]
async fn nobody_else_can_read_the_files_and_no_file_shows_a_secret() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("new").join("data");
    let store = SqliteStore::open(&path, KeySource::File).await.unwrap();
    store.put_secret("c-web", "password", &"correct horse battery staple".into()).await.unwrap();
    store.put_setting("shown", Some("a text that is stored in the clear")).await.unwrap();
    store.append_samples(&[]).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let mut clear = 0;
    let mut names = vec![];
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        let bytes = fs::read(entry.path()).unwrap();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(!holds(b"correct horse") && !holds(b"battery staple"), "in {:?}", entry.file_name());
        clear += usize::from(holds(b"a text that is stored in the clear"));
        names.push(entry.file_name().into_string().unwrap());
    }
    assert!(clear > 0, "the search finds what is there");
    for name in ["reanimator.db", "reanimator.db-wal", "telemetry.db", "master.key", "open.lock"] {
        assert!(names.iter().any(|there| there == name), "{name} is not among {names:?}");
    }
    let shown = format!("{store:?}");
    assert!(!shown.contains("correct horse") && shown.contains("MasterKey([redacted])"), "{shown}");
}

#[tokio::test]
async fn a_wrong_key_is_told_from_a_damaged_secret() {
    let directory = used().await;
    let wrong = KeySource::Given(MasterKey::generate().unwrap());
    let error = SqliteStore::open(directory.path(), wrong).await.unwrap_err();
    let report = crate::report(&error);
    assert!(report.contains("not the one that the stored secrets were encrypted under"), "{report}");

    let store = open(&directory).await.unwrap();
    let mut transaction = store.main.begin("damage a secret").await.unwrap();
    sqlx::query("UPDATE secrets SET sealed = zeroblob(length(sealed))").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let error = store.get_secret("c-web", "password").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(store.hosts().await.unwrap().len(), 1, "everything else is as it was");
}

#[tokio::test]
async fn a_key_that_is_gone_is_not_replaced() {
    let directory = used().await;
    fs::rename(directory.path().join("master.key"), directory.path().join("elsewhere")).unwrap();
    let error = open(&directory).await.unwrap_err();
    assert!(crate::report(&error).contains("put the file back from a backup"), "{error}");
    assert!(!directory.path().join("master.key").exists());
    let elsewhere = KeySource::FileAt(directory.path().join("elsewhere"));
    SqliteStore::open(directory.path(), elsewhere).await.unwrap();
}

#[tokio::test]
async fn a_newer_database_is_refused_with_both_versions() {
    for (file, latest) in [("reanimator.db", MAIN.len()), ("telemetry.db", TELEMETRY.len())] {
        let directory = used().await;
        let store = open(&directory).await.unwrap();
        let database = if file == "telemetry.db" { &store.telemetry } else { &store.main };
        let mut transaction = database.begin("pretend").await.unwrap();
        sqlx::raw_sql("UPDATE meta SET value = '99' WHERE key = 'schema_version'; UPDATE meta SET value = '7.7.7' WHERE key = 'written_by'")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        store.close().await;
        let knows = format!("knows tables up to version {latest}");
        refused(&directory, &[file, "7.7.7", "version 99", env!("CARGO_PKG_VERSION"), &knows, "run the newer program"])
            .await;
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_kept_and_named() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("garbage", |bytes| *bytes = b"<html>not a database</html>".repeat(500)),
        ("a few bytes", |bytes| bytes.truncate(10)),
        ("cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("a page overwritten", |bytes| {
            let page = bytes.len() / 4096 / 2 * 4096;
            bytes[page..page + 4096].fill(0x5a);
        }),
        ("a foreign header", |bytes| bytes[..16].copy_from_slice(b"SQLite format 9\0")),
    ];
    for file in ["reanimator.db", "telemetry.db"] {
        for (what, damage) in damages {
            let directory = used().await;
            let path = directory.path().join(file);
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            let error = refused(&directory, &[file, "damaged", "keep the damaged file", "backup"]).await;
            assert!(error.subject().is_some_and(|subject| subject.ends_with(file)), "{what}: {error}");
        }
    }
}

#[tokio::test]
async fn an_emptied_file_beside_its_log_is_no_new_store() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("reanimator.db"), b"").unwrap();
    fs::write(directory.path().join("reanimator.db-wal"), b"what was written last").unwrap();
    refused(&directory, &["reanimator.db", "damaged"]).await;
}

#[tokio::test]
async fn somebody_elses_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("reanimator.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql("CREATE TABLE notes (text TEXT)").execute(&pool).await.unwrap();
    pool.close().await;
    refused(&directory, &["was not made by Reanimator", "another data directory"]).await;
}

/// Page limits stand in for a disk here; the tests of processes use a real full disk.
#[tokio::test]
async fn a_full_database_says_so_loses_nothing_and_goes_on_when_there_is_room() {
    let directory = used().await;
    let store = open(&directory).await.unwrap();
    let limit = async |pages: &str| {
        let mut transaction = store.main.begin("limit the file").await.unwrap();
        let sql = format!("PRAGMA max_page_count = {pages}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    limit("1").await;
    let big = "x".repeat(1 << 20);
    let mut kept = 0;
    let error = loop {
        match store.put_setting(&format!("setting {kept}"), Some(&big)).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "the limit does not hold");
    };
    assert_eq!(error.kind(), ErrorKind::Storage);
    let report = crate::report(&error);
    assert!(report.contains("no room is left") && report.contains("reanimator.db"), "{report}");
    assert_eq!(store.hosts().await.unwrap().len(), 1, "what was stored is readable");
    limit("1000000").await;
    store.put_setting("after", Some(&big)).await.unwrap();
    store.close().await;
    let store = open(&directory).await.unwrap();
    assert_eq!(store.setting("after").await.unwrap().as_deref(), Some(big.as_str()));
    assert_eq!(store.hosts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_programs_may_make_the_store_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let stores = futures::future::join_all((0..8).map(|_| open(&directory))).await;
    let stores: Vec<SqliteStore> = stores.into_iter().map(|store| store.unwrap()).collect();
    stores[0].put_secret("c", "password", &"secret".into()).await.unwrap();
    for store in &stores {
        assert_eq!(store.get_secret("c", "password").await.unwrap().unwrap().expose_secret(), "secret");
    }
}

#[tokio::test]
async fn two_handles_write_at_once_and_each_sees_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [Arc::new(open(&directory).await.unwrap()), Arc::new(open(&directory).await.unwrap())];
    let writers = stores.iter().enumerate().map(|(number, store)| {
        let store = store.clone();
        tokio::spawn(async move {
            for turn in 0..50 {
                let id = format!("c-{number}-{turn}");
                let host = contract::host(&format!("{number}-{turn}"), &[contract::by_ssh(&id)]);
                store.save_host_with_connection(&host, &contract::ssh(&id), &[]).await.unwrap();
                store.put_views(&[contract::view(&host.name, 1.0)]).await.unwrap();
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    for store in &stores {
        assert_eq!(store.hosts().await.unwrap().len(), 100);
        assert_eq!(store.views().await.unwrap().len(), 100);
    }
}

/// Observations are cancelled: a write that was begun and dropped is not there, and the next one works.
#[tokio::test]
async fn a_dropped_write_leaves_nothing_behind() {
    let store = SqliteStore::temporary().await.unwrap();
    for _ in 0..20 {
        let mut transaction = store.main.begin("write and stop").await.unwrap();
        sqlx::query("INSERT INTO settings VALUES ('half', 'done')").execute(&mut *transaction).await.unwrap();
        drop(transaction);
    }
    assert_eq!(store.setting("half").await.unwrap(), None);
    store.put_setting("whole", Some("done")).await.unwrap();
}

#[tokio::test]
async fn the_audit_trail_cannot_be_changed() {
    use crate::store::{AccessStore, AuditEntry};
    let store = SqliteStore::temporary().await.unwrap();
    let [who, from, what, on, outcome] = ["ada", "local", "exec", "web", "ok"].map(str::to_owned);
    store.append_audit(&AuditEntry { at: contract::at(1), who, from, what, on, outcome }).await.unwrap();
    for sql in ["UPDATE audit SET who = 'eve'", "DELETE FROM audit"] {
        let mut transaction = store.main.begin("rewrite history").await.unwrap();
        let error = sqlx::query(sql).execute(&mut *transaction).await.unwrap_err();
        assert!(error.to_string().contains("cannot be changed"), "{error}");
    }
    assert_eq!(store.audit(None, 10).await.unwrap()[0].entry.who, "ada");
}

/// A directory as the first version of the tables left it: a day of averages of 5 minutes, then an hour of samples.
async fn of_the_first_version(begin: i64) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let first = Database::open(directory.path().join("telemetry.db"), SqliteSynchronous::Normal, &TELEMETRY[..1]);
    let database = first.await.unwrap();
    let mut transaction = database.begin("write as version 1 did").await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO series VALUES (7, 'a'); INSERT INTO meta (key, value) VALUES ('averaged_until', '1');
         INSERT INTO latest VALUES ('a', '{}')",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    let bytes = |figures: &[f32]| figures.iter().flat_map(|figure| figure.to_le_bytes()).collect::<Vec<u8>>();
    let figures = |first: f32| [&[first][..], &[f32::NAN; 21]].concat();
    for span in 0..288 {
        let all = [figures(20.0), figures(10.0), figures(40.0)].concat();
        sqlx::query("INSERT INTO averages VALUES (7, ?, 1, 30, ?)")
            .bind((begin + span * 300) * 1000)
            .bind(bytes(&all))
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    for tick in 0..360 {
        let at = (begin + 86_400 - 600 + tick * 10) * 1000;
        sqlx::query("INSERT INTO samples VALUES (?, 7, ?, 1, ?)")
            .bind(at / 60_000)
            .bind(at)
            .bind(bytes(&figures(5.0)))
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    database.close().await;
    directory
}

#[tokio::test]
async fn a_history_of_the_first_version_stays_readable_and_is_thinned_like_any_other() {
    const BEGIN: i64 = 1_699_920_000;
    let directory = of_the_first_version(BEGIN).await;
    let store = open(&directory).await.unwrap();
    let ask = async |(from, to): (i64, i64), step| {
        let query = crate::model::TelemetryQuery {
            entity: "host:a".parse().unwrap(),
            metrics: vec!["cpu_percent".into()],
            from: contract::at(BEGIN + from),
            to: contract::at(BEGIN + to),
            step: Some(Duration::from_secs(step)),
        };
        store.query(&query).await.unwrap().metrics.remove("cpu_percent").unwrap()
    };
    let all = async |when: &str| {
        let quarters = ask((0, 86_400), 900).await;
        assert_eq!(quarters.mean[..95], [Some(20.0); 95], "{when}");
        assert_eq!((quarters.min[0], quarters.max[0]), (Some(10.0), Some(40.0)), "{when}");
        let (mean, min) = (quarters.mean[95].unwrap(), quarters.min[95].unwrap());
        assert!((mean - 10.0).abs() < 0.1 && min == 5.0, "averages, then samples: {mean} {min} {when}");
        assert_eq!(ask((86_400, 86_400 + 1_800), 60).await.mean, [Some(5.0); 30], "{when}");
    };
    all("as it was").await;
    for hours in [1, 25, 48] {
        let now = contract::at(BEGIN + 86_400 + hours * 3_600);
        while store.roll_up_and_prune(now, &Default::default()).await.unwrap().more {}
        all(&format!("after {hours} hours")).await;
    }
    let left: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM averages").fetch_one(store.telemetry.reader()).await.unwrap();
    assert_eq!(left, 0);
}

fn guest(number: u32, seconds: i64) -> crate::store::Sample {
    let values = crate::store::MetricRow::new(crate::model::EntityKind::Guest).with("cpu_percent", f64::from(number));
    let entity = crate::model::Entity::Guest(crate::model::GuestId(format!("c:{number}")));
    crate::store::Sample { entity, at: contract::at(1_699_920_000 + seconds), values }
}

/// Packing and writing at once: nothing is lost, nothing is there twice.
#[tokio::test]
async fn ticks_during_upkeep_are_all_there() {
    let store = Arc::new(SqliteStore::temporary().await.unwrap());
    for tick in 0..180 {
        let samples: Vec<_> = (0..250).map(|number| guest(number, tick * 20)).collect();
        store.append_samples(&samples).await.unwrap();
    }
    let writer = store.clone();
    let writer = tokio::spawn(async move {
        for tick in 180..240 {
            let samples: Vec<_> = (0..250).map(|number| guest(number, tick * 20)).collect();
            writer.append_samples(&samples).await.unwrap();
        }
    });
    let now = contract::at(1_699_920_000 + 3_700);
    while store.roll_up_and_prune(now, &Default::default()).await.unwrap().more {}
    writer.await.unwrap();
    while store.roll_up_and_prune(now, &Default::default()).await.unwrap().more {}
    for number in [0, 99, 100, 249] {
        let query = crate::model::TelemetryQuery {
            entity: guest(number, 0).entity,
            metrics: vec!["cpu_percent".into()],
            from: contract::at(1_699_920_000),
            to: contract::at(1_699_920_000 + 4_800),
            step: Some(Duration::from_secs(20)),
        };
        let series = store.query(&query).await.unwrap();
        assert_eq!(series.metrics["cpu_percent"].mean, vec![Some(f64::from(number)); 240]);
    }
}

#[tokio::test]
async fn a_damaged_chunk_is_named_and_keeps_nothing_else_from_being_tidied() {
    let store = SqliteStore::temporary().await.unwrap();
    for seconds in [0, 10, 7_200] {
        store.append_samples(&[guest(1, seconds)]).await.unwrap();
    }
    let now = contract::at(1_699_920_000 + 4 * 3_600);
    while store.roll_up_and_prune(now, &Default::default()).await.unwrap().more {}
    let mut transaction = store.telemetry.begin("damage a chunk").await.unwrap();
    sqlx::query("UPDATE chunks SET points = x'00ff17' WHERE begin = 1699920000000")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let mut query = crate::model::TelemetryQuery {
        entity: guest(1, 0).entity,
        metrics: vec![],
        from: contract::at(1_699_920_000),
        to: contract::at(1_699_920_000 + 3_600),
        step: Some(Duration::from_secs(60)),
    };
    let error = store.query(&query).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(crate::report(&error).contains("telemetry.db"), "{error}");
    let late = contract::at(1_699_920_000 + 3 * 86_400);
    while store.roll_up_and_prune(late, &Default::default()).await.unwrap().more {}
    query.step = Some(Duration::from_secs(900));
    query.to = late;
    let series = store.query(&query).await.unwrap();
    assert_eq!(series.metrics["cpu_percent"].mean.iter().flatten().count(), 1, "the other hour");
}
