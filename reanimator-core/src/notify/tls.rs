//! TLS towards receivers: what this machine trusts, for the name that was asked for; and what is wrong in words.

use std::sync::Arc;

use rustls::{CertificateError, ClientConfig, RootCertStore, crypto::ring};

use crate::{Error, ErrorKind, Result};

/// The settings that hold a server to what this machine trusts.
pub(super) fn config() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "set up TLS").from_source(error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// What is wrong with a server's certificate, where that is what an error is about.
pub(super) fn certificate_trouble(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut layer = Some(error);
    while let Some(current) = layer {
        if let Some(rustls::Error::InvalidCertificate(cause)) = current.downcast_ref::<rustls::Error>() {
            return Some(words(cause));
        }
        // An `io::Error` shows its inside only when asked for it.
        layer = match current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

fn words(cause: &CertificateError) -> &'static str {
    match cause {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate does not hold yet: check the clocks"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name"
        }
        CertificateError::Revoked => "its certificate was revoked",
        _ => "nobody that this machine trusts vouches for its certificate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_found_inside() {
        let inner = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let outer = std::io::Error::other(inner);
        assert!(certificate_trouble(&outer).is_some_and(|words| words.contains("trusts")));
        let name = std::io::Error::other(rustls::Error::InvalidCertificate(CertificateError::NotValidForName));
        assert_eq!(certificate_trouble(&name), Some("its certificate is for another name"));
        assert_eq!(certificate_trouble(&std::io::Error::other("cut off")), None);
    }
}
