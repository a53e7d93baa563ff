//! Names and commands full of what shells, terminals and parsers trip over.

use futures::StreamExt;
use reanimator_core::{
    ErrorKind,
    fleet::{ExecRequest, NewHost, Selector},
    model::HostState,
    report,
};

use super::{
    Ward,
    support::{other_machine, ssh_host},
};

/// Names that people give and that may be given.
const NAMES: [&str; 8] =
    ["it's", "\"quoted\"", "$(touch${IFS}pwned)", "`id`", "größe-日本-🦀", "-rf", "a;reboot", "back\\slash%s{}"];

/// Names that no list could show and no selector could name again.
const NO_NAMES: [&str; 6] = ["two words", "two\nlines", "tab\there", "\u{1b}[31mred", "nul\0", ""];

/// Commands, and what they say.
const COMMANDS: [(&str, &str); 8] = [
    ("printf %s \"it's\"", "it's"),
    ("printf '%s' '\"$(id)\" `id` \\n'", "\"$(id)\" `id` \\n"),
    ("printf '%s\\n' one\nprintf '%s\\n' two", "one\ntwo\n"),
    ("printf %s \"$((6 * 7)) $(printf 'nested \"%s\"' \"q'q\")\"", "42 nested \"q'q\""),
    ("cat <<'END'\n!$'\"\\ \t%s{}*?[]~#\nEND", "!$'\"\\ \t%s{}*?[]~#\n"),
    ("printf %s größe-日本-🦀", "größe-日本-🦀"),
    ("printf '%s|' ' spaces  kept ' '' end # not a comment; true", " spaces  kept ||end|"),
    ("printf %s -n; # a comment", "-n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn commands_arrive_as_they_are_whatever_the_way() {
    let (ward, sshd) = (Ward::open().await, other_machine(""));
    ward.fleet.add_host(ssh_host("it's-$(web)-ü", &sshd)).await.unwrap();
    for (command, says) in COMMANDS {
        let answers = ward.fleet.exec(ExecRequest::new(command, Selector::all())).await.unwrap();
        let answers: Vec<_> = answers.collect().await;
        assert_eq!(answers.len(), 2);
        for answer in answers {
            let output = answer.outcome.unwrap();
            // The spoiling login ends every line.
            let said = output.stdout.text();
            assert_eq!(said.trim_end_matches('\n'), says.trim_end_matches('\n'), "{command:?} on {}", answer.host);
            assert_eq!(output.stderr.text(), "", "{command:?} on {}", answer.host);
        }
    }
    let error = match ward.fleet.exec(ExecRequest::new("true \0 false", Selector::all())).await {
        Ok(_) => panic!("a command with a NUL is refused"),
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::Invalid, "{}", report(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_any_letters_are_kept_and_selected() {
    let (ward, sshd) = (Ward::open().await, other_machine(""));
    // One that answers, under each name in turn, and one each that does not.
    let id = ward.fleet.add_host(ssh_host("web1", &sshd)).await.unwrap().id;
    for name in NAMES {
        let change = reanimator_core::fleet::HostEdit { name: Some(name.to_owned()), ..Default::default() };
        ward.fleet.update_host(id.as_str(), change).await.unwrap();
        let seen = ward.look(name).await.unwrap().host;
        assert_eq!((seen.name.as_str(), seen.state), (name, HostState::Online));
        let selected = ward.fleet.select(&Selector::name(name)).await.unwrap();
        assert_eq!(selected.len(), 1, "{name}");
        assert_eq!(selected[0].id, id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_addresses_that_nobody_could_use_are_refused() {
    let ward = Ward::open().await;
    let refused = async |new: NewHost, what: &str| {
        let error = ward.fleet.add_host(new).await.unwrap_err();
        let text = report(&error);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{what:?}: {text}");
        assert!(text.contains(&format!("{what:?}")[1..]) || what.is_empty(), "{what:?} is named: {text}");
        assert!(text.contains("Next: ") && !text.contains(['\n', '\u{1b}', '\0']), "{what:?}: {text:?}");
    };
    for name in NO_NAMES {
        let mut new = NewHost::new("127.0.0.1");
        (new.name, new.unchecked) = (Some(name.to_owned()), true);
        refused(new, name).await;
    }
    for address in ["-oProxyCommand=id", "a b", "a\nb", "$(id) x", ""] {
        let mut new = NewHost::new(address);
        (new.name, new.unchecked) = (Some("web1".to_owned()), true);
        refused(new, "").await;
    }
    for user in ["-l", "root\nroot", "a b"] {
        let mut new = NewHost::new("127.0.0.1");
        (new.user, new.name, new.unchecked) = (user.to_owned(), Some("web1".to_owned()), true);
        refused(new, "").await;
    }
    assert_eq!(ward.fleet.status().await.unwrap().hosts.len(), 1);
    // An address is data, never a command: this one is looked up as a name, and does not resolve.
    let mut new = NewHost::new("$(touch${IFS}pwned).invalid");
    (new.name, new.unchecked, new.auth.agent) = (Some("web1".to_owned()), true, false);
    new.auth.password = Some("open sesame".to_owned().into());
    ward.fleet.add_host(new).await.unwrap();
    ward.suffers("web1", ErrorKind::Unreachable, &["$(touch${IFS}pwned).invalid"]).await;
    assert!(!ward.directory.path().join("pwned").exists() && !std::path::Path::new("pwned").exists());
}
