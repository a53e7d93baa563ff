//! The API without HTTPS: `pvesh`, run as root on a node over any transport.
//!
//! `pvesh` answers for the whole cluster, as pveproxy does, and the same decoders read it. Where it is missing or
//! broken, the plain commands tell the little that they know of this one node; [`PveApi::unseen`] says so.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{PveApi, refusal};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{plain, version},
    model::Unseen,
    transport::{
        Become, Command, Output, Transport,
        http::{self, Method, Request},
    },
};

/// How much of one answer is kept: as of a large cluster, with room to spare.
const OUTPUT_LIMIT: usize = 16 * 1024 * 1024;

/// `pvesh` on one node.
#[derive(Debug)]
pub struct Pvesh {
    transport: Arc<dyn Transport>,
    become_root: Become,
    unseen: Mutex<Vec<Unseen>>,
}

impl Pvesh {
    /// `pvesh` over `transport`, as root in this way (`pvesh` runs as nobody else).
    pub fn new(transport: Arc<dyn Transport>, become_root: Become) -> Self {
        Self { transport, become_root, unseen: Mutex::new(Vec::new()) }
    }

    async fn run(&self, command: Command) -> Result<Output> {
        self.transport.run(command.output_limit(OUTPUT_LIMIT).become_root(self.become_root.clone())).await
    }

    fn note(&self, unseen: Vec<Unseen>) {
        *self.unseen.lock().unwrap_or_else(PoisonError::into_inner) = unseen;
    }

    /// What a plain command says, or `None` and a note why not.
    async fn plain(&self, words: &[&str], notes: &mut Vec<Unseen>) -> Option<String> {
        let why = match self.run(Command::argv(words)).await {
            Ok(output) if output.success() => return Some(output.stdout.text()),
            Ok(output) => complaint(&output),
            Err(error) => crate::message(&error),
        };
        notes.push(Unseen::new(format!("what `{}` says", words.join(" ")), why));
        None
    }

    /// The same answer out of plain commands, where they know it.
    async fn without_pvesh(&self, request: &Request, why: &str) -> Option<Value> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        if request.method != Method::Get {
            return None;
        }
        let mut notes = vec![Unseen::new(
            "other nodes, CPU figures and shared storages",
            format!("pvesh cannot be used ({why}), only plain commands of this node"),
        )];
        let data = match path.as_slice() {
            ["version"] => {
                let text = self.plain(&["pveversion"], &mut notes).await?;
                json!({"version": version::from_pveversion(&text)?})
            }
            ["cluster", "status"] => {
                let node = self.node_name(&mut notes).await?;
                json!([{"type": "node", "name": node, "online": 1, "local": 1}])
            }
            ["cluster", "resources"] => self.plain_resources(&mut notes).await?,
            _ => return None,
        };
        self.note(notes);
        Some(data)
    }

    async fn node_name(&self, notes: &mut Vec<Unseen>) -> Option<String> {
        let text = self.plain(&["cat", "/proc/sys/kernel/hostname"], notes).await?;
        text.trim().split('.').next().filter(|name| !name.is_empty()).map(str::to_owned)
    }

    async fn plain_resources(&self, notes: &mut Vec<Unseen>) -> Option<Value> {
        let node = self.node_name(notes).await?;
        let mut rows = vec![json!({"type": "node", "node": node, "status": "online"})];
        let before = notes.len();
        if let Some(text) = self.plain(&["qm", "list"], notes).await {
            rows.extend(plain::qm_list(&text, &node));
        }
        if let Some(text) = self.plain(&["pct", "list"], notes).await {
            rows.extend(plain::pct_list(&text, &node));
        }
        if let Some(text) = self.plain(&["pvesm", "status"], notes).await {
            rows.extend(plain::pvesm_status(&text, &node));
        }
        // Where none of the three is there, it is no Proxmox node.
        (notes.len() < before + 3).then_some(Value::Array(rows))
    }
}

#[async_trait]
impl PveApi for Pvesh {
    async fn call(&self, request: Request) -> Result<Value> {
        let output = self.run(command(&request).map_err(|error| error.on(self.transport.label()))?).await?;
        if output.success() {
            self.note(Vec::new());
            return read(&request, &output).map_err(|error| error.on(self.transport.label()));
        }
        let error = failure(&request, &output);
        if is_unusable(&output, &error)
            && let Some(data) = self.without_pvesh(&request, &complaint(&output)).await
        {
            return Ok(data);
        }
        Err(error.on(self.transport.label()))
    }

    fn label(&self) -> String {
        format!("pvesh over {}", self.transport.label())
    }

    fn unseen(&self) -> Vec<Unseen> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The command line of a request.
fn command(request: &Request) -> Result<Command> {
    let attempt = || format!("ask {request} through pvesh");
    if request.path.iter().any(|segment| matches!(segment.as_str(), "" | "." | "..") || segment.contains('/')) {
        return Err(Error::new(ErrorKind::Invalid, attempt()).because("the path does not say one thing"));
    }
    if request.params.iter().any(|(_, value)| matches!(value, http::Value::Secret(_))) {
        return Err(Error::new(ErrorKind::Invalid, attempt())
            .because("a secret on a command line is seen by everybody on that machine")
            .next("use the API over HTTPS for this"));
    }
    if request.file.is_some() {
        return Err(Error::new(ErrorKind::Invalid, attempt())
            .because("a file is handed over to the API, which this cluster is not reached by")
            .next("connect it with `reanimator proxmox connect`"));
    }
    let verb = match request.method {
        Method::Get => "get",
        Method::Post => "create",
        Method::Put => "set",
        Method::Delete => "delete",
    };
    let mut words = vec!["pvesh".to_owned(), verb.to_owned(), format!("/{}", request.path.join("/"))];
    for (name, value) in &request.params {
        words.extend([format!("--{name}"), value.expose().to_owned()]);
    }
    words.extend(["--output-format".to_owned(), "json".to_owned()]);
    Ok(Command::argv(words).time_limit(request.time_limit))
}

/// The JSON on its standard output. A call that starts a task shows the task's log first, and the answer last.
fn read(request: &Request, output: &Output) -> Result<Value> {
    let text = output.stdout.text();
    if let Some(note) = output.stdout.cut_note() {
        return Err(Error::new(ErrorKind::Protocol, format!("ask {request} through pvesh")).because(note));
    }
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let Some(last) = last else { return Ok(Value::Null) };
    serde_json::from_str(&text).or_else(|_| serde_json::from_str(last)).map_err(|_| {
        Error::new(ErrorKind::Protocol, format!("ask {request} through pvesh"))
            .because(format!("it does not answer with JSON: {}", http::excerpt(text.as_bytes())))
    })
}

/// What the failure of `pvesh` means.
fn failure(request: &Request, output: &Output) -> Error {
    let words = complaint(output);
    let attempt = format!("ask {request} through pvesh");
    if is_missing(output) {
        return Error::new(ErrorKind::NotFound, attempt)
            .because("pvesh is not there")
            .next("check that this is a Proxmox VE node");
    }
    if words.contains("please run as root")
        || words.contains("a password is required")
        || words.contains("not in the sudoers")
    {
        return Error::new(ErrorKind::Denied, attempt)
            .because(format!("it needs root: {words}"))
            .next("log in as root, or let the account use sudo");
    }
    if words.contains("handler defined for") || words.contains("no such resource") {
        return Error::new(ErrorKind::NotFound, attempt).because(format!("this Proxmox does not know it: {words}"));
    }
    let error = refusal::by_words(attempt, &words);
    match request.node() {
        Some(node) if error.kind() == ErrorKind::Unreachable => error.on(node),
        _ => error,
    }
}

fn is_missing(output: &Output) -> bool {
    let words = output.stderr.text();
    output.status == Some(127) || (words.contains("pvesh") && words.contains("not found"))
}

/// Whether it was `pvesh` itself that failed, rather than the API that refused.
fn is_unusable(output: &Output, error: &Error) -> bool {
    is_missing(output) || error.kind() == ErrorKind::Conflict
}

fn complaint(output: &Output) -> String {
    let said = refusal::one_line(&output.stderr.text());
    match (said.is_empty(), output.status, &output.signal) {
        (false, ..) => said,
        (true, Some(status), _) => format!("status {status}"),
        (true, None, Some(signal)) => format!("ended by SIG{signal}"),
        (true, None, None) => "it ended without a word".to_owned(),
    }
}
