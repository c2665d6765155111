//! Private keys: made, read and written as Sprig does with Go's packages.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use dsa::KeySize;
use num_bigint::BigUint;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::signature::{SignatureEncoding, Signer};
use sha2::Sha256;

use super::der::{self, Reader};
use super::pem;
use crate::error::Error;
use crate::function::Call;

use super::super::go;

/// Steps charged for a key of RSA of 2048 bits: half a second, on average.
const RSA_STEPS: u64 = 5_000_000;

const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The elliptic curves that can sign.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    fn identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// ECDSA with the digest that fits.
    fn signature_identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
            Self::P384 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
            Self::P521 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        }
    }

    const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn from_identifier(identifier: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|curve| curve.identifier() == identifier)
    }
}

/// A key of an elliptic curve.
enum EllipticKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

impl EllipticKey {
    fn new(curve: Curve, scalar: &[u8]) -> Option<Self> {
        Some(match curve {
            Curve::P256 => Self::P256(p256::ecdsa::SigningKey::from_slice(scalar).ok()?),
            Curve::P384 => Self::P384(p384::ecdsa::SigningKey::from_slice(scalar).ok()?),
            Curve::P521 => Self::P521(p521::ecdsa::SigningKey::from_slice(scalar).ok()?),
        })
    }

    fn point(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P521(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rsa::signature::Error> {
        Ok(match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.try_sign(message)?;
                signature.to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.try_sign(message)?;
                signature.to_vec()
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::DerSignature = key.try_sign(message)?;
                signature.to_vec()
            }
        })
    }
}

/// A private key.
pub(super) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    Elliptic(Curve, Vec<u8>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// As it was read or made: it can be written, and nothing more.
    Dsa(Vec<u8>),
}

/// A source of random numbers that starts from the caller's.
fn random(call: &mut Call<'_>) -> Result<ChaCha20Rng, Error> {
    let mut seed = [0; 32];
    call.random(&mut seed)?;
    Ok(ChaCha20Rng::from_seed(seed))
}

impl PrivateKey {
    /// A key of RSA with this number of bits.
    pub(super) fn rsa(call: &mut Call<'_>, bits: usize) -> Result<Self, Error> {
        call.charge_steps(RSA_STEPS * if bits > 2048 { 10 } else { 1 })?;
        let mut random = random(call)?;
        rsa::PrivateKey::new(&mut random, bits)
            .map(|key| Self::Rsa(Box::new(key)))
            .map_err(|error| Error::new(format!("error generating rsa key: {error}")))
    }

    /// The PEM text of a new key of this type.
    pub(super) fn generate(call: &mut Call<'_>, kind: &[u8]) -> Result<String, Error> {
        let key = match kind {
            b"" | b"rsa" => Self::rsa(call, 4096)?,
            b"dsa" => Self::dsa(call)?,
            b"ecdsa" => {
                let mut random = random(call)?;
                let mut scalar = vec![0; Curve::P256.size()];
                loop {
                    random.fill_bytes(&mut scalar);
                    if EllipticKey::new(Curve::P256, &scalar).is_some() {
                        break Self::Elliptic(Curve::P256, scalar);
                    }
                }
            }
            b"ed25519" => {
                let mut seed = [0; 32];
                call.random(&mut seed)?;
                Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
            }
            _ => return Ok(format!("Unknown type {}", go::lossy(kind))),
        };
        key.to_pem()
    }

    fn dsa(call: &mut Call<'_>) -> Result<Self, Error> {
        call.charge_steps(RSA_STEPS)?;
        let mut random = random(call)?;
        let components = dsa::Components::try_generate_from_rng_with_key_size(
            &mut random,
            KeySize::DSA_2048_256,
        );
        let Ok(components) = components;
        let numbers = [
            components.p().to_be_bytes(),
            components.q().to_be_bytes(),
            components.g().to_be_bytes(),
        ];
        let key =
            dsa::SigningKey::try_generate_from_rng_with_components(&mut random, components)
                .map_err(|error| Error::new(format!("failed to generate private key: {error}")))?;
        let parts = [
            der::integer(&[0]),
            der::integer(&numbers[0]),
            der::integer(&numbers[1]),
            der::integer(&numbers[2]),
            der::integer(&key.verifying_key().y().to_be_bytes()),
            der::integer(&key.x().to_be_bytes()),
        ];
        Ok(Self::Dsa(der::value(der::SEQUENCE, &parts.concat())))
    }

    /// Reads a key as Sprig's `parsePrivateKeyPEM`.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, Error> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        let bytes = &block.bytes;
        if block.kind == b"PRIVATE KEY" {
            return Self::from_pkcs8(bytes)
                .map_err(|error| Error::new(format!("decoding PEM as PKCS#8: {error}")));
        }
        let Some(kind) = block.kind.strip_suffix(b" PRIVATE KEY") else {
            return Err(Error::new(format!(
                "no private key data in PEM block of type {}",
                go::lossy(&block.kind)
            )));
        };
        let parsed = match kind {
            b"RSA" => Self::from_pkcs1(bytes),
            b"EC" => Self::from_sec1(bytes, None),
            b"DSA" => {
                let mut reader = Reader::new(bytes);
                let mut numbers = reader.sequence().ok_or_else(malformed)?;
                for _ in 0..6 {
                    numbers.integer().ok_or_else(malformed)?;
                }
                Ok(Self::Dsa(bytes.clone()))
            }
            _ => {
                return Err(Error::new(format!(
                    "invalid private key type {}",
                    go::lossy(&block.kind)
                )));
            }
        };
        parsed.map_err(|error| {
            Error::new(format!(
                "parsing {} private key from PEM: {error}",
                go::lossy(kind)
            ))
        })
    }

    fn from_pkcs1(bytes: &[u8]) -> Result<Self, Error> {
        if sec1_scalar(bytes).is_some() {
            return Err("x509: failed to parse private key (use ParseECPrivateKey instead for this key format)".into());
        }
        if pkcs8_parts(bytes).is_some() {
            return Err("x509: failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)".into());
        }
        rsa::PrivateKey::from_pkcs1_der(bytes)
            .map(|key| Self::Rsa(Box::new(key)))
            .map_err(|_| malformed())
    }

    fn from_sec1(bytes: &[u8], curve: Option<Curve>) -> Result<Self, Error> {
        let Some((scalar, named)) = sec1_scalar(bytes) else {
            if pkcs8_parts(bytes).is_some() {
                return Err("x509: failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)".into());
            }
            if rsa::PrivateKey::from_pkcs1_der(bytes).is_ok() {
                return Err("x509: failed to parse private key (use ParsePKCS1PrivateKey instead for this key format)".into());
            }
            return Err(Error::new(format!(
                "x509: failed to parse EC private key: {}",
                malformed()
            )));
        };
        let curve = curve
            .or_else(|| Curve::from_identifier(named?))
            .ok_or("x509: unknown elliptic curve")?;
        // Zeros may be missing, or be too many.
        let number = BigUint::from_bytes_be(scalar).to_bytes_be();
        let missing = curve
            .size()
            .checked_sub(number.len())
            .ok_or("x509: invalid private key length")?;
        let mut padded = vec![0; missing];
        padded.extend(number);
        if EllipticKey::new(curve, &padded).is_none() {
            return Err("crypto/ecdsa: invalid private key".into());
        }
        Ok(Self::Elliptic(curve, padded))
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, Error> {
        let Some((algorithm, parameters, key)) = pkcs8_parts(bytes) else {
            if sec1_scalar(bytes).is_some() {
                return Err("x509: failed to parse private key (use ParseECPrivateKey instead for this key format)".into());
            }
            if rsa::PrivateKey::from_pkcs1_der(bytes).is_ok() {
                return Err("x509: failed to parse private key (use ParsePKCS1PrivateKey instead for this key format)".into());
            }
            return Err(malformed());
        };
        let embedded = |kind: &str| {
            let kind = kind.to_owned();
            move |error: Error| {
                Error::new(format!(
                    "x509: failed to parse {kind} private key embedded in PKCS#8: {error}"
                ))
            }
        };
        match algorithm {
            OID_RSA => Self::from_pkcs1(key).map_err(embedded("RSA")),
            OID_EC => {
                let curve = Reader::new(parameters)
                    .content(der::OBJECT_IDENTIFIER)
                    .and_then(Curve::from_identifier);
                Self::from_sec1(key, curve).map_err(embedded("EC"))
            }
            OID_ED25519 => {
                if !parameters.is_empty() {
                    return Err("x509: invalid Ed25519 private key parameters".into());
                }
                let seed = Reader::new(key)
                    .content(der::OCTET_STRING)
                    .ok_or_else(|| format!("x509: invalid Ed25519 private key: {}", malformed()))?;
                let seed: [u8; 32] = seed.try_into().map_err(|_| {
                    format!("x509: invalid Ed25519 private key length: {}", seed.len())
                })?;
                Ok(Self::Ed25519(Box::new(
                    ed25519_dalek::SigningKey::from_bytes(&seed),
                )))
            }
            other => Err(Error::new(format!(
                "x509: PKCS#8 wrapping contained private key with unknown algorithm: {}",
                dotted(other)
            ))),
        }
    }

    /// The key as Sprig writes it.
    pub(super) fn to_pem(&self) -> Result<String, Error> {
        Ok(match self {
            Self::Rsa(key) => {
                let der = key
                    .to_pkcs1_der()
                    .map_err(|error| Error::new(format!("error pem-encoding key: {error}")))?;
                pem::encode("RSA PRIVATE KEY", der.as_bytes())
            }
            Self::Elliptic(curve, scalar) => {
                let point = EllipticKey::new(*curve, scalar)
                    .map(|key| key.point())
                    .unwrap_or_default();
                let identifier = der::value(der::OBJECT_IDENTIFIER, curve.identifier());
                let der = der::sequence(&[
                    &der::integer(&[1]),
                    &der::value(der::OCTET_STRING, scalar),
                    &der::value(der::context(0), &identifier),
                    &der::value(der::context(1), &der::bit_string(&point)),
                ]);
                pem::encode("EC PRIVATE KEY", &der)
            }
            Self::Ed25519(key) => {
                let seed = der::value(der::OCTET_STRING, &key.to_bytes());
                let der = der::sequence(&[
                    &der::integer(&[0]),
                    &der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, OID_ED25519)]),
                    &der::value(der::OCTET_STRING, &seed),
                ]);
                pem::encode("PRIVATE KEY", &der)
            }
            Self::Dsa(der) => pem::encode("DSA PRIVATE KEY", der),
        })
    }

    /// The bits of the public key; none if certificates cannot have it.
    pub(super) fn public_bits(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => Some(key.to_public_key().to_pkcs1_der().ok()?.as_bytes().to_vec()),
            Self::Elliptic(curve, scalar) => Some(EllipticKey::new(*curve, scalar)?.point()),
            Self::Ed25519(key) => Some(key.verifying_key().to_bytes().to_vec()),
            Self::Dsa(_) => None,
        }
    }

    /// The algorithm and the bits of the public key.
    pub(super) fn public_info(&self) -> Option<Vec<u8>> {
        let bits = self.public_bits()?;
        let identifier = |bytes: &[u8]| der::value(der::OBJECT_IDENTIFIER, bytes);
        let algorithm = match self {
            Self::Rsa(_) => der::sequence(&[&identifier(OID_RSA), &der::value(der::NULL, &[])]),
            Self::Elliptic(curve, _) => {
                der::sequence(&[&identifier(OID_EC), &identifier(curve.identifier())])
            }
            _ => der::sequence(&[&identifier(OID_ED25519)]),
        };
        Some(der::sequence(&[&algorithm, &der::bit_string(&bits)]))
    }

    /// The algorithm by which this key signs.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        let identifier = |bytes: &[u8]| der::value(der::OBJECT_IDENTIFIER, bytes);
        match self {
            Self::Rsa(_) => der::sequence(&[
                &identifier(OID_SHA256_WITH_RSA),
                &der::value(der::NULL, &[]),
            ]),
            Self::Elliptic(curve, _) => der::sequence(&[&identifier(curve.signature_identifier())]),
            _ => der::sequence(&[&identifier(OID_ED25519)]),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let failure = |error: rsa::signature::Error| {
            Error::new(format!("error creating certificate: {error}"))
        };
        match self {
            Self::Rsa(key) => {
                let key = rsa::pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
                Ok(key.try_sign(message).map_err(failure)?.to_vec())
            }
            Self::Elliptic(curve, scalar) => EllipticKey::new(*curve, scalar)
                .ok_or("error creating certificate: invalid key")?
                .sign(message)
                .map_err(failure),
            Self::Ed25519(key) => Ok(key.try_sign(message).map_err(failure)?.to_bytes().to_vec()),
            Self::Dsa(_) => Err(not_a_signer()),
        }
    }
}

/// What Go says of a key of DSA.
pub(super) fn not_a_signer() -> Error {
    "error creating certificate: x509: certificate private key does not implement crypto.Signer"
        .into()
}

/// What is wrong with a key; Go says more about where.
fn malformed() -> Error {
    "asn1: structure error: malformed key".into()
}

/// The number of an EC private key, and the identifier of its curve.
fn sec1_scalar(bytes: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut key = Reader::new(bytes).sequence()?;
    if key.integer()? != BigUint::from(1_u8) {
        return None;
    }
    let scalar = key.content(der::OCTET_STRING)?;
    let curve = key
        .content(der::context(0))
        .and_then(|content| Reader::new(content).content(der::OBJECT_IDENTIFIER));
    Some((scalar, curve))
}

/// The identifier, the parameters and the key of PKCS#8.
fn pkcs8_parts(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut info = Reader::new(bytes).sequence()?;
    info.integer()?;
    let mut algorithm = info.sequence()?;
    let identifier = algorithm.content(der::OBJECT_IDENTIFIER)?;
    let parameters = if algorithm.is_empty() {
        &b""[..]
    } else {
        algorithm.any()?.2
    };
    Some((identifier, parameters, info.content(der::OCTET_STRING)?))
}

/// An object identifier with dots.
fn dotted(identifier: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number: u64 = 0;
    for byte in identifier {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                numbers.push(number - first * 40);
            } else {
                numbers.push(number);
            }
            number = 0;
        }
    }
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    texts.join(".")
}
