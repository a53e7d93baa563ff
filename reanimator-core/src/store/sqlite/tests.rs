#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use crate::store::contract;

use super::*;

#[tokio::test]
async fn sqlite_keeps_the_contract_of_hosts() {
    contract::hosts(&SqliteStore::temporary().await.unwrap()).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_connections() {
    contract::connections(&SqliteStore::temporary().await.unwrap()).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_secrets() {
    contract::secrets(&SqliteStore::temporary().await.unwrap()).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_state() {
    contract::state(&SqliteStore::temporary().await.unwrap()).await;
}
