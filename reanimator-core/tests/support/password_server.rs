//! An SSH server that asks for passwords, the way a real one does only with an account made for it.

use std::sync::Arc;

use russh::keys::PrivateKey;
use russh::server::{Auth, Config, Handler, Response, run_stream};
use russh::{MethodKind, MethodSet};

/// The account's password.
pub const PASSWORD: &str = "correct horse";

/// How the server asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Method `password`.
    Password,
    /// Method `keyboard-interactive`, one hidden question.
    OneQuestion,
    /// Method `keyboard-interactive`, a password and a code.
    TwoQuestions,
    /// A key first, and then the password too.
    KeyAndPassword,
}

/// Listens on a loopback port until the test ends; gives the port.
pub async fn start(asks: Asks) -> u16 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("host");
    super::sshd::keygen(&path, "ed25519", "");
    let key = PrivateKey::from_openssh(std::fs::read_to_string(path).unwrap()).unwrap();
    let methods: &[MethodKind] = match asks {
        Asks::Password => &[MethodKind::Password],
        Asks::OneQuestion | Asks::TwoQuestions => &[MethodKind::KeyboardInteractive],
        Asks::KeyAndPassword => &[MethodKind::PublicKey],
    };
    let config = Arc::new(Config {
        keys: vec![key],
        methods: MethodSet::from(methods),
        auth_rejection_time: std::time::Duration::ZERO,
        ..Config::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let config = config.clone();
            tokio::spawn(async move {
                if let Ok(session) = run_stream(config, stream, Server { asks, key_shown: false }).await {
                    // How a session ends is the client's business.
                    let _ended = session.await;
                }
            });
        }
    });
    port
}

struct Server {
    asks: Asks,
    key_shown: bool,
}

impl Handler for Server {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        let in_turn = self.asks == Asks::Password || self.key_shown;
        Ok(if in_turn && password == PASSWORD { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: russh::server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.key_shown = true;
        let then = MethodSet::from(&[MethodKind::Password][..]);
        Ok(Auth::Reject { proceed_with_methods: Some(then), partial_success: true })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(answers) = response else {
            let mut prompts = vec![("Password: ".into(), false)];
            if self.asks == Asks::TwoQuestions {
                prompts.push(("Code: ".into(), true));
            }
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() });
        };
        let answers: Vec<_> = answers.collect();
        Ok(if answers == [PASSWORD.as_bytes()] { Auth::Accept } else { Auth::reject() })
    }
}
