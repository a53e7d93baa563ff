//! What several of these tests share: hosts behind a real sshd, and how to add them to a fleet.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "not every test program uses every helper")]

#[path = "../../../reanimator-core/tests/support/sshd.rs"]
pub mod sshd;

use reanimator_core::fleet::NewHost;
use secrecy::SecretString;

use self::sshd::Sshd;

/// A real sshd that runs everything through `script` (one line for `sh`, `$SSH_ORIGINAL_COMMAND` is what was asked).
pub fn behind(script: &str) -> Sshd {
    Sshd::with(&format!("ForceCommand {script}"))
}

/// A real sshd that runs what it is asked, on a machine that is not this one: it names another machine-id and hides
/// this one's hardware, so that the fleet does not take the two for one. `edit` is more of a script for `sed`, which
/// every answer goes through.
pub fn other_machine(edit: &str) -> Sshd {
    let id = format!("{:032x}", std::process::id() as u128 * 100_000 + u128::from(sshd::free_port()));
    behind(&format!(
        "sh -c \"$SSH_ORIGINAL_COMMAND\" | sed -u -e 's|^/etc/machine-id:.*|/etc/machine-id:{id}|' \
         -e '/^.sys.class.[dn]/d' {edit}"
    ))
}

/// The way to an sshd, as somebody who knows its key would write it down.
pub fn ssh_host(name: &str, sshd: &Sshd) -> NewHost {
    ssh_host_with(name, sshd, sshd.key.clone().into())
}

/// The same with another private key.
pub fn ssh_host_with(name: &str, sshd: &Sshd, key: SecretString) -> NewHost {
    let mut new = NewHost::new("127.0.0.1");
    new.name = Some(name.to_owned());
    new.port = sshd.port;
    new.user = sshd.user.clone();
    new.auth.agent = false;
    new.auth.key = Some(key);
    new.accept_host_key = sshd.fingerprint();
    new
}

impl Sshd {
    /// The fingerprint of the host key that it shows now, as OpenSSH prints it.
    pub fn fingerprint(&self) -> Option<String> {
        reanimator_core::transport::ssh::fingerprint_of(&self.host_key)
    }
}
