//! ntfy: a JSON document to the root of its server, as its documentation under "Publish as JSON" says.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;

use super::{
    Message, Secrets,
    http::{Post, join},
    message::cut,
};
use crate::{
    Error, ErrorKind, Result,
    model::{NoticeLevel, NotifyTarget, NotifyWay},
};

/// What is longer than 4,096 bytes becomes an attachment there.
const LONGEST_MESSAGE: usize = 4_000;
/// The longest title, in bytes.
const LONGEST_TITLE: usize = 250;

/// The document as it is posted.
pub(super) fn request(target: &NotifyTarget, secrets: &Secrets, message: &Message) -> Result<Post> {
    let NotifyWay::Ntfy { server, topic, user } = &target.way else {
        return Err(Error::new(ErrorKind::Internal, "build a message for ntfy").on(&*target.name));
    };
    let (priority, tag) = match message.level {
        NoticeLevel::Critical => (5, "rotating_light"),
        NoticeLevel::Warning => (4, "warning"),
        NoticeLevel::Notice => (3, "information_source"),
        NoticeLevel::Ok => (3, "white_check_mark"),
    };
    let mut document = json!({
        "topic": topic,
        "title": cut(message.title.clone(), LONGEST_TITLE),
        "message": cut(message.body().to_owned(), LONGEST_MESSAGE),
        "priority": priority,
        "tags": [tag],
    });
    if let Some(url) = message.url() {
        document["click"] = url.into();
    }
    let post = Post::new(join(server, &[])?, &document);
    match (user, secrets.get("token")) {
        (Some(user), _) => {
            let login = BASE64.encode(format!("{user}:{}", secrets.need("password", target)?));
            post.with_secret("authorization", &format!("Basic {login}"))
        }
        (None, Some(token)) => post.with_secret("authorization", &format!("Bearer {token}")),
        (None, None) => Ok(post),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::notify::message::tests::message;

    fn target(user: Option<&str>) -> NotifyTarget {
        let way = json!({ "kind": "ntfy", "server": "https://ntfy.example.org", "topic": "fleet", "user": user });
        serde_json::from_value(json!({ "name": "phone", "way": way })).unwrap()
    }

    #[test]
    fn it_is_what_ntfy_documents() {
        let post = request(&target(None), &Secrets::default(), &message()).unwrap();
        assert_eq!(post.url.as_str(), "https://ntfy.example.org/");
        let document: serde_json::Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(document["topic"], "fleet");
        assert_eq!(document["title"], "Größe: pve1 does not answer");
        assert_eq!((document["priority"].as_i64(), document["tags"][0].as_str()), (Some(5), Some("rotating_light")));
        assert_eq!(document["click"], "https://fleet.example.org/hosts/h1");
        assert!(post.headers.is_empty());
    }

    #[test]
    fn it_logs_in_by_token_or_password() {
        let secret = |name: &str| Secrets::new([(name.to_owned(), "s3cret".into())]);
        let header = |post: Post| post.headers["authorization"].to_str().unwrap().to_owned();
        let by_token = request(&target(None), &secret("token"), &message()).unwrap();
        assert_eq!(header(by_token), "Bearer s3cret");
        let by_password = request(&target(Some("ada")), &secret("password"), &message()).unwrap();
        assert_eq!(header(by_password), "Basic YWRhOnMzY3JldA==");
        assert_eq!(request(&target(Some("ada")), &secret("token"), &message()).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
