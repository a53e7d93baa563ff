//! What bad input gets, as whoever uses a [`Fleet`] meets it: an error that names the host, what was being done, the
//! cause and what to do next; and no harm to any other host. Each test puts one troubled host beside this machine.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod output;
mod proxmox;
mod reach;
mod store;
#[path = "../support/mod.rs"]
mod support;
mod words;

use std::time::{Duration, Instant};

use futures::StreamExt;
use reanimator_core::{
    Error, ErrorKind, Fleet, FleetOptions, Result,
    fleet::{ExecRequest, HostDetail, NewHost, Selector},
    model::{HostState, HostView},
    report,
};
use tempfile::TempDir;

/// A host that is well has answered by then, also on a busy machine.
const WELL: Duration = Duration::from_secs(8);

/// A fleet of this machine and whoever is in trouble.
struct Ward {
    fleet: Fleet,
    /// This machine's name.
    own: String,
    directory: TempDir,
}

impl Ward {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = FleetOptions::new(directory.path().join("data"));
        // Nothing of the person who runs the tests gets in.
        options.home = Some(directory.path().to_owned());
        let fleet = Fleet::open(options).await.unwrap();
        let own = fleet.status().await.unwrap().hosts.remove(0).name;
        Self { fleet, own, directory }
    }

    /// Looks at a host, and at this machine meanwhile: that must be well.
    async fn look(&self, name: &str) -> Result<HostDetail> {
        let began = Instant::now();
        let own = async {
            let seen = self.fleet.observe(&self.own).await;
            (seen, began.elapsed())
        };
        let (looked, (seen, took)) = tokio::join!(self.fleet.observe(name), own);
        let seen = seen.expect("this machine answers all the same").host;
        assert_eq!(seen.state, HostState::Online);
        assert!(seen.memory.is_some() && seen.problem.is_none(), "{seen:?}");
        assert!(took < WELL, "this machine had to wait {took:?}");
        looked
    }

    /// A host as the status shows it.
    async fn shown(&self, name: &str) -> HostView {
        let hosts = self.fleet.status().await.unwrap().hosts;
        hosts.into_iter().find(|host| host.name == name).unwrap_or_else(|| panic!("no host {name}"))
    }

    /// Adding the host is refused and leaves nothing behind; once it is in the fleet all the same, every way to ask it
    /// says what is wrong, and this machine answers.
    async fn refuses(&self, mut new: NewHost, kind: ErrorKind, words: &[&str]) {
        let name = new.name.clone().unwrap();
        let error = self.fleet.add_host(new.clone()).await.unwrap_err();
        complains(&error, kind, &name, words);
        assert_eq!(
            self.fleet.status().await.unwrap().hosts.len(),
            1,
            "nothing is stored of a host that did not answer"
        );

        let host_key = new.accept_host_key.take();
        new.unchecked = true;
        self.fleet.add_host(new).await.unwrap();
        if let Some(host_key) = host_key {
            self.fleet.trust_host(&name, Some(&host_key)).await.unwrap();
        }
        self.suffers(&name, kind, words).await;
    }

    /// Every way to ask a host that is in the fleet says what is wrong, and this machine answers.
    async fn suffers(&self, name: &str, kind: ErrorKind, words: &[&str]) {
        complains(&self.look(name).await.unwrap_err(), kind, name, words);
        let told = self.shown(name).await.problem.unwrap();
        assert_eq!(told.kind, kind);
        assert!(told.message.starts_with(&format!("{name}: could not ")) && told.next.is_some(), "{told:?}");
        assert!(words.iter().all(|word| told.message.contains(word)), "{told:?}");

        // The second miss in a row makes it offline; its last figures, if it ever gave any, stay.
        self.look(name).await.unwrap_err();
        assert_eq!(self.shown(name).await.state, HostState::Offline);
    }

    /// A command for all: the troubled host says why not, this machine does it.
    async fn runs_everywhere_else(&self, name: &str, kind: ErrorKind) {
        let answers = self.fleet.exec(ExecRequest::new("echo well", Selector::all())).await.unwrap();
        let answers: Vec<_> = answers.collect().await;
        assert_eq!(answers.len(), 2);
        for answer in answers {
            match answer.outcome {
                Ok(output) => assert_eq!((answer.host, output.stdout.text()), (self.own.clone(), "well\n".to_owned())),
                Err(error) => complains(&error, kind, name, &[]),
            }
        }
    }
}

/// An error owes a person the host's name, what was being done, why it failed, and what to do next.
fn complains(error: &Error, kind: ErrorKind, host: &str, words: &[&str]) {
    let text = report(error);
    assert_eq!(error.kind(), kind, "{text}");
    assert!(text.starts_with(&format!("{host}: could not ")), "names the host and the attempt: {text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    assert!(error.next_step().is_some_and(|next| next.len() > 5), "says what to do next: {text}");
    assert!(!text.contains("PRIVATE KEY") && !text.contains("sesame"), "{text}");
}
