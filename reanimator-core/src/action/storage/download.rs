//! A file that a node fetches by itself.

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;

use super::{
    super::{
        Check, Effect, Said,
        guest::{said, task},
    },
    shelf::Shelf,
};
use crate::{Error, ErrorKind, Result, model::Action, transport::http::Request};

/// Tasks of a node that are looked through.
const LOOKED_THROUGH: u32 = 50;

/// Having a node fetch a file.
pub(super) struct DownloadEffect {
    at: Shelf,
    url: String,
    sha256: Option<String>,
}

impl DownloadEffect {
    pub(super) fn new(at: Shelf, url: String, sha256: Option<String>) -> Self {
        Self { at, url, sha256 }
    }

    fn request(&self) -> Request {
        let request = Request::post(self.at.path("download-url"))
            .param("url", self.url.as_str())
            .param("content", self.at.content.as_str())
            .param("filename", self.at.name.as_str())
            .param("verify-certificates", "1");
        match &self.sha256 {
            Some(sum) => request.param("checksum", sum.to_ascii_lowercase()).param("checksum-algorithm", "sha256"),
            None => request,
        }
    }

    /// Downloads of the node, the newest first: their ids, and the names of their files.
    async fn tasks(&self) -> Result<Vec<(String, String)>> {
        let request = Request::get(["nodes", &self.at.node, "tasks"])
            .param("typefilter", "download")
            .param("source", "all")
            .param("limit", LOOKED_THROUGH.to_string());
        let data = self.at.api.call(request).await?;
        let text = |row: &Value, name: &str| Some(row.get(name)?.as_str()?.to_owned());
        let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut tasks: Vec<(i64, String, String)> = rows
            .iter()
            .filter_map(|row| Some((row.get("starttime")?.as_i64()?, text(row, "upid")?, text(row, "id")?)))
            .collect();
        tasks.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
        Ok(tasks.into_iter().map(|(_, upid, id)| (upid, id)).collect())
    }
}

/// Why a node cannot fetch that; none where it can.
fn fault(url: &str, sha256: Option<&str>) -> Option<String> {
    let read = Url::parse(url).ok().filter(|read| matches!(read.scheme(), "http" | "https") && read.has_host());
    let Some(read) = read else { return Some(format!("{url:?} is no address of http or https")) };
    if !read.username().is_empty() || read.password().is_some() {
        return Some("a name or password in the address would stand in the node's log: leave it out".to_owned());
    }
    let is_sum = |sum: &str| sum.len() == 64 && sum.chars().all(|c| c.is_ascii_hexdigit());
    sha256.filter(|sum| !is_sum(sum)).map(|sum| format!("{sum:?} is no SHA-256: it has 64 hexadecimal digits"))
}

#[async_trait]
impl Effect for DownloadEffect {
    async fn check(&self) -> Result<Check> {
        if let Some(fault) = fault(&self.url, self.sha256.as_deref()) {
            return Ok(Check::Refused(vec![fault]));
        }
        if let Some(fault) = self.at.fault(None).await? {
            return Ok(Check::Refused(vec![fault]));
        }
        // With a sum the node itself compares what is there.
        if let Some(size) = self.at.size().await?.filter(|_| self.sha256.is_none()) {
            return Ok(Check::Already(format!("{} is there already, {size} bytes", self.at.volume())));
        }
        let newest = self.tasks().await?.into_iter().next().map(|(upid, _)| upid);
        Ok(Check::Ready { before: json!({ "newest_task": newest }), calls: vec![said(&self.request())] })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        let data = self.at.api.call(self.request()).await?;
        data.as_str().map(str::to_owned).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, format!("download {}", self.at.name))
                .because(format!("the answer is no task: {data}"))
        })
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let newest = before.get("newest_task").and_then(Value::as_str);
        let tasks = self.tasks().await?;
        let later = tasks.into_iter().take_while(|(upid, _)| Some(upid.as_str()) != newest);
        Ok(later.filter(|(_, file)| *file == self.at.name).last().map(|(upid, _)| upid))
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.at.api.as_ref(), handle, said).await
    }

    async fn abort(&self, handle: &str) -> Result<bool> {
        task::stop(self.at.api.as_ref(), handle).await
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        self.at.confirm(None).await
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_without_secrets_is_fetched() {
        assert_eq!(fault("https://deb.example/a.iso", Some(&"0a".repeat(32))), None);
        for (url, sum) in [
            ("ftp://deb.example/a.iso", None),
            ("/etc/passwd", None),
            ("https://", None),
            ("https://ada:secret@deb.example/a.iso", None),
            ("https://deb.example/a.iso", Some("0a")),
        ] {
            assert!(fault(url, sum).is_some(), "{url}");
        }
    }
}
