//! Automatic mutual TLS: each side makes a certificate for this one process and trusts exactly the
//! other's (go-plugin `mtls.go`).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};

use crate::ServeError;

/// The name hosts expect in the certificate, whatever the address is.
const SERVER_NAME: &str = "localhost";

/// Room for clocks that were set back between our start and the host's check.
const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// Longer than any process runs; hosts use 30 years for their own.
const VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Makes a certificate for this process and a server configuration that admits only the holders of
/// `client_certificates`.
pub(crate) fn server_config(
    client_certificates: Vec<CertificateDer<'static>>,
) -> Result<(ServerConfig, CertificateDer<'static>), ServeError> {
    let (certificate, key) =
        server_certificate().map_err(|source| ServeError::ServerCertificate { source })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = PinnedClientVerifier {
        certificates: client_certificates,
        provider: Arc::clone(&provider),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_client_cert_verifier(Arc::new(verifier))
                .with_single_cert(vec![certificate.clone()], key.into())
        })
        .map_err(|source| ServeError::Tls { source })?;
    // grpc-go from 1.67 on refuses a server that does not choose h2.
    config.alpn_protocols = vec![b"h2".to_vec()];
    // The host connects once, so there is no session to resume.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok((config, certificate))
}

fn server_certificate()
-> Result<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([SERVER_NAME.to_owned()])?;
    params
        .distinguished_name
        .push(DnType::CommonName, SERVER_NAME);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + VALIDITY).into();
    let certificate = params.self_signed(&key)?;
    Ok((
        certificate.der().clone(),
        PrivatePkcs8KeyDer::from(key.serialize_der()),
    ))
}

/// Admits a client that presents one of the given certificates and proves that it has the key.
///
/// A host's certificate is a self-signed CA, which rustls' own verifier refuses as a client's
/// (RFC 5280 section 4.2.1.9). Nothing is lost by comparing: the host told us the very bytes.
#[derive(Debug)]
struct PinnedClientVerifier {
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Without hints the client sends the certificate it has.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.certificates.iter().any(|pinned| pinned == end_entity) {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
