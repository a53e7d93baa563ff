//! The watching shell as seen from our side: ask for a sample, read up to its end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Error, ErrorKind, Result,
    collect::linux::watch::{self, SAMPLE_LIMIT, Sample},
    transport::{Command, Process, Transport},
};

/// How much is read of what an ended shell said, and for how long.
const LAST_WORDS: u64 = 4096;
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// One running watching shell.
#[derive(Debug)]
pub(super) struct Session {
    label: String,
    process: Process,
    number: u64,
    /// Bytes read and not used yet.
    buffer: Vec<u8>,
}

impl Session {
    /// Starts the shell.
    pub(super) async fn start(transport: &dyn Transport) -> Result<Self> {
        let process = transport.start(Command::shell(watch::script())).await?;
        Ok(Self { label: transport.label(), process, number: 0, buffer: Vec::new() })
    }

    /// Asks for one sample and reads it. After an error the session is of no use any more.
    pub(super) async fn sample(&mut self) -> Result<Sample> {
        self.number += 1;
        let asked = async {
            self.process.stdin.write_all(watch::request(self.number).as_bytes()).await?;
            self.process.stdin.flush().await
        };
        if let Err(error) = asked.await {
            self.last_words().await;
            return Err(self.stopped().from_source(error));
        }
        let block = self.block().await?;
        Ok(watch::parse(&String::from_utf8_lossy(&block)))
    }

    /// What a shell that takes no question any more has said before it ended.
    async fn last_words(&mut self) {
        let rest = (&mut self.process.stdout).take(LAST_WORDS);
        // Whatever came until then is told; why there is no more is known already.
        let _ended =
            tokio::time::timeout(LAST_WORDS_WITHIN, async { { rest }.read_to_end(&mut self.buffer).await }).await;
    }

    /// The bytes between `@begin N` and `@end N`. What comes before (a greeting of the login shell) is passed over.
    async fn block(&mut self) -> Result<Vec<u8>> {
        let begin = format!("{}\n", watch::begin(self.number)).into_bytes();
        let end = format!("\n{}\n", watch::end(self.number)).into_bytes();
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.buffer, &end, searched) {
                let rest = self.buffer.split_off(at + end.len());
                let block = std::mem::replace(&mut self.buffer, rest);
                let Some(start) = find(&block, &begin, 0) else {
                    return Err(self.broken("an answer ended that never began"));
                };
                return Ok(block[(start + begin.len()).min(at)..at].to_vec());
            }
            searched = self.buffer.len().saturating_sub(end.len());
            if self.buffer.len() > SAMPLE_LIMIT {
                return Err(self
                    .broken(&format!("it sent more than {SAMPLE_LIMIT} bytes that are no sample"))
                    .next("check what the account's login shell prints: it must be silent for commands"));
            }
            let mut piece = [0; 16 * 1024];
            match self.process.stdout.read(&mut piece).await {
                Ok(0) => return Err(self.stopped()),
                Ok(count) => self.buffer.extend_from_slice(&piece[..count]),
                Err(error) => return Err(self.broken("the connection broke").from_source(error)),
            }
        }
    }

    fn stopped(&self) -> Error {
        let said: String = String::from_utf8_lossy(&self.buffer).chars().filter(|c| !c.is_control()).take(80).collect();
        let cause = match said.is_empty() {
            true => "the shell there ended without an answer".to_owned(),
            false => format!("the shell there ended half-way, after \"{said}\""),
        };
        self.broken(&cause)
    }

    fn broken(&self, cause: &str) -> Error {
        Error::new(ErrorKind::Protocol, "read the host's figures")
            .on(&self.label)
            .because(cause)
            .next("check that the account has a POSIX shell and may run commands (`ssh HOST true`)")
    }
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let from = from.min(haystack.len());
    haystack[from..].windows(needle.len()).position(|window| window == needle).map(|at| at + from)
}
