//! Which certificates are believed: the one that was pinned, or what the system trusts.
//!
//! A Proxmox node makes its own certificate, so nobody vouches for it: its SHA-256 is shown to a person once and
//! pinned. The pin stands for the whole identity (names and dates are not looked at), but the handshake's signature is
//! still checked: who shows the certificate must also hold its key.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind, Fingerprint, Result};

/// The system's root certificates, read once: reading them takes milliseconds, and a fleet has many endpoints.
static SYSTEM_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    let read = rustls_native_certs::load_native_certs();
    for error in &read.errors {
        tracing::warn!(%error, "a root certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(read.certs);
    Arc::new(roots)
});

/// What an endpoint's certificate must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The certificate with this SHA-256, whatever it says of itself.
    Pinned([u8; 32]),
    /// What the system trusts, for the name asked for.
    System,
    /// Nothing: only to be shown the certificate.
    Nothing,
}

impl Trust {
    /// A pin from a fingerprint, or the system's trust where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the text is not a SHA-256 in hexadecimal.
    pub fn from_fingerprint(fingerprint: Option<&str>) -> Result<Self> {
        fingerprint.map_or(Ok(Self::System), |text| parse_sha256(text).map(Self::Pinned))
    }

    /// The TLS settings that hold a server to this.
    pub(super) fn config(self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let system = match self {
            Self::Pinned(_) => None,
            Self::System | Self::Nothing => system_verifier(&provider)?,
        };
        let verifier = Verifier { trust: self, system, provider: Arc::clone(&provider) };
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(ErrorKind::Internal, "set up TLS").from_source(error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }
}

/// `None` on a system without any root certificate, where nothing is trusted.
fn system_verifier(provider: &Arc<CryptoProvider>) -> Result<Option<Arc<WebPkiServerVerifier>>> {
    if SYSTEM_ROOTS.is_empty() {
        return Ok(None);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::clone(&SYSTEM_ROOTS), Arc::clone(provider))
        .build()
        .map(Some)
        .map_err(|error| Error::new(ErrorKind::Internal, "read the system's root certificates").from_source(error))
}

/// The SHA-256 of a certificate as Proxmox prints it: `AA:BB:...`.
pub fn fingerprint_text(sha256: &[u8; 32]) -> String {
    sha256.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Reads `AA:BB:...`, with or without colons, in either case, with or without `SHA256:` in front.
///
/// # Errors
/// [`ErrorKind::Invalid`] when it is not 32 bytes in hexadecimal.
pub fn parse_sha256(text: &str) -> Result<[u8; 32]> {
    let trimmed = text.trim();
    let hex = trimmed.strip_prefix("SHA256:").or_else(|| trimmed.strip_prefix("sha256:")).unwrap_or(trimmed);
    let digits: Option<Vec<u8>> =
        hex.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    digits
        .filter(|digits| digits.len() == 64)
        .and_then(|digits| digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect::<Vec<_>>().try_into().ok())
        .ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("read the certificate fingerprint {text:?}"))
                .because("a SHA-256 fingerprint is 32 bytes in hexadecimal")
                .next("copy it whole, as in AA:BB:..., from `pvenode cert info` on the node")
        })
}

/// Why a certificate was refused, carried through the layers of TLS and HTTP up to [`refusal`].
#[derive(Clone, Debug)]
pub(super) struct CertificateRefused {
    /// What was shown.
    pub(super) shown: [u8; 32],
    /// What had been pinned, if anything.
    pub(super) pinned: Option<[u8; 32]>,
    /// What the system says of it.
    pub(super) system: Option<CertificateError>,
}

impl fmt::Display for CertificateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {} is refused", fingerprint_text(&self.shown))
    }
}

impl std::error::Error for CertificateRefused {}

impl CertificateRefused {
    /// The fingerprint that was shown.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { sha256: fingerprint_text(&self.shown), key_type: "x509".to_owned(), public_key: None }
    }

    /// The error for `attempt` at `endpoint`.
    pub(super) fn into_error(self, attempt: String, endpoint: &str) -> Error {
        let shown = fingerprint_text(&self.shown);
        let error = match self.pinned {
            Some(pinned) => Error::new(ErrorKind::CertificateChanged, attempt)
                .because(format!("it shows certificate {shown} where {} is pinned", fingerprint_text(&pinned)))
                .next("find out why it changed (renewed, reinstalled, or somebody in between); if it is right, pin the new fingerprint"),
            None => Error::new(ErrorKind::CertificateUnknown, attempt)
                .because(match &self.system {
                    Some(why) => format!("nobody vouches for its certificate {shown} ({why:?})"),
                    None => format!("its certificate {shown} is not known"),
                })
                .next("compare the fingerprint with `pvenode cert info` on the node, then pin it"),
        };
        error.on(endpoint).showing(self.fingerprint())
    }
}

/// The refusal by our verifier within an error of the layers above, if that is what it was.
pub(super) fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<CertificateRefused> {
    super::failure::layers(error).find_map(|layer| match layer.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) => {
            other.0.downcast_ref::<CertificateRefused>().cloned()
        }
        _ => None,
    })
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    system: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown: [u8; 32] = Sha256::digest(end_entity.as_ref()).into();
        let by_system = || match &self.system {
            None => Err(CertificateError::UnknownIssuer),
            Some(system) => system
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|error| match error {
                    rustls::Error::InvalidCertificate(why) => why,
                    _ => CertificateError::BadEncoding,
                }),
        };
        let (pinned, system) = match self.trust {
            Trust::Pinned(pin) if pin == shown => return Ok(ServerCertVerified::assertion()),
            Trust::Pinned(pin) => (Some(pin), None),
            Trust::System => match by_system() {
                Ok(verified) => return Ok(verified),
                Err(why) => (None, Some(why)),
            },
            Trust::Nothing => (None, by_system().err()),
        };
        let refused = CertificateRefused { shown, pinned, system };
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(rustls::OtherError(Arc::new(refused)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_as_it_was_printed() {
        let bytes: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7).unwrap_or(0xff));
        let text = fingerprint_text(&bytes);
        assert_eq!(&text[..11], "00:07:0E:15");
        for way in [text.clone(), text.to_lowercase(), text.replace(':', ""), format!("SHA256:{text}")] {
            assert_eq!(parse_sha256(&way).ok(), Some(bytes), "{way}");
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["", "AA:BB", "zz", &"AA:".repeat(33), &"é".repeat(64)] {
            assert_eq!(parse_sha256(text).map_err(|error| error.kind()), Err(ErrorKind::Invalid), "{text}");
        }
    }
}
