//! A certificate per node, and its exchange while the node runs.

use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use crate::Error;

/// A node's certificate and what serves it.
pub(crate) struct Identity {
    config: Mutex<Arc<ServerConfig>>,
}

/// What is known of a certificate from outside.
pub(crate) struct Certificate {
    /// SHA-256 in upper-case hexadecimal pairs, separated by colons.
    pub(crate) fingerprint: String,
    pub(crate) pem: String,
}

impl Identity {
    /// Makes a key and a certificate for a node at an address.
    ///
    /// # Errors
    /// Where the certificate cannot be made.
    pub(crate) fn new(name: &str, ip: &str) -> Result<(Self, Certificate), Error> {
        let (config, certificate) = make(name, ip)?;
        let config = Mutex::new(Arc::new(config));
        Ok((Self { config }, certificate))
    }

    /// Puts a new certificate in the place of the old one.
    ///
    /// # Errors
    /// Where the certificate cannot be made; the old one stays.
    pub(crate) fn renew(&self, name: &str, ip: &str) -> Result<Certificate, Error> {
        let (config, certificate) = make(name, ip)?;
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(certificate)
    }

    /// What the next connection is to be served with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn make(name: &str, ip: &str) -> Result<(ServerConfig, Certificate), Error> {
    let names = vec![
        format!("{name}.sim.local"),
        name.to_owned(),
        "localhost".to_owned(),
        ip.to_owned(),
        "127.0.0.1".to_owned(),
    ];
    let certificate_error = |why: String| Error::Certificate { node: name.to_owned(), why };
    let mut params = CertificateParams::new(names).map_err(|error| certificate_error(error.to_string()))?;
    params.distinguished_name.push(DnType::CommonName, format!("{name}.sim.local"));
    let key = KeyPair::generate().map_err(|error| certificate_error(error.to_string()))?;
    let certificate = params.self_signed(&key).map_err(|error| certificate_error(error.to_string()))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate_error(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .map_err(|error| certificate_error(error.to_string()))?;
    let pairs: Vec<String> = Sha256::digest(certificate.der()).iter().map(|byte| format!("{byte:02X}")).collect();
    Ok((config, Certificate { fingerprint: pairs.join(":"), pem: certificate.pem() }))
}
