//! Encryption on the way to the database.

use std::path::Path;
use std::sync::Arc;

use model::{Problem, Result, codes};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{self, CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::settings::{Encryption, invalid};

/// Returns what encrypts connections in this way.
pub(super) fn connector(encryption: &Encryption) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|cause| invalid("no version of TLS can be spoken").caused_by(cause))?;
    let builder = match encryption {
        Encryption::Verify(authority) => builder.with_root_certificates(authorities(authority.as_deref())?),
        // Without encryption nobody asks it anything.
        Encryption::Unsaid | Encryption::Disable => builder.with_root_certificates(RootCertStore::empty()),
        Encryption::Require => builder.dangerous().with_custom_certificate_verifier(Arc::new(WhoeverAnswers(provider))),
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

/// Reads the authorities of a file, or those that the system trusts.
fn authorities(file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match file {
        Some(path) => {
            let unreadable = |cause: &dyn std::fmt::Display| {
                Problem::new(&codes::config::FILE_UNREADABLE, format!("sslrootcert {}: {cause}", path.display()))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| unreadable(&cause))? {
                let certificate = certificate.map_err(|cause| unreadable(&cause))?;
                store.add(certificate).map_err(|cause| unreadable(&cause))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(invalid("sslmode=verify-full needs an authority, and there is none in sslrootcert or the system"));
    }
    Ok(store)
}

/// Accepts every certificate, as `sslmode=require` says: nobody listens, but nobody knows who answers.
#[derive(Debug)]
struct WhoeverAnswers(Arc<CryptoProvider>);

impl ServerCertVerifier for WhoeverAnswers {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
