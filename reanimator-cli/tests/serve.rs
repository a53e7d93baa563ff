//! `serve` as a process: what it prints, what works beside it, and how it ends.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use common::Home;

/// A running server; killed when dropped.
struct Server {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    address: String,
}

impl Server {
    fn start(home: &Home) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reanimator"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("HOME", home.path())
            .env("REANIMATOR_DATA_DIR", home.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let url = first.strip_prefix("Reanimator is at http://").unwrap();
        let address = url.strip_suffix('/').unwrap().to_owned();
        Self { child, lines, address }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    fn get(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_says_where_it_is_and_how_to_begin_and_ends_when_told() {
    for signal in ["TERM", "INT"] {
        let home = Home::new();
        let mut server = Server::start(&home);
        let second = server.lines.next().unwrap().unwrap();
        let link = format!("Set up the first account: http://{}/setup#", server.address);
        assert!(second.starts_with(&link), "{second}");
        assert!(server.get("/health", "").contains("200 OK"));
        server.signal(signal);
        assert!(server.child.wait().unwrap().success(), "{signal}");
        assert!(server.lines.next().is_none(), "nothing else is on stdout");
    }
}

#[test]
fn the_command_line_works_beside_it() {
    let home = Home::new();
    let server = Server::start(&home);
    let token = home.json(&["token", "create", "probe"])["token"].as_str().unwrap().to_owned();
    assert!(server.get("/api/v1/status", &token).contains("\"totals\""));
    assert!(server.get("/api/v1/status", "rnm_wrong").contains("401"));
    // The server observes; `status` reads what it has stored.
    let seen = |home: &Home| home.json(&["status"])["totals"]["hosts"]["online"] == 1;
    let began = std::time::Instant::now();
    while !seen(&home) {
        assert!(began.elapsed().as_secs() < 60, "this machine was not observed");
    }
    home.run(&["exec", "true", "--on", "all"]);
}

#[test]
fn a_second_server_is_refused() {
    let home = Home::new();
    let first = Server::start(&home);
    let stderr = {
        let output = home.reanimator(["serve", "--listen", "127.0.0.1:0"]).assert().code(1).stdout("");
        common::text(&output.get_output().stderr)
    };
    assert!(stderr.contains(&first.address), "{stderr}");
    assert!(stderr.contains("next: "), "{stderr}");
}

#[test]
fn beyond_loopback_it_wants_tls() {
    let home = Home::new();
    let output = home.reanimator(["serve", "--listen", "0.0.0.0:0"]).assert().code(2).stdout("");
    assert!(common::text(&output.get_output().stderr).contains("--tls"));
}
