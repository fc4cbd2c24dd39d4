//! TLS for `wss://`: rustls, with the certificates that the system trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::stream::Stream;
use crate::words;

/// Whom to believe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    /// Believe anybody.
    pub(crate) insecure: bool,
    /// A PEM file of authorities to trust besides the system's.
    pub(crate) ca: Option<PathBuf>,
}

/// Why there is no TLS session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{0}: {1}")]
    CaFile(PathBuf, String),
    #[error("{0}: no certificate in this file")]
    EmptyCaFile(PathBuf),
    #[error("{0} is not a name that a certificate can be checked for")]
    Name(String, #[source] InvalidDnsNameError),
    #[error("TLS: {0}")]
    Config(#[from] rustls::Error),
    #[error("TLS handshake failed: {}{}", words::os(.0), hint(.0))]
    Handshake(#[source] std::io::Error),
}

/// Starts TLS over a connected socket, for a server called `host`.
///
/// # Errors
/// [`TlsError`]: the file of authorities cannot be used, or the handshake failed.
pub(crate) async fn start(tcp: TcpStream, host: &str, trust: &Trust) -> Result<Stream, TlsError> {
    start_with(&connector(trust)?, tcp, host).await
}

/// What many connections need once: whom to believe, read from its files.
///
/// # Errors
/// [`TlsError`]: the file of authorities cannot be used.
pub(crate) fn connector(trust: &Trust) -> Result<TlsConnector, TlsError> {
    Ok(TlsConnector::from(Arc::new(config(trust)?)))
}

/// As [`start`], with what [`connector`] made.
///
/// # Errors
/// [`TlsError`]: the handshake failed.
pub(crate) async fn start_with(
    connector: &TlsConnector,
    tcp: TcpStream,
    host: &str,
) -> Result<Stream, TlsError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| TlsError::Name(host.to_owned(), error))?;
    let stream = connector.connect(name, tcp).await.map_err(TlsError::Handshake)?;
    Ok(Stream::Tls(Box::new(stream)))
}

fn config(trust: &Trust) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let mut config = if trust.insecure {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            .with_no_client_auth()
    } else {
        builder.with_root_certificates(roots(trust.ca.as_deref())?).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // A certificate of the system's that cannot be read is one authority less, not a failure:
    // the handshake will say so if it was the one that mattered.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let unreadable =
            |error: rustls::pki_types::pem::Error| TlsError::CaFile(path.into(), error.to_string());
        let before = roots.len();
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            roots.add(certificate.map_err(unreadable)?)?;
        }
        if roots.len() == before {
            return Err(TlsError::EmptyCaFile(path.into()));
        }
    }
    Ok(roots)
}

/// What to do about a certificate that was not believed.
fn hint(error: &std::io::Error) -> &'static str {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(_)) => {
            " (--ca FILE trusts one more authority, --insecure trusts anybody)"
        }
        _ => "",
    }
}

/// `--insecure`: the signatures are checked, so the handshake is a real one, but not the names.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
