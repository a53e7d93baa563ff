//! Files that are handed over: in parts, within bounds, swept.

use std::convert::Infallible;

use super::*;
use crate::{
    FleetOptions,
    fleet::{SettingsChange, UploadChange},
};

/// Of `hello world`.
const SUM: &str = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

async fn fleet(directory: &Path) -> Fleet {
    Fleet::open(FleetOptions { with_this_machine: false, ..FleetOptions::new(directory) }).await.unwrap()
}

fn new(size: u64, sum: Option<&str>) -> NewUpload {
    NewUpload { name: "a.iso".into(), size, sha256: sum.map(str::to_owned) }
}

fn pieces(texts: &[&'static str]) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin + Send + use<> {
    let pieces: Vec<_> = texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect();
    futures::stream::iter(pieces)
}

#[tokio::test]
async fn a_file_is_handed_over_in_parts_and_summed_at_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let one = fleet(directory.path()).await;
    let id = one.begin_upload(new(11, Some(&SUM.to_uppercase())), "ada").await.unwrap().id;
    let broken = futures::stream::iter([Ok(Bytes::from_static(b"hello")), Err("cut off")]);
    assert_eq!(one.append_upload(&id, 0, broken).await.unwrap_err().kind(), ErrorKind::Unreachable);
    one.close().await;
    // Another process goes on where that one stopped.
    let two = fleet(directory.path()).await;
    assert_eq!((two.upload(&id).unwrap().offset, two.whole_upload(&id).is_err()), (5, true));
    assert_eq!(two.append_upload(&id, 0, pieces(&["hello"])).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(two.append_upload(&id, 5, pieces(&[" world!"])).await.unwrap_err().kind(), ErrorKind::Invalid);
    let whole = two.append_upload(&id, 5, pieces(&[" wor", "ld"])).await.unwrap();
    assert!(whole.complete && whole.sha256.as_deref() == Some(SUM), "{whole:?}");
    assert_eq!(fs::read(two.whole_upload(&id).unwrap().1).unwrap(), b"hello world");
    assert_eq!(two.append_upload(&id, 11, pieces(&["x"])).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(two.drop_upload(&id).unwrap() && !two.drop_upload(&id).unwrap());
    assert_eq!(two.upload(&id).unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_with_another_sum_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = fleet(directory.path()).await;
    let id = fleet.begin_upload(new(5, Some(SUM)), "ada").await.unwrap().id;
    let error = fleet.append_upload(&id, 0, pieces(&["hello"])).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && crate::report(&error).contains(SUM), "{error:?}");
    assert_eq!(fleet.upload(&id).unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_to_come_of_others_takes_room_already() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = fleet(directory.path()).await;
    let id = fleet.begin_upload(new(11, None), "ada").await.unwrap().id;
    fleet.begin_upload(new(100, None), "ada").await.unwrap();
    let broken = futures::stream::iter([Ok(Bytes::from_static(b"hello")), Err("cut off")]);
    fleet.append_upload(&id, 0, broken).await.unwrap_err();
    assert_eq!(still_to_come(&all(&directory.path().join("uploads")).unwrap()), 6 + 100);
    assert!(is_room(RESERVE + 20, 10, 10) && !is_room(RESERVE + 20, 11, 10) && !is_room(u64::MAX, u64::MAX, 1));
}

#[tokio::test]
async fn what_a_process_that_died_has_left_goes_too() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = fleet(directory.path()).await;
    let id = fleet.begin_upload(new(5, None), "ada").await.unwrap().id;
    let uploads = directory.path().join("uploads");
    let days = SystemTime::now() - Duration::from_secs(4 * 24 * 60 * 60);
    let alone = format!("{}.new", uuid::Uuid::now_v7());
    for (name, at) in [(format!("{id}.new"), SystemTime::now()), (alone, days)] {
        File::create(uploads.join(name)).unwrap().set_modified(at).unwrap();
    }
    fleet.sweep_uploads().await.unwrap();
    let mut left: Vec<_> =
        fs::read_dir(&uploads).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, [id.clone(), format!("{id}.json"), format!("{id}.new")]);
    assert!(fleet.drop_upload(&id).unwrap());
    assert_eq!(fs::read_dir(&uploads).unwrap().count(), 0);
}

#[tokio::test]
async fn what_cannot_be_or_has_no_room_is_refused_and_what_is_old_goes() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = fleet(directory.path()).await;
    for (new, kind) in [
        (new(0, None), ErrorKind::Invalid),
        (new(LARGEST + 1, None), ErrorKind::Invalid),
        (new(1, Some("abc")), ErrorKind::Invalid),
        (NewUpload { name: "a\nb".into(), ..new(1, None) }, ErrorKind::Invalid),
        (new(51 << 30, None), ErrorKind::Conflict),
    ] {
        assert_eq!(fleet.begin_upload(new.clone(), "ada").await.unwrap_err().kind(), kind, "{new:?}");
    }
    for id in ["..", "../reanimator.db", "", "x"] {
        assert_eq!(fleet.upload(id).unwrap_err().kind(), ErrorKind::NotFound, "{id}");
        assert!(!fleet.drop_upload(id).unwrap());
    }
    let (old, young) = (
        fleet.begin_upload(new(5, None), "a").await.unwrap().id,
        fleet.begin_upload(new(5, None), "a").await.unwrap().id,
    );
    let days = SystemTime::now() - Duration::from_secs(4 * 24 * 60 * 60);
    File::options().append(true).open(directory.path().join("uploads").join(&old)).unwrap().set_modified(days).unwrap();
    fleet.sweep_uploads().await.unwrap();
    assert!(fleet.upload(&old).is_err() && fleet.upload(&young).is_ok());
    let uploads = UploadChange { quota_gib: Some(1), keep_days: None };
    fleet.change_settings(SettingsChange { uploads, ..SettingsChange::default() }).await.unwrap();
    let large = fleet.begin_upload(new(1 << 30, None), "a").await.unwrap_err();
    assert!(crate::report(&large).contains("quota_gib"), "{large:?}");
}
