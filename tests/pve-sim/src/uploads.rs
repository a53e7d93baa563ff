//! Files that come in as a form, read as pveproxy reads them: parts in one
//! order only, each with its headers in the order that it expects, and the
//! length told before. What is in a file is not kept: its size and sum are.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::params::Params;
use crate::refusal::Refusal;

/// What may stand before the file.
const LONGEST_HEAD: usize = 64 << 10;

/// A file that came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// Whether a request brings a file.
pub(crate) fn is_upload(method: &str, path: &str) -> bool {
    method == "POST" && path.trim_end_matches('/').ends_with("/upload") && path.starts_with("/nodes/")
}

/// Reads a form to its end.
///
/// # Errors
/// Where pveproxy would not read it: as status 501.
pub(crate) async fn receive(headers: &HeaderMap, mut body: Incoming) -> Result<(Params, Received), Refusal> {
    let broken = |text: &str| Refusal::bare(501, text.to_owned());
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(TRANSFER_ENCODING).eq_ignore_ascii_case("chunked") {
        return Err(broken("chunked transfer encoding not supported"));
    }
    let kind = text(CONTENT_TYPE);
    let boundary = kind
        .split([';', ','])
        .find_map(|part| part.trim().strip_prefix("boundary="))
        .filter(|_| kind.starts_with("multipart/form-data"));
    let Some(boundary) = boundary else {
        return Err(broken(&format!("upload 'Content-Type '{kind}' not implemented")));
    };
    if text(CONTENT_LENGTH).parse::<u64>().is_err() {
        return Err(broken("upload without content length header not supported"));
    }
    let mut buffer = Vec::new();
    let params = loop {
        if let Some((params, rest)) = head(&buffer, boundary)? {
            buffer = rest;
            break params;
        }
        if buffer.len() > LONGEST_HEAD {
            return Err(broken("upload failed"));
        }
        match next(&mut body).await? {
            Some(bytes) => buffer.extend_from_slice(&bytes),
            None => return Err(broken("upload failed")),
        }
    };
    Ok((params, file(buffer, boundary, body).await?))
}

/// The next bytes; none at the end.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(Refusal::bare(501, format!("upload failed: {error}"))),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// The parameters, and what has come of the file, once its part has begun.
fn head(buffer: &[u8], boundary: &str) -> Result<Option<(Params, Vec<u8>)>, Refusal> {
    let delimiter = format!("--{boundary}\r\n");
    let text = String::from_utf8_lossy(buffer);
    let Some(file_at) = text.find("; filename=\"") else { return Ok(None) };
    let Some(part_at) = text[..file_at].rfind(&delimiter) else { return Ok(None) };
    let Some(data_at) = text[file_at..].find("\r\n\r\n").map(|at| file_at + at + 4) else { return Ok(None) };
    let mut params = Params::default();
    // One after the other, and each where the one before has ended.
    let mut left = text[..part_at].trim_start();
    for name in ["content", "checksum-algorithm", "checksum"] {
        let start = format!("{delimiter}Content-Disposition: form-data; name=\"{name}\"");
        if let Some(part) = left.strip_prefix(start.as_str()) {
            let (_, value) = part.split_once("\r\n\r\n").ok_or_else(|| Refusal::bare(501, "upload failed"))?;
            let end = value.find(&delimiter).unwrap_or(value.len());
            params.set(name, Value::String(value[..end].trim().to_owned()));
            left = &value[end..];
        }
    }
    let line = text[part_at + delimiter.len()..].lines().next().unwrap_or_default();
    let name = line
        .strip_prefix("Content-Disposition: form-data; name=\"filename\"; filename=\"")
        .and_then(|rest| rest.strip_suffix('"'));
    let (Some(name), true) = (name, left.is_empty()) else {
        return Err(Refusal::bare(501, "upload failed"));
    };
    // Without another header the first empty line in the data would be taken for the end of the headers.
    let headers = &text[part_at + delimiter.len()..data_at];
    if headers.lines().filter(|line| !line.is_empty()).count() < 2 {
        return Err(Refusal::bare(501, "upload failed"));
    }
    params.set("filename", Value::String(name.trim().to_owned()));
    // The head is text: as many bytes as letters of it.
    let at = buffer.windows(4).enumerate().filter(|(_, window)| *window == b"\r\n\r\n").map(|(at, _)| at + 4);
    let rest = at.into_iter().find(|at| *at >= data_at).unwrap_or(buffer.len());
    Ok(Some((params, buffer[rest..].to_vec())))
}

/// The file's size and sum, read up to the form's end.
async fn file(mut buffer: Vec<u8>, boundary: &str, mut body: Incoming) -> Result<Received, Refusal> {
    let end = format!("\r\n--{boundary}--");
    let (mut hasher, mut size) = (Sha256::new(), 0);
    loop {
        if let Some(at) = buffer.windows(end.len()).position(|window| window == end.as_bytes()) {
            hasher.update(&buffer[..at]);
            size += at as u64;
            let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            while next(&mut body).await?.is_some() {}
            return Ok(Received { size, sha256 });
        }
        let sure = buffer.len().saturating_sub(end.len());
        hasher.update(&buffer[..sure]);
        size += sure as u64;
        buffer.drain(..sure);
        match next(&mut body).await? {
            Some(bytes) => buffer.extend_from_slice(&bytes),
            None => return Err(Refusal::bare(501, "upload failed")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn form(parts: &[&str]) -> String {
        parts.iter().map(|part| format!("--b\r\nContent-Disposition: form-data; {part}\r\n")).collect()
    }

    const FILE: &str = "name=\"filename\"; filename=\"a.iso\"\r\nContent-Type: x/y\r\n\r\ndata";

    #[test]
    fn parts_come_in_one_order_only() {
        let content = "name=\"content\"\r\n\r\niso";
        let (algorithm, sum) = ("name=\"checksum-algorithm\"\r\n\r\nsha256", "name=\"checksum\"\r\n\r\nab");
        let (params, rest) = head(form(&[content, algorithm, sum, FILE]).as_bytes(), "b").unwrap().unwrap();
        assert_eq!((params.string("content"), params.string("checksum")), ("iso".into(), "ab".into()));
        assert_eq!((params.string("filename"), rest.as_slice()), ("a.iso".into(), b"data\r\n".as_slice()));
        assert!(head(form(&[content, sum, algorithm, FILE]).as_bytes(), "b").is_err(), "the sum before its kind");
        let other = FILE.replace("name=\"filename\"", "name=\"file\"");
        assert!(head(form(&[content, &other]).as_bytes(), "b").is_err(), "another field");
        let bare = FILE.replace("Content-Type: x/y\r\n", "");
        assert!(head(form(&[content, &bare]).as_bytes(), "b").is_err(), "no kind of the file");
        assert!(head(form(&[content]).as_bytes(), "b").unwrap().is_none());
    }
}
