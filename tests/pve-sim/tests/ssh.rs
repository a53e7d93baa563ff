//! The nodes' SSH servers: real shells over the simulated state.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Api, quick, start_with};
use pve_sim::{Options, Sim, SshInfo};
use russh::client::{self, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, client::AuthResult};
use serde_json::{Value, json};

#[derive(Clone)]
struct Client {
    expected: String,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        Ok(key.to_openssh().unwrap() == self.expected)
    }
}

async fn with_ssh(nodes: u32) -> Sim {
    let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_pve-sim")));
    start_with(Options { nodes, ssh: true, program, ..quick() }).await
}

async fn connect(info: &SshInfo) -> Handle<Client> {
    let config = Arc::new(client::Config { nodelay: true, ..client::Config::default() });
    let client = Client { expected: info.host_key.clone() };
    // A node that has just started answers its API a moment earlier.
    let began = std::time::Instant::now();
    loop {
        match client::connect(config.clone(), (info.address.as_str(), info.port), client.clone()).await {
            Ok(handle) => return handle,
            Err(error) => assert!(began.elapsed().as_secs() < 20, "{error}"),
        }
    }
}

async fn log_in(info: &SshInfo) -> Handle<Client> {
    let mut session = connect(info).await;
    let entered = session.authenticate_password(&info.user, &info.password).await.unwrap();
    assert!(entered.success());
    session
}

/// What a command printed, said wrong, and its exit status.
async fn run(session: &Handle<Client>, command: &str) -> (String, String, u32) {
    let mut channel = session.channel_open_session().await.unwrap();
    channel.exec(true, command).await.unwrap();
    let (mut out, mut err, mut code) = (Vec::new(), Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => out.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, ext: 1 } => err.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => code = Some(exit_status),
            _ => {}
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(out), text(err), code.unwrap())
}

fn ssh_of(sim: &Sim, node: usize) -> SshInfo {
    sim.info().nodes[node].ssh.clone().unwrap()
}

#[tokio::test]
async fn password_and_key_open_and_others_do_not() {
    let sim = with_ssh(1).await;
    let info = ssh_of(&sim, 0);
    let mut session = connect(&info).await;
    let wrong: AuthResult = session.authenticate_password("root", "wrong").await.unwrap();
    assert!(!wrong.success());
    let key = Arc::new(russh::keys::decode_secret_key(&info.key, None).unwrap());
    let other = session.authenticate_publickey("admin", PrivateKeyWithHashAlg::new(Arc::clone(&key), None)).await;
    assert!(!other.unwrap().success());
    let entered = session.authenticate_publickey("root", PrivateKeyWithHashAlg::new(key, None)).await.unwrap();
    assert!(entered.success());
    assert_eq!(run(&session, "hostname").await, ("pve1\n".to_owned(), String::new(), 0));
}

#[tokio::test]
async fn pvesh_answers_from_the_same_state() {
    let sim = with_ssh(2).await;
    let api = Api::of(&sim);
    let session = log_in(&ssh_of(&sim, 0)).await;
    let (text, _, code) = run(&session, "pvesh get /cluster/status --output-format json").await;
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), api.get("/cluster/status").await.data());
    // A task is waited for; its UPID is the last line.
    let stop = "pvesh create /nodes/pve1/qemu/100/status/stop --output-format json";
    let (text, _, code) = run(&session, stop).await;
    assert_eq!(code, 0);
    let upid: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(upid.as_str().unwrap().contains(":qmstop:100:root@pam:"), "{text}");
    let status = api.get("/nodes/pve1/qemu/100/status/current").await.data();
    assert_eq!(status["status"], "stopped");
    let set = "pvesh set /nodes/pve1/qemu/100/config --description 'it'\\''s $(here)'";
    assert_eq!(run(&session, set).await, (String::new(), String::new(), 0));
    let config = api.get("/nodes/pve1/qemu/100/config").await.data();
    assert_eq!(config["description"], "it's $(here)");
}

#[tokio::test]
async fn pvesh_refuses_as_the_api_does() {
    let sim = with_ssh(3).await;
    let session = log_in(&ssh_of(&sim, 0)).await;
    let missing = run(&session, "pvesh get /nodes/pve1/qemu/555/config --output-format json").await;
    let text = "Configuration file 'nodes/pve1/qemu-server/555.conf' does not exist\n";
    assert_eq!(missing, (String::new(), text.to_owned(), 2));
    let (_, error, code) = run(&session, "pvesh get /nope").await;
    assert_eq!((error.as_str(), code), ("No 'get' handler defined for '/nope'\n", 2));
    let (_, error, code) = run(&session, "pvesh get /cluster/resources --type host").await;
    assert!(error.starts_with("400 Parameter verification failed.\ntype: value 'host'"), "{error}");
    assert_eq!(code, 255);
    sim.control().node_down("pve2").await.unwrap();
    let (_, error, code) = run(&session, "pvesh get /nodes/pve2/status").await;
    assert!(error.contains("No route to host"), "{error}");
    assert_eq!(code, 255);
}

#[tokio::test]
async fn the_plain_commands_know_this_node() {
    let sim = with_ssh(2).await;
    let first = log_in(&ssh_of(&sim, 0)).await;
    let second = log_in(&ssh_of(&sim, 1)).await;
    let (table, _, _) = run(&first, "qm list").await;
    assert!(table.contains("db1") && !table.contains("web1"), "{table}");
    let (table, _, _) = run(&second, "pct list").await;
    assert!(table.contains("web1"), "{table}");
    assert_eq!(run(&second, "pct status 101").await.0, "status: running\n");
    assert_eq!(run(&second, "pct stop 101").await.2, 0);
    assert_eq!(run(&second, "pct status 101").await.0, "status: stopped\n");
    let again = run(&second, "pct stop 101").await;
    assert_eq!((again.1.as_str(), again.2), ("CT 101 not running\n", 255));
    assert_eq!(run(&second, "pct start 101; pct exec 101 -- sh -c 'echo $((6 * 7))'").await.0, "42\n");
    assert!(run(&first, "pveversion").await.0.starts_with("pve-manager/9.1.8/"));
    assert!(run(&first, "pvesm status").await.0.contains("shared-nfs"));
    let maintain = "ha-manager add vm:100 && ha-manager crm-command node-maintenance enable pve1";
    assert_eq!(run(&first, maintain).await, (String::new(), String::new(), 0));
    // Its manager hears it at its next round, and takes what it looks after away.
    let status = "until ha-manager status | grep -q 'lrm pve1 (maintenance mode)'; do sleep 0.02; done; \
                  until ha-manager status | grep 'service vm:100 (pve2, started)'; do sleep 0.02; done";
    assert_eq!(run(&first, status).await.2, 0);
    assert!(run(&second, "qm list").await.0.contains("db1"));
    let back = "ha-manager crm-command node-maintenance disable pve1; \
                until ha-manager status | grep 'service vm:100 (pve1, started)'; do sleep 0.02; done";
    assert_eq!(run(&first, back).await.2, 0);
}

#[tokio::test]
async fn each_node_is_a_machine_of_its_own() {
    let sim = with_ssh(2).await;
    let mut seen = Vec::new();
    for node in 0..2 {
        let session = log_in(&ssh_of(&sim, node)).await;
        let read =
            "grep -Hs . /etc/machine-id /proc/sys/kernel/hostname /sys/class/net/*/address; cat /etc/machine-id; id -u";
        let (text, _, _) = run(&session, read).await;
        assert!(text.contains(&format!("/proc/sys/kernel/hostname:pve{}\n", node + 1)), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let id = lines.iter().find_map(|line| line.strip_prefix("/etc/machine-id:")).unwrap();
        assert_eq!((id.len(), lines[lines.len() - 2], lines[lines.len() - 1]), (32, id, "0"), "{text}");
        assert_eq!(text.matches("/sys/class/net/").count(), 1, "{text}");
        assert!(run(&session, "grep -c . /proc/uptime").await.0.starts_with('1'));
        seen.push(id.to_owned());
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_shell_that_reads_lines_lives_as_long_as_its_channel() {
    let sim = with_ssh(1).await;
    let session = log_in(&ssh_of(&sim, 0)).await;
    let mut channel = session.channel_open_session().await.unwrap();
    let script =
        ": reanimator-watch-1; echo $$; while read -r w n; do echo \"@begin $n\"; grep MemTotal /proc/meminfo; done";
    channel.exec(true, script).await.unwrap();
    let mut text = String::new();
    channel.data(&b"t 17\n"[..]).await.unwrap();
    while !text.contains("MemTotal:") {
        if let Some(ChannelMsg::Data { data }) = channel.wait().await {
            text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
    assert!(text.contains("@begin 17\n"), "{text}");
    let pid: u32 = text.lines().next().unwrap().parse().unwrap();
    let there = || PathBuf::from(format!("/proc/{pid}")).exists();
    assert!(there());
    channel.close().await.unwrap();
    let before = Instant::now();
    while there() {
        assert!(before.elapsed() < Duration::from_secs(10), "the shell is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_node_that_is_down_has_no_ssh_and_ends_what_ran() {
    let sim = with_ssh(2).await;
    let info = ssh_of(&sim, 1);
    let session = log_in(&info).await;
    let mut channel = session.channel_open_session().await.unwrap();
    channel.exec(true, "sleep 60").await.unwrap();
    sim.control().node_down("pve2").await.unwrap();
    let before = Instant::now();
    while channel.wait().await.is_some() {}
    assert!(before.elapsed() < Duration::from_secs(10));
    let refused = tokio::net::TcpStream::connect((info.address.as_str(), info.port)).await;
    assert!(refused.is_err());
    sim.control().node_up("pve2").await.unwrap();
    let session = log_in(&info).await;
    assert_eq!(run(&session, "exit 7").await.2, 7);
    // Nodes that never had SSH say so.
    let plain = start_with(quick()).await;
    assert_eq!(json!(plain.info().nodes[0].ssh), Value::Null);
}

#[tokio::test]
async fn a_node_that_is_shut_down_is_off_until_it_is_woken_and_then_another_boot() {
    let sim = with_ssh(3).await;
    let (api, info) = (Api::of(&sim), ssh_of(&sim, 1));
    let boot = "cat /proc/sys/kernel/random/boot_id";
    let before = run(&log_in(&info).await, boot).await.0;
    assert_eq!(before.trim().len(), 36, "{before}");
    let runs = |entry: &Value| entry["node"] == "pve2" && entry["status"] == "running";
    let running = async || {
        let all = api.get("/cluster/resources?type=vm").await.data();
        all.as_array().unwrap().iter().filter(|entry| runs(entry)).count()
    };
    assert!(running().await > 0);
    let unknown = api.post("/nodes/pve2/wakeonlan", &[]).await;
    assert!(unknown.text.contains("No wake on LAN MAC address"), "{unknown:?}");
    let mac = [("wakeonlan", "bc:24:11:00:00:02")];
    assert_eq!(api.send("PUT", "/nodes/pve2/config", &mac).await.unwrap().status, 200);

    assert!(api.post("/nodes/pve2/status", &[("command", "shutdown")]).await.data().is_null());
    while api.get("/nodes/pve2/status").await.status != 595 {}
    // Its doors close one after the other.
    let began = std::time::Instant::now();
    while tokio::net::TcpStream::connect((info.address.as_str(), info.port)).await.is_ok() {
        assert!(began.elapsed().as_secs() < 20, "its shell still answers");
    }
    assert_eq!(running().await, 0, "what ran there does not any more");
    assert_eq!(api.post("/nodes/pve2/status", &[("command", "reboot")]).await.status, 595);

    assert_eq!(api.post("/nodes/pve2/wakeonlan", &[]).await.data(), "bc:24:11:00:00:02");
    while api.get("/nodes/pve2/status").await.status != 200 {}
    assert!(api.get("/nodes/pve2/status").await.data()["uptime"].as_u64().unwrap() < 60);
    let woken = run(&log_in(&info).await, boot).await.0;
    assert_ne!(woken, before);

    let session = log_in(&info).await;
    assert_eq!(run(&session, "systemctl reboot").await.2, 0);
    while api.get("/nodes/pve2/status").await.status != 595 {}
    while api.get("/nodes/pve2/status").await.status != 200 {}
    let anew = run(&log_in(&info).await, boot).await.0;
    assert_ne!(anew, woken, "a reboot ordered by its shell");
}
