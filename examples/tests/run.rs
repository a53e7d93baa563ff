//! Every example runs, on this machine or against the Proxmox look-alike.

#![allow(clippy::unwrap_used)]

use std::{
    path::PathBuf,
    process::{Command, Output},
};

/// The built example; `cargo test` builds all of them beside this test.
fn example(name: &str) -> Command {
    let deps = std::env::current_exe().unwrap();
    let target: PathBuf = deps.parent().unwrap().parent().unwrap().into();
    let mut command = Command::new(target.join("examples").join(name));
    command.env("TMPDIR", std::env::temp_dir());
    command
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn this_machine_is_observed() {
    let text = text(&example("observe_this_machine").output().unwrap());
    assert!(text.contains("memory: "), "{text}");
    assert!(text.contains("/: "), "{text}");
}

#[test]
fn a_command_runs_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let mut command = example("run_everywhere");
    command.args(["echo from $((40 + 2))", "all"]).env("REANIMATOR_DATA_DIR", home.path());
    let text = text(&command.output().unwrap());
    assert!(text.contains("status Some(0)"), "{text}");
    assert!(text.contains("from 42"), "{text}");
}

#[test]
fn the_live_loop_runs_inside_a_program() {
    let text = text(&example("embed_live_loop").output().unwrap());
    assert!(text.contains("host:updated"), "{text}");
    assert!(text.contains("1 of 1 hosts online"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clusters_guests_are_listed_once_its_certificate_is_accepted() {
    let options = pve_sim::Options { nodes: 3, guests: 5, ..pve_sim::Options::default() };
    let sim = pve_sim::Sim::start(options).await.unwrap();
    let info = sim.info();
    let run = |fingerprint: Option<&str>| {
        let mut command = example("proxmox_guests");
        command.arg(&info.url).args(fingerprint).env("PROXMOX_TOKEN", &info.token);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let refused = run(None).await.unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stdout).contains(&info.fingerprint));
    let listed = text(&run(Some(&info.fingerprint)).await.unwrap());
    assert!(listed.contains("3 nodes"), "{listed}");
    assert_eq!(listed.lines().filter(|line| line.contains(" is ")).count(), 5, "{listed}");
}
