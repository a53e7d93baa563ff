//! What stands in a user's `~/.ssh/config`, and public keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reanimator_core::transport::ssh::{SshConfig, fingerprint_of};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    // Each `Include` means the same file again, which must come to an end.
    let config = SshConfig::parse(&text, |_| vec![text.chars().take(200).collect()]);
    for alias in config.aliases().iter().take(5).map(String::as_str).chain(["host.example.org"]) {
        config.resolve(alias).reach("root");
    }
    fingerprint_of(&text);
});
