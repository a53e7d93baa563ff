//! What a terminal shows, written down as asciicast version 2 (<https://docs.asciinema.org/manual/asciicast/v2/>): a line
//! of JSON that says what it is, then one for each piece. What is typed is not recorded: passwords are typed.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt as _,
    time::Instant,
};

use crate::{
    Error, ErrorKind, Result,
    fleet::CUT,
    model::{Terminal, TerminalSize},
    transport::pty::TERM,
};

/// As much as one recording takes. A day of work is a few MiB; a flood is cut.
pub(super) const LARGEST: u64 = 64 * 1024 * 1024;

/// As much as waits to be written.
const WAITING: usize = 32 * 1024;

/// A recording that goes on.
#[derive(Debug)]
pub(super) struct Recorder {
    file: File,
    begun: Instant,
    waiting: Vec<u8>,
    written: u64,
    /// The beginning of a letter whose rest has not come.
    half: Vec<u8>,
    /// As much as it takes.
    most: u64,
    full: bool,
}

impl Recorder {
    /// Begins the recording of a terminal in a new file that nobody else may read.
    pub(super) async fn begin(path: &Path, of: &Terminal) -> Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path).await.map_err(failed)?;
        let head = head(of, of.opened_at);
        let (begun, waiting) = (Instant::now(), format!("{head}\n").into_bytes());
        let mut recorder = Self { file, begun, waiting, written: 0, half: Vec::new(), most: LARGEST, full: false };
        recorder.flush().await?;
        Ok(recorder)
    }

    /// One whose disk is full.
    #[cfg(test)]
    pub(super) async fn without_room() -> std::io::Result<Self> {
        let file = OpenOptions::new().write(true).open("/dev/full").await?;
        let (begun, waiting) = (Instant::now(), b"x".to_vec());
        Ok(Self { file, begun, waiting, written: 0, half: Vec::new(), most: LARGEST, full: false })
    }

    /// The same that takes less.
    #[cfg(test)]
    pub(super) fn of_at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// Whether it took all that it may: what is shown from then on is not in it.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Writes down what was shown.
    pub(super) async fn shown(&mut self, bytes: &[u8]) -> Result<()> {
        self.half.extend_from_slice(bytes);
        let whole = whole_letters(&self.half);
        let text = String::from_utf8_lossy(&self.half[..whole]).into_owned();
        self.half.drain(..whole);
        if text.is_empty() { Ok(()) } else { self.line("o", &text).await }
    }

    /// Writes down that the terminal has another size.
    pub(super) async fn resized(&mut self, size: TerminalSize) -> Result<()> {
        self.line("r", &size.to_string()).await
    }

    /// Brings what waits to the disk.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            self.file.write_all(&self.waiting).await.map_err(failed)?;
            self.file.flush().await.map_err(failed)?;
            self.written += self.waiting.len() as u64;
            self.waiting.clear();
        }
        Ok(())
    }

    async fn line(&mut self, kind: &str, text: &str) -> Result<()> {
        if self.full {
            return Ok(());
        }
        let at = self.begun.elapsed().as_secs_f64();
        let line = json!([at, kind, text]).to_string();
        if self.written + (self.waiting.len() + line.len()) as u64 > self.most {
            self.full = true;
            self.waiting.extend_from_slice(json!([at, "m", CUT]).to_string().as_bytes());
        } else {
            self.waiting.extend_from_slice(line.as_bytes());
        }
        self.waiting.push(b'\n');
        if self.waiting.len() >= WAITING { self.flush().await } else { Ok(()) }
    }
}

/// The first line. Players pass over what they do not know; ours says there whose it is.
fn head(of: &Terminal, at: Timestamp) -> serde_json::Value {
    json!({
        "version": 2, "width": of.size.cols, "height": of.size.rows, "timestamp": at.as_second(),
        "title": of.name, "env": {"TERM": TERM},
        "reanimator": {"machine": of.machine, "name": of.name, "who": of.who, "from": of.from},
    })
}

/// How many of the bytes are whole letters: what is no letter at all counts as whole.
fn whole_letters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    for (index, byte) in bytes.iter().enumerate().skip(tail) {
        let wants = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        if index + wants > bytes.len() {
            return index;
        }
    }
    bytes.len()
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "record the terminal")
        .because(error.to_string())
        .next("check that the data directory can be written and has room, or open it without a recording")
        .from_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_not_cut() {
        let text = "grün €😀";
        for cut in 0..=text.len() {
            let whole = whole_letters(&text.as_bytes()[..cut]);
            assert!(text.is_char_boundary(whole) && cut - whole < 4, "{cut}: {whole}");
            assert_eq!(whole == cut, text.is_char_boundary(cut), "{cut}");
        }
        assert_eq!(whole_letters(b"\xff\xff"), 2);
        assert_eq!(whole_letters(b"a\x80"), 2);
    }
}
