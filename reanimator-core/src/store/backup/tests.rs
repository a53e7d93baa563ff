use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::*;

const PASSPHRASE: &str = "correct horse battery";

fn report(history: bool) -> BackupReport {
    BackupReport {
        made_at: Timestamp::from_second(1_750_000_000).unwrap(),
        version: "0.1.0".to_owned(),
        hosts: 3,
        connections: 2,
        users: 1,
        history,
    }
}

const TABLES: TableVersions = TableVersions { database: 2, history: 2 };

/// Some hundred KiB that gzip cannot make smaller, so that there are several chunks.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

/// A folder with files such as a copy has, packed.
fn packed(history: bool) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [(KEY, b"key\n".to_vec()), (DATABASE, noise(300_000)), (HISTORY, noise(70_001))] {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let file = directory.path().join("backup.age");
    let passphrase = BackupPassphrase::checked(PASSPHRASE.into()).unwrap();
    let bytes = pack(directory.path(), &file, &passphrase, &report(history), TABLES).unwrap();
    assert_eq!(bytes, fs::metadata(&file).unwrap().len());
    (directory, file)
}

fn refused(file: &std::path::Path, passphrase: &str) -> Error {
    let error = unpack(file, &passphrase.into(), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{}", crate::report(&error));
    error
}

#[test]
fn what_was_packed_comes_out_again_to_the_byte() {
    for history in [true, false] {
        let (directory, file) = packed(history);
        let folder = tempfile::tempdir().unwrap();
        let (found, tables) = unpack(&file, &PASSPHRASE.into(), Some(folder.path())).unwrap();
        assert_eq!((found, tables), (report(history), TABLES));
        for name in MEMBERS.into_iter().filter(|name| history || *name != HISTORY) {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), fs::read(directory.path().join(name)).unwrap());
        }
        assert_eq!(folder.path().join(HISTORY).exists(), history);
        assert_eq!(unpack(&file, &PASSPHRASE.into(), None).unwrap().0, report(history));
    }
}

#[test]
fn it_is_for_its_owner_only_and_nothing_of_it_is_in_the_clear() {
    use std::os::unix::fs::MetadataExt;
    let (_directory, file) = packed(true);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let content = fs::read(&file).unwrap();
    for word in [&b"manifest"[..], b"reanimator.db", b"made_at"] {
        assert!(!content.windows(word.len()).any(|part| part == word));
    }
}

#[test]
fn a_wrong_passphrase_says_so() {
    let (_directory, file) = packed(false);
    let error = refused(&file, "correct horse battery ");
    assert!(error.to_string().contains("passphrase"), "{error}");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let (directory, file) = packed(false);
    let whole = fs::read(&file).unwrap();
    let cut = directory.path().join("cut");
    // Within the header, the first chunk, at the very end of a chunk, one byte short.
    let header = whole.windows(4).position(|part| part == b"\n---").unwrap() + 4 + 44 + 1 + 16;
    let chunk = 64 * 1024 + 16;
    for length in [0, 10, 60, header, header + 1, header + chunk, header + 2 * chunk, whole.len() - 1] {
        fs::write(&cut, &whole[..length]).unwrap();
        refused(&cut, PASSPHRASE);
    }
}

#[test]
fn a_changed_byte_anywhere_and_anything_added_is_refused() {
    let (directory, file) = packed(false);
    let whole = fs::read(&file).unwrap();
    let changed = directory.path().join("changed");
    for place in [3, 30, 100, 160, 250, 70_000, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&changed, &bytes).unwrap();
        refused(&changed, PASSPHRASE);
    }
    fs::write(&changed, [whole.as_slice(), b"x"].concat()).unwrap();
    refused(&changed, PASSPHRASE);
    // Two chunks changing places.
    let header = whole.len() % (64 * 1024 + 16);
    let mut bytes = whole.clone();
    bytes[header..].rotate_left(64 * 1024 + 16);
    fs::write(&changed, &bytes).unwrap();
    refused(&changed, PASSPHRASE);
}

#[test]
fn what_is_no_backup_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    for content in
        [&b""[..], b"SQLite format 3\0", b"age-encryption.org/v1\n-> X25519 abc\nabc\n--- abc\n", &[255; 999]]
    {
        fs::write(&file, content).unwrap();
        refused(&file, PASSPHRASE);
    }
    let missing = unpack(&directory.path().join("none"), &PASSPHRASE.into(), None).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn a_header_that_asks_for_all_memory_is_refused_before_it_gets_any() {
    let (directory, file) = packed(false);
    let greedy = directory.path().join("greedy");
    let whole = fs::read(&file).unwrap();
    let line = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0;
    fs::write(&greedy, [&whole[..line - 2], b"40", &whole[line..]].concat()).unwrap();
    assert!(refused(&greedy, PASSPHRASE).to_string().contains("memory"));
}

#[test]
fn short_passphrases_are_refused_with_the_rule() {
    let error = BackupPassphrase::checked("elevenchars".into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.next_step().unwrap().contains("12 characters"));
    assert!(BackupPassphrase::checked("zwölf Zeichn".into()).is_ok());
    assert!(BackupPassphrase::checked("x".repeat(2000).into()).is_err());
}

#[test]
fn a_form_that_is_not_known_yet_is_refused_as_newer() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup.age");
    let manifest = serde_json::json!({
        "format": 2, "tables": TABLES, "made_at": "2030-01-01T00:00:00Z", "version": "9.0.0", "hosts": 0,
        "connections": 0, "users": 0, "history": false,
    });
    let manifest = manifest.to_string();
    let out = age::Encryptor::begin(File::create(&file).unwrap(), &PASSPHRASE.into()).unwrap();
    let mut archive = archive::Writer::new(GzEncoder::new(out, Compression::fast()), 0);
    archive.member(MANIFEST, manifest.len() as u64, &mut manifest.as_bytes()).unwrap();
    archive.finish().unwrap().finish().unwrap().finish().unwrap();
    assert!(refused(&file, PASSPHRASE).to_string().contains("9.0.0"));
}

#[test]
fn members_that_do_not_belong_there_are_never_written() {
    let directory = tempfile::tempdir().unwrap();
    let (file, folder) = (directory.path().join("backup.age"), directory.path().join("out"));
    fs::create_dir(&folder).unwrap();
    let manifest = Manifest { format: FORMAT, tables: TABLES, report: report(false) };
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let out = age::Encryptor::begin(File::create(&file).unwrap(), &PASSPHRASE.into()).unwrap();
    let mut archive = archive::Writer::new(GzEncoder::new(out, Compression::fast()), 0);
    archive.member(MANIFEST, manifest.len() as u64, &mut manifest.as_slice()).unwrap();
    archive.member("../evil", 4, &mut &b"evil"[..]).unwrap();
    archive.finish().unwrap().finish().unwrap().finish().unwrap();
    unpack(&file, &PASSPHRASE.into(), Some(&folder)).unwrap_err();
    assert!(!directory.path().join("evil").exists() && fs::read_dir(&folder).unwrap().count() == 0);
}

/// `tests/recordings/age/README.md` says how it was recorded.
#[test]
fn what_the_age_program_encrypted_is_read() {
    let recorded = include_bytes!("../../../tests/recordings/age/passphrase.age");
    let mut text = String::new();
    age::Decryptor::begin(&recorded[..], &PASSPHRASE.into()).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "written by age\n");
}

#[test]
fn tar_reads_the_archive() {
    let directory = tempfile::tempdir().unwrap();
    let mut archive = archive::Writer::new(Vec::new(), 1_750_000_000);
    archive.member("one", 3, &mut &b"abc"[..]).unwrap();
    archive.member("two", 512, &mut noise(512).as_slice()).unwrap();
    fs::write(directory.path().join("a.tar"), archive.finish().unwrap()).unwrap();
    let listed = Command::new("tar").args(["tvf", "a.tar"]).current_dir(directory.path()).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("-rw-------") && listed.contains("one") && listed.contains("512"), "{listed}");
    let mut unpack = Command::new("tar");
    unpack.args(["xf", "a.tar"]).current_dir(directory.path()).stderr(Stdio::inherit());
    assert!(unpack.status().unwrap().success());
    assert_eq!(fs::read(directory.path().join("two")).unwrap(), noise(512));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn arbitrary_bytes_are_never_a_backup_and_never_a_panic(bytes: Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, [b"age-encryption.org/v1\n-> scrypt ", bytes.as_slice()].concat()).unwrap();
        unpack(&file, &PASSPHRASE.into(), None).unwrap_err();
        let mut archive = archive::Reader::new(bytes.as_slice());
        while let Ok(Some((_, size))) = archive.next() {
            if archive.copy(size, &mut std::io::sink()).is_err() {
                break;
            }
        }
    }
}
