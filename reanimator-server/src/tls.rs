//! Certificates: given ones, or one that the service makes for itself on its first start and keeps.
//!
//! A self-made certificate is nobody's word but our own, so its fingerprint is printed at every start: it is what
//! a person compares, and what a program pins.

use std::{
    fs,
    io::Write,
    net::{IpAddr, SocketAddr},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DnType, KeyPair};
use reanimator_core::{Error, ErrorKind, Result};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};

use crate::options::Tls;

/// How long a self-made certificate is good: clients pin it, so changing it costs each of them a look.
const GOOD_FOR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What the listener needs to speak TLS.
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, `AA:BB:...`.
    pub(crate) fingerprint: String,
}

/// Reads or makes the certificate that the options ask for; `None` without TLS.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] where a given file cannot be read or used, [`ErrorKind::Storage`] where a self-made
/// certificate cannot be kept.
pub(crate) fn load(tls: &Tls, data_dir: &Path, listen: SocketAddr, names: &[String]) -> Result<Option<Identity>> {
    match tls {
        Tls::Off => Ok(None),
        Tls::Files { certificate, key } => read(certificate, key).map(Some),
        Tls::SelfMade => {
            let folder = data_dir.join("tls");
            let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
            if !(certificate.exists() && key.exists()) {
                make(&folder, &certificate, &key, listen, names)?;
            }
            read(&certificate, &key).map(Some)
        }
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Identity> {
    let unusable = |path: &Path| {
        Error::new(ErrorKind::Invalid, format!("use {}", path.display()))
            .next("give a certificate chain and its private key as PEM files that this account can read")
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(certificate).from_source(error))?;
    let first = chain.first().ok_or_else(|| unusable(certificate).because("it holds no certificate"))?;
    let fingerprint = fingerprint_of(first);
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key).from_source(error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key_der))
        .map_err(|error| unusable(certificate).from_source(error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { config: Arc::new(config), fingerprint })
}

fn make(folder: &Path, certificate: &Path, key: &Path, listen: SocketAddr, names: &[String]) -> Result<()> {
    let failed = || Error::new(ErrorKind::Internal, "make a certificate");
    let mut params =
        CertificateParams::new(subject_names(listen.ip(), names)).map_err(|error| failed().from_source(error))?;
    params.distinguished_name.push(DnType::CommonName, "Reanimator");
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_secs(24 * 3600)).into();
    params.not_after = (now + GOOD_FOR).into();
    let pair = KeyPair::generate().map_err(|error| failed().from_source(error))?;
    let made = params.self_signed(&pair).map_err(|error| failed().from_source(error))?;

    let unkept = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, format!("keep a certificate in {}", folder.display())).from_source(error)
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unkept)?;
    // The certificate comes last: a key alone, left by a crash, is made anew.
    write_private(key, pair.serialize_pem().as_bytes()).map_err(unkept)?;
    write_private(certificate, made.pem().as_bytes()).map_err(unkept)
}

/// Writes the whole file or nothing, readable for this account only.
fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// Every name and address under which this machine may be called.
fn subject_names(listen: IpAddr, names: &[String]) -> Vec<String> {
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if listen.is_unspecified() {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        all.extend(interfaces.iter().map(|interface| interface.ip().to_string()));
    } else {
        all.push(listen.to_string());
    }
    all.extend(host_name());
    all.extend(names.iter().cloned());
    all.sort();
    all.dedup();
    all
}

/// This machine's name, where it can stand in a certificate and in a URL.
pub(crate) fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name.chars().all(is_plain)).then_some(name)
}

fn fingerprint_of(certificate: &CertificateDer<'_>) -> String {
    let pairs: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8420);

    #[test]
    fn a_self_made_certificate_is_kept_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = load(&Tls::SelfMade, dir.path(), LISTEN, &[]).unwrap().unwrap();
        let again = load(&Tls::SelfMade, dir.path(), LISTEN, &[]).unwrap().unwrap();
        assert_eq!(first.fingerprint, again.fingerprint);
        assert_eq!(first.fingerprint.split(':').count(), 32);
        let mode = fs::metadata(dir.path().join("tls/key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_unusable_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.pem");
        fs::write(&path, "not a certificate").unwrap();
        let tls = Tls::Files { certificate: path.clone(), key: path };
        let error = load(&tls, dir.path(), LISTEN, &[]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("site.pem"));
    }
}
