//! Receivers that a test starts: of HTTP in this process, of mail as a program.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use serde_json::Value;

/// Long enough for a slow machine; nothing waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A receiver of HTTP on a port of this machine, which answers all alike.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) url: String,
    came: Receiver<Request>,
}

impl Http {
    /// One that answers with that status, and where it is one of redirection sends on to itself.
    pub(crate) fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(listener, status)
    }

    pub(crate) fn on(listener: TcpListener, status: u16) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (told, came) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, status, &told);
            }
        });
        Self { url, came }
    }

    /// The next request.
    pub(crate) fn next(&self) -> Request {
        self.came.recv_timeout(PATIENCE).expect("nothing came")
    }

    /// What came meanwhile and was not taken.
    pub(crate) fn rest(&self) -> Vec<Request> {
        self.came.try_iter().collect()
    }
}

fn answer(stream: TcpStream, status: u16, told: &Sender<Request>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        // One that only connects says nothing.
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let split = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers: Vec<(String, String)> = lines.iter().skip(1).filter_map(split).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let request = Request { line: lines[0].clone(), headers, body: String::from_utf8(body).unwrap() };
    let location = if (300..400).contains(&status) { "Location: http://127.0.0.1:1/inside\r\n" } else { "" };
    let head = format!("HTTP/1.1 {status} X\r\n{location}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    reader.get_mut().write_all(head.as_bytes()).unwrap();
    // The test may be over.
    let _gone = told.send(request);
}

/// A mail server: Debian's `python3-aiosmtpd`. Ended when dropped.
#[derive(Debug)]
pub(crate) struct Mail {
    child: Child,
    pub(crate) port: u16,
    lines: Receiver<String>,
}

impl Mail {
    /// One that protects itself so: `none`, `starttls`, `tls`; with a certificate and its key.
    pub(crate) fn start(mode: &str, identity: Option<(&Path, &Path)>) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notify/smtp.py");
        // Debian's own Python has Debian's modules.
        let mut command = Command::new("/usr/bin/python3");
        command.args([script, mode]);
        if let Some((certificate, key)) = identity {
            command.arg(certificate).arg(key);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = out.next().expect("the mail server starts: install python3-aiosmtpd").unwrap().parse().unwrap();
        let (told, lines) = channel();
        std::thread::spawn(move || out.map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { child, port, lines }
    }

    /// The next mail.
    pub(crate) fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("no mail came");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        // It may be gone already; either way nothing of it is left.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
