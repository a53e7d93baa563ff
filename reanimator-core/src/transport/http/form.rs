//! A file on its way to an API, as a form (`multipart/form-data`): straight from the disk, whatever its size.
//!
//! The form is written as pveproxy reads it, which takes parts in one order only: the parameters first, then the file, whose
//! part names its kind. Its length is told before, as pveproxy takes no other.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::{fs::File, io::AsyncReadExt as _};
use tokio_util::io::ReaderStream;

use super::request::Value;

/// What is read from the disk at once.
const PIECE: usize = 64 * 1024;

/// A file that goes with a request.
#[derive(Clone, Debug)]
pub struct FormFile {
    /// The name of its part.
    pub field: String,
    /// What it is called there: letters, digits and `. _ - +`.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// How long it is. What is longer on the disk is not sent.
    pub size: u64,
    /// How much of it was sent so far, for whoever wants to know.
    pub sent: Arc<AtomicU64>,
}

/// A form with its length.
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) length: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    file: FormFile,
}

impl Form {
    /// A form of parameters and a file.
    pub(super) fn new(params: &[(String, Value)], file: &FormFile) -> Self {
        let boundary = format!("reanimator-{}", uuid::Uuid::new_v4().simple());
        let mut head = String::new();
        for (name, value) in params {
            let value = value.expose();
            head.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        let FormFile { field, name, .. } = file;
        head.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        ));
        let tail = format!("\r\n--{boundary}--\r\n");
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            length: head.len() as u64 + file.size + tail.len() as u64,
            head: head.into_bytes(),
            tail: tail.into_bytes(),
            file: file.clone(),
        }
    }

    /// Its bytes, as they are read from the disk.
    pub(super) async fn into_stream(self) -> std::io::Result<impl Stream<Item = std::io::Result<Bytes>> + Send> {
        let file = File::open(&self.file.path).await?;
        let sent = self.file.sent;
        sent.store(0, Ordering::Relaxed);
        let pieces = ReaderStream::with_capacity(file.take(self.file.size), PIECE);
        let counted = pieces.inspect_ok(move |piece| {
            sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
        let once = |bytes: Vec<u8>| stream::once(std::future::ready(Ok(Bytes::from(bytes))));
        Ok(once(self.head).chain(counted).chain(once(self.tail)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_form_is_as_long_as_it_says_and_names_the_files_kind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, "0123456789 and what is not sent").unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let file = FormFile { field: "filename".into(), name: "a.iso".into(), path, size: 10, sent: sent.clone() };
        let form = Form::new(&[("content".into(), Value::Plain("iso".into()))], &file);
        let (kind, length) = (form.content_type.clone(), form.length);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        let bytes: Vec<Bytes> = form.into_stream().await.unwrap().try_collect().await.unwrap();
        let text = String::from_utf8(bytes.concat()).unwrap();
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\niso\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"a.iso\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n0123456789\r\n--{boundary}--\r\n"
            )
        );
        assert_eq!((length, sent.load(Ordering::Relaxed)), (text.len() as u64, 10));
    }
}
