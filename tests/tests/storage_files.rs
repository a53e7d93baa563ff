//! Files put on storages of a look-alike cluster, over the real HTTPS transport: handed over in parts, sent in the order that pveproxy
//! reads, found again after a kill, refused where the real one would refuse.
#![allow(clippy::unwrap_used)]

use std::{
    convert::Infallible,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    time::Duration,
};

use futures::{
    future::{Either, select},
    stream,
};
use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    fleet::NewUpload,
    host::pve::{PveApi as _, PveHttps},
    model::{Action, HostId, NewOperation, Operation, OperationState, StepState, StorageChange, StorageContent},
    operation::Operations,
    transport::http::Request,
};
use reanimator_tests::cluster;
use serde_json::Value;

/// Of `an image from afar`.
const SUM: &str = "fa8f7fcc4244e7638086da8110af56261342bf7f70a602dd09e11a6e0e8668d3";

/// A cluster, and a fleet that knows it.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    node: (HostId, String),
    directory: tempfile::TempDir,
}

impl Ward {
    async fn open(task_time: Duration) -> Self {
        let sim = Sim::start(Options { nodes: 2, guests: 2, task_time, ..Options::default() }).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        connect(&fleet, &sim).await;
        let name = sim.info().nodes[0].name.clone();
        let id = fleet.host(&name).await.unwrap().host.id;
        let operations = Operations::new(fleet.clone());
        Self { sim, fleet, operations, node: (id, name), directory }
    }

    fn api(&self) -> PveHttps {
        cluster::api(&self.sim, 0)
    }

    /// What of a storage is called so: its size, and its sum.
    async fn file(&self, name: &str) -> Option<(u64, String)> {
        let path = ["nodes", &self.node.1, "storage", "local", "content"];
        let data = self.api().call(Request::get(path)).await.unwrap();
        let row = data.as_array().unwrap().iter().find(|row| row["volid"].as_str().unwrap().ends_with(name))?.clone();
        Some((row["size"].as_u64().unwrap(), row["notes"].as_str().unwrap_or_default().to_owned()))
    }

    /// How often files were copied or fetched.
    async fn tasks(&self, kind: &str) -> Vec<Value> {
        let data = self.api().call(Request::get(["cluster", "tasks"])).await.unwrap();
        data.as_array().unwrap().iter().filter(|task| task["type"] == kind).cloned().collect()
    }

    async fn hand_over(&self, bytes: &[u8]) -> String {
        let new = NewUpload { name: "a.iso".into(), size: bytes.len() as u64, sha256: None };
        let id = self.fleet.begin_upload(new, "ada").await.unwrap().id;
        let pieces: Vec<Result<_, Infallible>> =
            bytes.chunks(64 * 1024).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece))).collect();
        assert!(self.fleet.append_upload(&id, 0, stream::iter(pieces)).await.unwrap().complete);
        id
    }

    fn upload(&self, storage: &str, name: &str, file: &str) -> NewOperation {
        self.operation(storage, name, StorageChange::Upload { file: file.to_owned() })
    }

    fn operation(&self, storage: &str, name: &str, change: StorageChange) -> NewOperation {
        let (host, content) = (self.node.0.clone(), StorageContent::Iso);
        let action = Action::Storage { host, storage: storage.into(), content, name: name.into(), change };
        NewOperation { steps: vec![action.into()], ..NewOperation::default() }
    }

    async fn carry_out(&self, new: NewOperation) -> Operation {
        let asked = self.operations.ask(new, &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    async fn refused(&self, new: NewOperation) -> String {
        let dry = self.operations.dry_run(&new, &Principal::local()).await.unwrap().steps.swap_remove(0);
        assert!(dry.calls.is_empty(), "{dry:?}");
        dry.refused.join("; ")
    }
}

async fn connect(fleet: &Fleet, sim: &Sim) {
    fleet.connect_proxmox(cluster::connection(sim, 0)).await.unwrap();
}

fn outcome(operation: &Operation) -> &str {
    operation.steps[0].outcome.as_deref().unwrap()
}

/// Bytes that do not repeat within a piece.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|place| (place.wrapping_mul(0x9E37_79B9) >> 13) as u8).collect()
}

#[tokio::test]
async fn a_file_is_sent_whole_once_and_its_copy_here_goes() {
    let ward = Ward::open(Duration::from_millis(100)).await;
    // The end of a form within a file ends nothing, since no one can guess the boundary.
    let mut content = bytes(3 * 1024 * 1024);
    content.extend_from_slice(b"\r\n\r\n--boundary--\r\n");
    let file = ward.hand_over(&content).await;
    let sum = ward.fleet.upload(&file).unwrap().sha256.unwrap();
    let dry = ward.operations.dry_run(&ward.upload("local", "a.iso", &file), &Principal::local()).await.unwrap();
    assert!(dry.steps[0].calls[0].contains("/storage/local/upload"), "{dry:?}");
    let done = ward.carry_out(ward.upload("local", "a.iso", &file)).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert_eq!(ward.file("local:iso/a.iso").await, Some((content.len() as u64, sum)));
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    let said: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert!(said.iter().any(|line| line.contains("bytes are sent")), "{said:?}");
    assert!(said.contains(&"finished file import successfully"), "{said:?}");
    ward.fleet.upload(&file).unwrap_err();

    let again = ward.hand_over(&content).await;
    let already = ward.carry_out(ward.upload("local", "a.iso", &again)).await;
    assert_eq!(already.steps[0].state, StepState::Already, "{already:?}");
    assert_eq!(ward.tasks("imgcopy").await.len(), 1);
    let other = ward.hand_over(b"another one").await;
    assert!(ward.refused(ward.upload("local", "a.iso", &other)).await.contains("is there already, with"));
}

#[tokio::test]
async fn what_the_cluster_would_refuse_is_refused_before_anything_is_sent() {
    let ward = Ward::open(Duration::from_millis(100)).await;
    let file = ward.hand_over(b"an image").await;
    for (storage, name, word) in [
        ("local", "a.txt", "does not end as"),
        ("local", "a b.iso", "cannot be what a file is called"),
        ("local-lvm", "a.iso", "does not hold iso"),
        ("nowhere", "a.iso", "does not exist"),
    ] {
        let why = ward.refused(ward.upload(storage, name, &file)).await;
        assert!(why.contains(word), "{storage} {name}: {why}");
    }
    let half = ward.fleet.begin_upload(NewUpload { name: "h".into(), size: 9, sha256: None }, "ada").await.unwrap();
    assert!(ward.refused(ward.upload("local", "a.iso", &half.id)).await.contains("0 of 9 bytes"));
    assert!(ward.refused(ward.upload("local", "a.iso", "nothing")).await.contains("handed over"));
    assert!(ward.tasks("imgcopy").await.is_empty());
}

#[tokio::test]
async fn whoever_is_killed_while_the_node_copies_is_followed_by_another_and_nothing_is_sent_twice() {
    let ward = Ward::open(Duration::from_millis(3_000)).await;
    let content = bytes(200_000);
    let file = ward.hand_over(&content).await;
    let asked = ward.operations.ask(ward.upload("local", "b.iso", &file), &Principal::local(), "local").await.unwrap();
    {
        let carrying = std::pin::pin!(ward.operations.carry_out(&asked.id));
        let begun = std::pin::pin!(async {
            while ward.tasks("imgcopy").await.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        // Dropped where it is: as if killed.
        assert!(matches!(select(carrying, begun).await, Either::Right(_)));
    }
    let another = Operations::new(Fleet::open(FleetOptions::new(ward.directory.path())).await.unwrap());
    let done = loop {
        match another.carry_out(&asked.id).await {
            Ok(done) => break done,
            Err(error) => assert_eq!(error.kind(), reanimator_core::ErrorKind::Busy, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert_eq!((ward.tasks("imgcopy").await.len(), ward.file("b.iso").await.unwrap().0), (1, content.len() as u64));
}

#[tokio::test]
async fn a_task_that_fails_or_a_node_that_is_away_fails_the_step_and_the_file_stays_here() {
    let ward = Ward::open(Duration::from_millis(100)).await;
    let file = ward.hand_over(b"an image").await;
    ward.sim.control().apply(Order::new("task-fails")).await.unwrap();
    let failed = ward.carry_out(ward.upload("local", "c.iso", &file)).await;
    assert_eq!(failed.state, OperationState::Failed, "{failed:?}");
    assert!(outcome(&failed).contains("simulated failure"), "{failed:?}");
    assert_eq!(ward.file("c.iso").await, None);
    let done = ward.carry_out(ward.upload("local", "c.iso", &file)).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
}

#[tokio::test]
async fn a_node_fetches_by_itself_and_compares() {
    let ward = Ward::open(Duration::from_millis(100)).await;
    let (url, sum) = serve(b"an image from afar");
    let from = |url: &str, sha256: Option<&str>| StorageChange::Download {
        url: url.to_owned(),
        sha256: sha256.map(str::to_owned),
    };
    let wrong = ward.carry_out(ward.operation("local", "d.iso", from(&url, Some(&"0a".repeat(32))))).await;
    assert!(outcome(&wrong).contains("checksum mismatch"), "{wrong:?}");
    let done = ward.carry_out(ward.operation("local", "d.iso", from(&url, Some(&sum)))).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert_eq!(ward.file("d.iso").await, Some((18, sum)));
    let already = ward.carry_out(ward.operation("local", "d.iso", from(&url, None))).await;
    assert_eq!(already.steps[0].state, StepState::Already, "{already:?}");
    assert!(ward.refused(ward.operation("local", "e.iso", from("ftp://x/e.iso", None))).await.contains("no address"));
    assert_eq!(ward.tasks("download").await.len(), 2);
}

/// 50 MB pass through the program in little memory: its own peak, which Linux counts, says so.
#[tokio::test]
async fn a_large_file_is_never_in_memory() {
    let sim = Sim::start(Options { nodes: 1, guests: 1, task_time: Duration::from_millis(50), ..Options::default() });
    let sim = sim.await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
    connect(&fleet, &sim).await;
    let node = sim.info().nodes[0].name.clone();
    fleet.close().await;
    let image = directory.path().join("large.iso");
    fs::write(&image, bytes(50_000_000)).unwrap();
    let to = format!("{node}:local");
    let (_, usual) = run(directory.path(), &["storage", "list"]).await;
    let (status, peak) = run(directory.path(), &["storage", "upload", image.to_str().unwrap(), "--to", &to]).await;
    assert!(status, "the upload failed");
    assert!(peak < usual + 30_000, "it took {peak} KiB at its peak, and {usual} KiB without the file");
}

/// Runs the program, and gives the most memory that it had, in KiB.
async fn run(data: &Path, words: &[&str]) -> (bool, u64) {
    let program = reanimator_tests::program::built("reanimator", "reanimator-cli");
    let mut child = std::process::Command::new(program)
        .args(words)
        .env("REANIMATOR_DATA_DIR", data)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status_file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let seen = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(seen.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            return (status.success(), peak);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A server on this machine that gives one file to whoever asks; its address, and the file's SHA-256.
fn serve(content: &'static [u8]) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/far.iso", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // All of what is asked, in as many parts as it comes.
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.extend(byte);
            }
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
            stream.write_all(content).unwrap();
        }
    });
    (url, SUM.to_owned())
}
