//! The inside of a VM, through the QEMU guest agent.
//!
//! The agent starts a program and keeps what it says until that is fetched; there is no stream. Short commands therefore go
//! this way, and long ones as jobs, which are started, looked at and stopped by short ones.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;

use super::PveApi;
use crate::{
    Error, ErrorKind, Result,
    transport::{Captured, Command, Output, Process, Transport, http::Request},
};

/// How often it is looked whether a command has ended: soon at first, then ever less.
const LOOK_SOONEST: Duration = Duration::from_millis(100);
const LOOK_LATEST: Duration = Duration::from_secs(1);

/// What Proxmox passes on as the input of a command.
const INPUT_LIMIT: usize = 65_536;

/// Runs the text that comes as its input, which may be longer than a command line.
const RUN_INPUT: &str = "exec /bin/sh -c \"$(cat)\" </dev/null";

/// A VM as a way to run commands. They run as root, which is what the agent runs as.
#[derive(Clone, Debug)]
pub struct GuestAgent {
    api: Arc<dyn PveApi>,
    node: String,
    vmid: String,
}

impl GuestAgent {
    /// The agent of a VM on a node.
    pub fn new(api: Arc<dyn PveApi>, node: impl Into<String>, vmid: impl Into<String>) -> Self {
        Self { api, node: node.into(), vmid: vmid.into() }
    }

    /// The path to something of the agent.
    fn path<'a>(&'a self, call: &'a str) -> [&'a str; 6] {
        ["nodes", &self.node, "qemu", &self.vmid, "agent", call]
    }

    /// What starts a command.
    fn begin(&self, command: &Command) -> Result<Request> {
        let (text, input) = match command.stdin.as_slice() {
            [] => (RUN_INPUT.to_owned(), command.text.clone()),
            input => {
                let input = String::from_utf8(input.to_vec());
                let input =
                    input.map_err(|_| self.refused("its input is not text, which is all that Proxmox takes"))?;
                (command.text.clone(), input)
            }
        };
        if input.len() > INPUT_LIMIT {
            return Err(
                self.refused(format!("its input is longer than {INPUT_LIMIT} bytes, which Proxmox takes at most"))
            );
        }
        let words = ["/bin/sh", "-c", &text];
        let request =
            words.iter().fold(Request::post(self.path("exec")), |request, word| request.param("command", *word));
        Ok(request.param("input-data", input))
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, "run a command through the guest agent").on(self.label()).because(why)
    }

    fn odd(&self, answer: &Value) -> Error {
        Error::new(ErrorKind::Protocol, "run a command through the guest agent")
            .on(self.label())
            .because(format!("the answer makes no sense: {answer}"))
    }
}

/// What a command said and how it ended; none while it goes on.
fn ended(answer: &Value, limit: usize) -> Option<Output> {
    let is = |name: &str| answer.get(name).is_some_and(|value| *value == true || *value == 1 || *value == "1");
    if !is("exited") {
        return None;
    }
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let stream = |data: &str, cut: &str| {
        let mut kept = Captured::default();
        kept.push(answer.get(data).and_then(Value::as_str).unwrap_or_default().as_bytes(), limit);
        if is(cut) {
            kept.cut_at = Some(kept.bytes.len());
        }
        kept
    };
    Some(Output {
        status: number("exitcode"),
        signal: number("signal").map(|number| number.to_string()),
        stdout: stream("out-data", "out-truncated"),
        stderr: stream("err-data", "err-truncated"),
    })
}

#[async_trait]
impl Transport for GuestAgent {
    fn label(&self) -> String {
        format!("guest agent of VM {} at {}", self.vmid, self.api.label())
    }

    async fn run(&self, command: Command) -> Result<Output> {
        let begun = Instant::now();
        let answer = self.api.call(self.begin(&command)?).await?;
        let pid = answer.get("pid").and_then(Value::as_u64).ok_or_else(|| self.odd(&answer))?.to_string();
        let mut wait = LOOK_SOONEST;
        loop {
            let look = Request::get(self.path("exec-status")).param("pid", pid.as_str());
            if let Some(output) = ended(&self.api.call(look).await?, command.output_limit) {
                return Ok(output);
            }
            if begun.elapsed() > command.time_limit {
                let limit = command.time_limit.as_secs();
                return Err(Error::new(ErrorKind::Timeout, "run a command through the guest agent")
                    .on(self.label())
                    .because(format!("it did not end within {limit} s, and the agent has no way to end it")));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LOOK_LATEST);
        }
    }

    async fn start(&self, _command: Command) -> Result<Process> {
        Err(self.refused("it gives what a command said only when that has ended").next("add the VM's SSH access"))
    }

    async fn close(&self) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    /// Answers in turn, and notes what it was asked.
    #[derive(Debug)]
    struct Answers(Mutex<(Vec<Value>, Vec<String>)>);

    #[async_trait]
    impl PveApi for Answers {
        async fn call(&self, request: Request) -> Result<Value> {
            let mut kept = self.0.lock().unwrap();
            kept.1.push(format!("{request} {}", request.encoded_params()));
            Ok(kept.0.remove(0))
        }

        fn label(&self) -> String {
            "test".into()
        }
    }

    fn agent(answers: Vec<Value>) -> (Arc<Answers>, GuestAgent) {
        let api = Arc::new(Answers(Mutex::new((answers, Vec::new()))));
        (api.clone(), GuestAgent::new(api, "pve1", "102"))
    }

    #[tokio::test]
    async fn a_command_is_started_and_looked_at_until_it_has_ended() {
        let done = json!({"exited": 1, "exitcode": 3, "out-data": "hello\n", "err-data": "why\n"});
        let (api, agent) = agent(vec![json!({"pid": 42}), json!({"exited": 0}), done]);
        let output = agent.run(Command::shell("echo hello; exit 3")).await.unwrap();
        assert_eq!((output.status, output.stdout.text().as_str()), (Some(3), "hello\n"));
        assert_eq!(output.stderr.text(), "why\n");
        let asked = api.0.lock().unwrap().1.clone();
        assert!(asked[0].starts_with("POST /nodes/pve1/qemu/102/agent/exec command=%2Fbin%2Fsh&command=-c&command="));
        assert!(asked[0].ends_with("input-data=echo%20hello%3B%20exit%203"), "{}", asked[0]);
        assert_eq!(asked[2], "GET /nodes/pve1/qemu/102/agent/exec-status pid=42");
    }

    #[tokio::test]
    async fn what_proxmox_would_not_take_is_not_sent() {
        let (api, agent) = agent(Vec::new());
        let long = Command::shell("sh").stdin(vec![b'x'; INPUT_LIMIT + 1]);
        for command in [long, Command::shell("sh").stdin(vec![0xff])] {
            assert_eq!(agent.run(command).await.unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert_eq!(agent.start(Command::shell("sh")).await.err().map(|error| error.kind()), Some(ErrorKind::Invalid));
        assert!(api.0.lock().unwrap().1.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_end_is_given_up() {
        let (_api, agent) = agent([vec![json!({"pid": 1})], vec![json!({"exited": false}); 100]].concat());
        let command = Command::shell("sleep 1000").time_limit(Duration::from_secs(5));
        assert_eq!(agent.run(command).await.unwrap_err().kind(), ErrorKind::Timeout);
    }
}
