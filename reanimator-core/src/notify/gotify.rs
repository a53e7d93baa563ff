//! Gotify: `POST /message` with an application's token, as its API documentation says.

use serde_json::json;

use super::{
    Message, Secrets,
    http::{Post, join},
};
use crate::{
    Error, ErrorKind, Result,
    model::{NoticeLevel, NotifyTarget, NotifyWay},
};

/// The document as it is posted.
pub(super) fn request(target: &NotifyTarget, secrets: &Secrets, message: &Message) -> Result<Post> {
    let NotifyWay::Gotify { server } = &target.way else {
        return Err(Error::new(ErrorKind::Internal, "build a message for Gotify").on(&*target.name));
    };
    // Its app makes a sound from 4 on, and pops up from 8 on.
    let priority = match message.level {
        NoticeLevel::Critical => 8,
        NoticeLevel::Warning => 5,
        NoticeLevel::Notice => 3,
        NoticeLevel::Ok => 2,
    };
    let mut document = json!({ "title": message.title, "message": message.body(), "priority": priority });
    if let Some(url) = message.url() {
        document["extras"] = json!({ "client::notification": { "click": { "url": url } } });
    }
    Post::new(join(server, &["message"])?, &document).with_secret("x-gotify-key", secrets.need("token", target)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::notify::message::tests::message;

    #[test]
    fn it_is_what_gotify_documents() {
        let target: NotifyTarget = serde_json::from_value(json!({
            "name": "desk", "way": { "kind": "gotify", "server": "https://gotify.example.org/base/" },
        }))
        .unwrap();
        let secrets = Secrets::new([("token".to_owned(), "AbCdEf".into())]);
        let post = request(&target, &secrets, &message()).unwrap();
        assert_eq!(post.url.as_str(), "https://gotify.example.org/base/message");
        assert_eq!(post.headers["x-gotify-key"], "AbCdEf");
        let document: serde_json::Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(
            (document["priority"].as_i64(), document["title"].as_str()),
            (Some(8), Some("Größe: pve1 does not answer"))
        );
        assert_eq!(document["extras"]["client::notification"]["click"]["url"], "https://fleet.example.org/hosts/h1");
        assert_eq!(request(&target, &Secrets::default(), &message()).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
