//! Keys and certificates of one cluster, made anew for each.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SanType,
};

use crate::LabError;

/// A certificate with its key, both PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub certificate_pem: String,
    pub key_pem: String,
}

/// Everything a control plane needs.
pub(crate) struct ClusterCertificates {
    pub authority: Identity,
    pub serving: Identity,
    /// RSA, as on EKS: its tokens are signed with RS256, the only algorithm IAM accepts for OIDC.
    pub service_account: ServiceAccountKeys,
    issuer: Issuer<'static, KeyPair>,
}

pub(crate) struct ServiceAccountKeys {
    pub private_pem: String,
    pub public_pem: String,
}

fn failed(what: &'static str) -> impl FnOnce(rcgen::Error) -> LabError {
    move |source| LabError::Certificate { what, source }
}

impl ClusterCertificates {
    /// Makes the authority, the serving certificate for 127.0.0.1 and the in-cluster names, and
    /// the keys of service account tokens.
    pub(crate) fn generate(cluster: &str) -> Result<Self, LabError> {
        let make = || {
            let mut parameters = CertificateParams::default();
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            parameters.key_usages = vec![
                KeyUsagePurpose::KeyCertSign,
                KeyUsagePurpose::CrlSign,
                KeyUsagePurpose::DigitalSignature,
            ];
            parameters
                .distinguished_name
                .push(DnType::CommonName, format!("{cluster} lab authority"));
            let key = KeyPair::generate()?;
            let certificate = parameters.self_signed(&key)?;
            let authority = Identity {
                certificate_pem: certificate.pem(),
                key_pem: key.serialize_pem(),
            };
            Ok((authority, Issuer::new(parameters, key)))
        };
        let (authority, issuer) = make().map_err(failed("certificate authority"))?;

        let make = || {
            let mut parameters = CertificateParams::new(vec![
                "localhost".to_owned(),
                "kubernetes".to_owned(),
                "kubernetes.default".to_owned(),
                "kubernetes.default.svc".to_owned(),
                "kubernetes.default.svc.cluster.local".to_owned(),
            ])?;
            parameters
                .subject_alt_names
                .push(SanType::IpAddress([127, 0, 0, 1].into()));
            parameters
                .distinguished_name
                .push(DnType::CommonName, "kube-apiserver");
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            sign(parameters, &issuer)
        };
        let serving = make().map_err(failed("serving certificate"))?;

        let make = || {
            let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
            Ok(ServiceAccountKeys {
                private_pem: key.serialize_pem(),
                public_pem: key.public_key_pem(),
            })
        };
        let service_account = make().map_err(failed("service account keys"))?;
        Ok(Self {
            authority,
            serving,
            service_account,
            issuer,
        })
    }

    /// A client certificate for `user` in the group `system:masters`, which the API server lets do
    /// everything.
    pub(crate) fn master(&self, user: &str) -> Result<Identity, LabError> {
        let make = || {
            let mut parameters = CertificateParams::default();
            parameters.distinguished_name.push(DnType::CommonName, user);
            parameters
                .distinguished_name
                .push(DnType::OrganizationName, "system:masters");
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            sign(parameters, &self.issuer)
        };
        make().map_err(failed("client certificate"))
    }
}

fn sign(
    parameters: CertificateParams,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<Identity, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, issuer)?;
    Ok(Identity {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    })
}
