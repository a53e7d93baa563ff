//! Becoming root: what is heard from the far shell while it starts, and what a refusal means.
//!
//! The password goes out only when sudo asks for it, so an account that needs none does not find it in its input; and
//! the command's own input follows only when the root shell has announced itself.

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::command::Become;
use super::shell::{Said, Scanner};
use crate::{Error, ErrorKind};

/// How much of what sudo says is kept for the error.
const KEPT_BYTES: usize = 2048;

/// Listens to a starting command's stderr.
#[derive(Debug)]
pub(super) struct Listener {
    scanner: Scanner,
    become_root: Become,
    asked: u32,
    before: Vec<u8>,
    group: watch::Sender<Option<u32>>,
}

/// What is to be done after a piece of stderr.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing.
    Go,
    /// Send this line, sudo waits for it.
    Password(Vec<u8>),
    /// sudo asked again: the password was wrong. Close the input.
    GiveUp,
}

impl Listener {
    /// A listener, and where the process group is told once it is known.
    pub(super) fn new(become_root: Become) -> (Self, watch::Receiver<Option<u32>>) {
        let (group, told) = watch::channel(None);
        (Self { scanner: Scanner::default(), become_root, asked: 0, before: Vec::new(), group }, told)
    }

    /// Takes in a piece of stderr; gives what belongs to the command, and what to do.
    pub(super) fn hear(&mut self, piece: &[u8]) -> (Vec<u8>, Next) {
        let (passed, said) = self.scanner.feed(piece);
        let mut next = Next::Go;
        for what in said {
            match what {
                Said::Group(group) => {
                    self.group.send_replace(Some(group));
                }
                Said::Password => {
                    self.asked += 1;
                    next = match &self.become_root {
                        Become::SudoPassword(password) if self.asked == 1 => Next::Password(line(password)),
                        _ => Next::GiveUp,
                    };
                }
            }
        }
        if self.expects_root() && self.group.borrow().is_none() {
            let room = KEPT_BYTES.saturating_sub(self.before.len());
            self.before.extend_from_slice(&passed[..passed.len().min(room)]);
        }
        (passed, next)
    }

    /// What was held back when stderr ended.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        self.scanner.rest()
    }

    /// Why the command never began as root, if it did not.
    pub(super) fn refusal(&self) -> Option<Error> {
        if !self.expects_root() || self.group.borrow().is_some() {
            return None;
        }
        let said = String::from_utf8_lossy(&self.before);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(refused(said.trim_end_matches('.'), self.asked))
    }

    fn expects_root(&self) -> bool {
        !matches!(self.become_root, Become::No)
    }
}

fn line(password: &SecretString) -> Vec<u8> {
    format!("{}\n", password.expose_secret()).into_bytes()
}

fn refused(said: &str, asked: u32) -> Error {
    let attempt = "become root with sudo";
    if asked > 1 || said.contains("incorrect password") {
        return Error::new(ErrorKind::AuthFailed, attempt)
            .because("sudo did not take the password")
            .next("give the right sudo password for this account");
    }
    if said.contains("password is required") {
        return Error::new(ErrorKind::AuthFailed, attempt)
            .because("sudo asks for a password")
            .next("give the sudo password for this account, or allow it NOPASSWD in sudoers");
    }
    let next = if said.contains("not found") || said.contains("No such file") {
        "install sudo there, or log in as root"
    } else {
        "allow this account in the host's sudoers, or log in as root"
    };
    let cause = if said.is_empty() { "it ended without a word" } else { said };
    Error::new(ErrorKind::Denied, attempt).because(cause).next(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_sent_once_and_only_when_asked() {
        let (mut listener, _told) = Listener::new(Become::SudoPassword("s3cret".into()));
        assert!(matches!(listener.hear(b"hello").1, Next::Go));
        assert!(matches!(listener.hear(b"[reanimator password]").1, Next::Password(line) if line == b"s3cret\n"));
        assert!(matches!(listener.hear(b"Sorry, try again.\n[reanimator password]").1, Next::GiveUp));
        let refusal = listener.refusal().expect("it never began");
        assert_eq!(refusal.kind(), ErrorKind::AuthFailed);
        assert!(!format!("{listener:?}{refusal:?}").contains("s3cret"));
    }

    #[test]
    fn once_root_speaks_there_is_no_refusal() {
        let (mut listener, told) = Listener::new(Become::Sudo);
        listener.hear(b"[reanimator 99]\nsudo: a password is required");
        assert_eq!(*told.borrow(), Some(99));
        assert!(listener.refusal().is_none());
    }

    #[test]
    fn what_sudo_says_names_the_cause() {
        for (said, kind) in [
            ("sudo: a password is required\n", ErrorKind::AuthFailed),
            ("eve is not in the sudoers file.\n", ErrorKind::Denied),
            ("sh: 1: exec: sudo: not found\n", ErrorKind::Denied),
            ("", ErrorKind::Denied),
        ] {
            let (mut listener, _told) = Listener::new(Become::Sudo);
            listener.hear(said.as_bytes());
            assert_eq!(listener.refusal().map(|error| error.kind()), Some(kind), "{said}");
        }
    }
}
