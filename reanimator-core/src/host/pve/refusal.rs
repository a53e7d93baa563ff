//! What Proxmox means by its statuses and its words.
//!
//! Source: pveproxy and the handlers of Proxmox VE 9.1. The words stand in the reason phrase, and for errors of handlers
//! also in the body's `message`; parameter errors are in `errors`. pveproxy forwards to the node that a path names;
//! when that fails it answers 595 and above.

use serde_json::Value;

use crate::{
    Error, ErrorKind, Result,
    collect::pve::lenient::Fields,
    transport::http::{Answer, Request, excerpt},
};

/// How much of the far side's words is kept.
const WORDS_LIMIT: usize = 500;

/// The `data` of an answer, or what the refusal means.
pub(super) fn data(request: &Request, answer: &Answer) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        return Err(refusal(request, answer));
    }
    match answer.json(format!("ask {request}"))? {
        Value::Object(mut fields) if fields.contains_key("data") => Ok(fields.remove("data").unwrap_or_default()),
        _ => Err(Error::new(ErrorKind::Protocol, format!("ask {request}"))
            .on(&answer.endpoint)
            .because(format!("the answer has no data: {}", excerpt(&answer.body)))
            .next("check that the address is that of a Proxmox VE API")),
    }
}

/// What the far side says of its refusal, in one bounded line.
pub(super) fn words(answer: &Answer) -> String {
    let message = serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|body| Fields::of(&body).and_then(|fields| fields.text("message")));
    let said = match message {
        Some(message) => message,
        None if !answer.reason.is_empty() => answer.reason.clone(),
        None if !answer.body.is_empty() => format!("status {}: {}", answer.status, excerpt(&answer.body)),
        None => format!("status {}", answer.status),
    };
    one_line(&said)
}

/// Words of the far side in one line, bounded and without control characters.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(WORDS_LIMIT).collect()
}

/// What a refusal means.
pub(super) fn refusal(request: &Request, answer: &Answer) -> Error {
    let words = words(answer);
    let attempt = format!("ask {request}");
    let node = request.node();
    let error = |kind| Error::new(kind, attempt.clone());
    let refused = match answer.status {
        400 => error(ErrorKind::Invalid).because(parameters(answer).unwrap_or(words)),
        401 => error(ErrorKind::AuthFailed).because(words).next("check the credentials"),
        403 => denied(error(ErrorKind::Denied), &words),
        404 => error(ErrorKind::NotFound).because(words),
        424 => error(ErrorKind::Conflict).because(words),
        429 => error(ErrorKind::RateLimited).because(words),
        501 => error(ErrorKind::NotFound)
            .because(format!("this Proxmox does not know it: {words}"))
            .next("check its version"),
        502..=504 => error(ErrorKind::Unreachable).because(words).next("look at what stands before the API"),
        595..=599 => {
            let who = node.unwrap_or(&answer.endpoint).to_owned();
            return error(ErrorKind::Unreachable)
                .on(who)
                .because(format!("the cluster cannot reach the node: {words} (status {})", answer.status))
                .next("check that the node is up and pveproxy runs there; the rest of the cluster is not concerned");
        }
        _ => by_words(attempt, &words),
    };
    refused.on(&answer.endpoint)
}

/// What a handler's own words mean: Proxmox answers 500 for whatever went wrong.
pub(super) fn by_words(attempt: String, words: &str) -> Error {
    let says = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    let error = |kind| Error::new(kind, attempt.clone()).because(words);
    if says(&["Permission check failed"]) {
        return denied(error(ErrorKind::Denied), words);
    }
    if says(&["does not exist", "no such ", "hostname lookup"]) {
        return error(ErrorKind::NotFound).next("check the name; it may have been moved or removed");
    }
    if says(&["no quorum", "not quorate"]) {
        return error(ErrorKind::Conflict)
            .because(format!("the cluster has no quorum, so nothing can be changed: {words}"))
            .next("bring back enough nodes");
    }
    if says(&["is locked", "can't lock", "can't aquire lock", "can't acquire lock", "got timeout"]) {
        return error(ErrorKind::Busy).next("wait until the other work there is done");
    }
    if says(&["Parameter verification failed", "unable to parse", "invalid format"]) {
        return error(ErrorKind::Invalid);
    }
    if says(&["No route to host", "Connection refused", "Connection timed out"]) {
        return error(ErrorKind::Unreachable);
    }
    error(ErrorKind::Conflict)
}

/// `Permission check failed (/vms/100, VM.Audit)` names what is missing.
fn denied(error: Error, words: &str) -> Error {
    let missing = words
        .split_once("Permission check failed (")
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(inside, _)| inside.split_once(','));
    match missing {
        Some((path, privilege)) => {
            let (path, privilege) = (path.trim(), privilege.trim());
            error.because(format!("the login lacks {privilege} on {path}")).next(format!(
                "give it a role with {privilege} on {path}; a token with privilege separation needs it beside its user"
            ))
        }
        None => error.because(words).next("give the login a role that allows it"),
    }
}

/// Each wrong parameter with what is wrong about it.
fn parameters(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let wrong: Vec<String> = Fields::of(&body)?
        .object("errors")?
        .iter()
        .filter_map(|(name, text)| Some(format!("{name}: {}", one_line(text.as_str()?))))
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("; ").chars().take(WORDS_LIMIT).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;

    use super::*;

    fn refused(status: u16, reason: &str, body: &str) -> Error {
        let answer = Answer {
            status,
            reason: reason.to_owned(),
            body: Bytes::from(body.to_owned()),
            endpoint: "pve1:8006".to_owned(),
        };
        data(&Request::get(["nodes", "pve3", "qemu", "100", "config"]), &answer).unwrap_err()
    }

    #[test]
    fn a_missing_privilege_is_named() {
        let reason = "Permission check failed (/vms/100, VM.Audit)";
        let error = refused(403, reason, &format!(r#"{{"data":null,"message":"{reason}\n"}}"#));
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().ends_with("the login lacks VM.Audit on /vms/100"), "{error}");
    }

    #[test]
    fn wrong_parameters_are_named_one_by_one() {
        let body = r#"{"errors":{"vmid":"type check ('integer') failed - got 'abc'","memory":"invalid format - format error\nmemory.current: x\n"},"data":null,"message":"Parameter verification failed.\n"}"#;
        let error = refused(400, "Parameter verification failed.", body);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for part in ["vmid: type check", "memory: invalid format - format error memory.current: x"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn a_node_that_is_down_is_the_nodes_trouble() {
        for (status, reason) in [
            (595, "No route to host"),
            (596, "Connection timed out"),
            (597, ""),
            (598, ""),
            (599, "Too many redirections"),
        ] {
            let error = refused(status, reason, "");
            assert_eq!((error.kind(), error.subject()), (ErrorKind::Unreachable, Some("pve3")));
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn what_a_handler_says_decides_what_it_means() {
        use ErrorKind::*;
        for (words, kind) in [
            ("Configuration file 'nodes/pve1/qemu-server/555.conf' does not exist", NotFound),
            ("hostname lookup 'nosuch' failed - failed to get address info for: nosuch", NotFound),
            ("create group failed: cfs-lock 'file-user_cfg' error: no quorum!", Conflict),
            ("unable to create VM 100 - VM 100 already exists on node 'pve1'", Conflict),
            ("CT 101 already running", Conflict),
            ("checksum mismatch (file change by other user?)", Conflict),
            ("VM is locked (backup)", Busy),
            ("can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", Busy),
            ("QEMU guest agent is not running", Conflict),
        ] {
            assert_eq!(refused(500, words, "").kind(), kind, "{words}");
        }
        let unknown = refused(501, "Method 'GET /nope' not implemented", "");
        assert_eq!(unknown.kind(), NotFound);
        assert!(unknown.to_string().contains("does not know"), "{unknown}");
        assert_eq!(refused(502, "", "<html>Bad Gateway").kind(), Unreachable);
    }

    #[test]
    fn an_answer_without_data_is_no_answer() {
        for body in ["[]", "{}", "7", "null", "<html>", ""] {
            assert_eq!(refused(200, "", body).kind(), ErrorKind::Protocol, "{body}");
        }
    }
}
