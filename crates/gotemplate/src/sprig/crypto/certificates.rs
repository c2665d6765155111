//! Certificates as Go's crypto/x509 makes them from Sprig's templates.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::super::encoding::base64_decode;
use super::super::time::Time;
use super::super::{go, print};
use super::der::{self, Reader};
use super::keys::{PrivateKey, not_a_signer};
use super::pem;
use crate::error::Error;
use crate::function::{Args, Call, Functions};
use crate::string::Str;
use crate::text::quote;
use crate::types::{Kind, Type};
use crate::value::{List, Object, Value};

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const SERVER_AUTHENTICATION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTHENTICATION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// A certificate and its key as PEM: Sprig's `certificate`.
struct Certificate {
    cert: Str,
    key: Str,
}

impl Object for Certificate {
    fn type_name(&self) -> &str {
        "sprig.certificate"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            ("Cert".into(), self.cert.clone().into()),
            ("Key".into(), self.key.clone().into()),
        ]
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other
            .downcast::<Self>()
            .is_some_and(|other| self.cert == other.cert && self.key == other.key)
    }
}

fn certificate_type() -> Type {
    Type::host("sprig.certificate", Kind::Struct)
}

pub(super) fn register(functions: &mut Functions) {
    let anys = || Type::list(Type::Any);
    functions.add(
        "genPrivateKey",
        [Type::String],
        Type::String,
        |call, args| PrivateKey::generate(call, args.string(0)?).map(Value::from),
    );
    functions.add(
        "buildCustomCert",
        [Type::String, Type::String],
        certificate_type(),
        |_, args| build_custom(args.string(0)?, args.string(1)?),
    );
    functions.add(
        "genCA",
        [Type::String, Type::INT],
        certificate_type(),
        |call, args| {
            let key = PrivateKey::rsa(call, 2048)?;
            authority(call, &args, &key)
        },
    );
    functions.add(
        "genCAWithKey",
        [Type::String, Type::INT, Type::String],
        certificate_type(),
        |call, args| {
            let key = given_key(&args, 2)?;
            authority(call, &args, &key)
        },
    );
    functions.add(
        "genSelfSignedCert",
        [Type::String, anys(), anys(), Type::INT],
        certificate_type(),
        |call, args| {
            let key = PrivateKey::rsa(call, 2048)?;
            self_signed(call, &args, &key)
        },
    );
    functions.add(
        "genSelfSignedCertWithKey",
        [Type::String, anys(), anys(), Type::INT, Type::String],
        certificate_type(),
        |call, args| {
            let key = given_key(&args, 4)?;
            self_signed(call, &args, &key)
        },
    );
    functions.add(
        "genSignedCert",
        [Type::String, anys(), anys(), Type::INT, certificate_type()],
        certificate_type(),
        |call, args| {
            let key = PrivateKey::rsa(call, 2048)?;
            signed(call, &args, &key)
        },
    );
    functions.add(
        "genSignedCertWithKey",
        [
            Type::String,
            anys(),
            anys(),
            Type::INT,
            certificate_type(),
            Type::String,
        ],
        certificate_type(),
        |call, args| {
            let key = given_key(&args, 5)?;
            signed(call, &args, &key)
        },
    );
}

fn given_key(args: &Args<'_>, index: usize) -> Result<PrivateKey, Error> {
    PrivateKey::from_pem(args.string(index)?)
        .map_err(|error| Error::new(format!("parsing private key: {error}")))
}

fn build_custom(certificate: &[u8], key: &[u8]) -> Result<Value, Error> {
    let certificate =
        base64_decode(certificate).map_err(|_| "unable to decode base64 certificate")?;
    let key = base64_decode(key).map_err(|_| "unable to decode base64 private key")?;
    let block = pem::decode(&certificate).ok_or("unable to decode certificate")?;
    if Issuer::parse(&block.bytes).is_none() {
        return Err(
            "error parsing certificate: decodedCert.Bytes: x509: malformed certificate".into(),
        );
    }
    PrivateKey::from_pem(&key)
        .map_err(|error| Error::new(format!("error parsing private key: {error}")))?;
    Ok(Value::object(Certificate {
        cert: certificate.into(),
        key: key.into(),
    }))
}

fn authority(call: &mut Call<'_>, args: &Args<'_>, key: &PrivateKey) -> Result<Value, Error> {
    let none = List::new(Type::Any, Vec::new());
    let template = Template::new(call, args.string(0)?, &none, &none, args.int(1)?, true)?;
    template.issue(key, None)
}

fn self_signed(call: &mut Call<'_>, args: &Args<'_>, key: &PrivateKey) -> Result<Value, Error> {
    let template = leaf(call, args)?;
    template.issue(key, None)
}

fn leaf(call: &mut Call<'_>, args: &Args<'_>) -> Result<Template, Error> {
    Template::new(
        call,
        args.string(0)?,
        args.list(1)?,
        args.list(2)?,
        args.int(3)?,
        false,
    )
}

fn signed(call: &mut Call<'_>, args: &Args<'_>, key: &PrivateKey) -> Result<Value, Error> {
    let Value::Object(object) = args.get(4) else {
        return Err(go::conversion(args.get(4), "sprig.certificate"));
    };
    let authority = object
        .downcast::<Certificate>()
        .ok_or_else(|| go::conversion(args.get(4), "sprig.certificate"))?;
    let block = pem::decode(&authority.cert).ok_or("unable to decode certificate")?;
    let issuer = Issuer::parse(&block.bytes)
        .ok_or("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate")?;
    let issuer_key = PrivateKey::from_pem(&authority.key)
        .map_err(|error| Error::new(format!("error parsing private key: {error}")))?;
    let template = leaf(call, args)?;
    template.issue(key, Some((&issuer, &issuer_key)))
}

/// What a certificate of an authority says about it.
struct Issuer {
    subject: Vec<u8>,
    public_info: Vec<u8>,
    subject_key_id: Vec<u8>,
}

impl Issuer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(bytes);
        let mut certificate = outer.sequence()?;
        if !outer.is_empty() {
            return None;
        }
        let mut fields = certificate.sequence()?;
        certificate.sequence()?;
        certificate.content(der::BIT_STRING)?;
        if fields.has(der::context(0)) {
            fields.any()?;
        }
        fields.integer()?;
        fields.sequence()?;
        fields.sequence()?;
        fields.sequence()?;
        if !fields.has(der::SEQUENCE) {
            return None;
        }
        let subject = fields.any()?.2.to_vec();
        let public_info = fields.any()?.2.to_vec();
        let mut subject_key_id = Vec::new();
        while !fields.is_empty() {
            let (tag, content, _) = fields.any()?;
            if tag != der::context(3) {
                continue;
            }
            let mut extensions = Reader::new(content).sequence()?;
            while !extensions.is_empty() {
                let mut extension = extensions.sequence()?;
                let identifier = extension.content(der::OBJECT_IDENTIFIER)?;
                if extension.has(der::BOOLEAN) {
                    extension.any()?;
                }
                let value = extension.content(der::OCTET_STRING)?;
                if identifier == SUBJECT_KEY_ID {
                    subject_key_id = Reader::new(value).content(der::OCTET_STRING)?.to_vec();
                }
            }
        }
        Some(Self {
            subject,
            public_info,
            subject_key_id,
        })
    }
}

/// What a certificate is to say.
struct Template {
    common_name: Str,
    addresses: Vec<Vec<u8>>,
    names: Vec<Str>,
    serial: [u8; 16],
    not_before: Time,
    not_after: Time,
    is_authority: bool,
}

impl Template {
    fn new(
        call: &mut Call<'_>,
        common_name: &Str,
        addresses: &List,
        names: &List,
        days: i64,
        is_authority: bool,
    ) -> Result<Self, Error> {
        let addresses = addresses
            .iter()
            .map(|value| match &value {
                Value::String(text) => parse_address(text)
                    .ok_or_else(|| format!("error parsing ip: {}", go::lossy(text)).into()),
                other => Err(Error::new(format!(
                    "error parsing ip: {} is not a string",
                    go::lossy(&print::value(call, other)?)
                ))),
            })
            .collect::<Result<_, Error>>()?;
        let names = names
            .iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                other => Err(Error::new(format!(
                    "error processing alternate dns name: {} is not a string",
                    go::lossy(&print::value(call, &other)?)
                ))),
            })
            .collect::<Result<_, Error>>()?;
        let mut serial = [0; 16];
        call.random(&mut serial)?;
        let not_before = Time::now(call)?;
        let length = 24_i64.wrapping_mul(3_600_000_000_000).wrapping_mul(days);
        Ok(Self {
            common_name: common_name.clone(),
            addresses,
            names,
            serial,
            not_after: not_before.plus(length),
            not_before,
            is_authority,
        })
    }

    /// Signs the certificate, by itself or by an authority.
    fn issue(
        &self,
        key: &PrivateKey,
        issuer: Option<(&Issuer, &PrivateKey)>,
    ) -> Result<Value, Error> {
        let signer = issuer.map_or(key, |(_, signer)| signer);
        if matches!(signer, PrivateKey::Dsa(_)) {
            return Err(not_a_signer());
        }
        let (Some(public_info), Some(public_bits)) = (key.public_info(), key.public_bits()) else {
            return Err(
                "error creating certificate: x509: unsupported public key type: *dsa.PublicKey"
                    .into(),
            );
        };
        let subject = name(&self.common_name)?;
        let issuer_name = issuer.map_or(&subject, |(issuer, _)| &issuer.subject);
        if let Some((issuer, signer)) = issuer
            && signer.public_info().as_ref() != Some(&issuer.public_info)
        {
            return Err("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey".into());
        }
        let authority_key_id = issuer
            .map(|(issuer, _)| issuer.subject_key_id.as_slice())
            .filter(|_| *issuer_name != subject)
            .unwrap_or_default();
        let extensions = self.extensions(subject.len() == 2, &public_bits, authority_key_id)?;
        let algorithm = signer.signature_algorithm();
        let certificate = der::sequence(&[
            &der::value(der::context(0), &der::integer(&[2])),
            &der::integer(&self.serial),
            &algorithm,
            issuer_name,
            &der::sequence(&[&moment(&self.not_before), &moment(&self.not_after)]),
            &subject,
            &public_info,
            &der::value(der::context(3), &der::value(der::SEQUENCE, &extensions)),
        ]);
        let signature = signer.sign(&certificate)?;
        let signed = der::sequence(&[&certificate, &algorithm, &der::bit_string(&signature)]);
        Ok(Value::object(Certificate {
            cert: pem::encode("CERTIFICATE", &signed).into(),
            key: key.to_pem()?.into(),
        }))
    }

    fn extensions(
        &self,
        has_no_subject: bool,
        public_bits: &[u8],
        authority_key_id: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let identifier = |bytes: &[u8]| der::value(der::OBJECT_IDENTIFIER, bytes);
        // Digital signature and key encipherment; an authority signs certificates as well.
        let usage: &[u8] = if self.is_authority {
            &[2, 0xa4]
        } else {
            &[5, 0xa0]
        };
        let constraints: &[u8] = if self.is_authority {
            &[der::BOOLEAN, 1, 0xff]
        } else {
            &[]
        };
        let mut extensions = [
            extension(KEY_USAGE, true, &der::value(der::BIT_STRING, usage)),
            extension(
                EXTENDED_KEY_USAGE,
                false,
                &der::sequence(&[
                    &identifier(SERVER_AUTHENTICATION),
                    &identifier(CLIENT_AUTHENTICATION),
                ]),
            ),
            extension(
                BASIC_CONSTRAINTS,
                true,
                &der::value(der::SEQUENCE, constraints),
            ),
        ]
        .concat();
        if self.is_authority {
            let digest = Sha256::digest(public_bits);
            extensions.extend(extension(
                SUBJECT_KEY_ID,
                false,
                &der::value(der::OCTET_STRING, &digest[..20]),
            ));
        }
        if !authority_key_id.is_empty() {
            let id = der::value(0x80, authority_key_id);
            extensions.extend(extension(AUTHORITY_KEY_ID, false, &der::sequence(&[&id])));
        }
        if !self.names.is_empty() || !self.addresses.is_empty() {
            let mut alternatives = Vec::new();
            for name in &self.names {
                if !name.is_ascii() {
                    return Err(Error::new(format!(
                        "error creating certificate: x509: {} cannot be encoded as an IA5String",
                        quote::quoted(name)
                    )));
                }
                alternatives.extend(der::value(0x82, name));
            }
            for address in &self.addresses {
                alternatives.extend(der::value(0x87, address));
            }
            extensions.extend(extension(
                SUBJECT_ALTERNATIVE_NAME,
                has_no_subject,
                &der::value(der::SEQUENCE, &alternatives),
            ));
        }
        Ok(extensions)
    }
}

fn extension(identifier: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if is_critical {
        &[der::BOOLEAN, 1, 0xff]
    } else {
        &[]
    };
    der::sequence(&[
        &der::value(der::OBJECT_IDENTIFIER, identifier),
        critical,
        &der::value(der::OCTET_STRING, value),
    ])
}

/// A distinguished name of a common name alone.
fn name(common_name: &[u8]) -> Result<Vec<u8>, Error> {
    if common_name.is_empty() {
        return Ok(der::sequence(&[]));
    }
    let is_printable = common_name
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"'()+,-./ :=?".contains(byte));
    let tag = if is_printable {
        der::PRINTABLE_STRING
    } else if std::str::from_utf8(common_name).is_ok() {
        der::UTF8_STRING
    } else {
        return Err("error creating certificate: asn1: string not valid UTF-8".into());
    };
    let attribute = der::sequence(&[
        &der::value(der::OBJECT_IDENTIFIER, COMMON_NAME),
        &der::value(tag, common_name),
    ]);
    Ok(der::sequence(&[&der::value(der::SET, &attribute)]))
}

/// A moment in seconds: with two digits of the year from 1950 to 2049.
fn moment(time: &Time) -> Vec<u8> {
    let civil = time.civil();
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        civil.month, civil.day, civil.hour, civil.minute, civil.second
    );
    if (1950..2050).contains(&civil.year) {
        let text = format!("{:02}{rest}", civil.year % 100);
        der::value(der::UTC_TIME, text.as_bytes())
    } else {
        let text = format!("{:04}{rest}", civil.year);
        der::value(der::GENERALIZED_TIME, text.as_bytes())
    }
}

/// The bytes of an address, 4 of one of IPv4.
fn parse_address(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(address.octets().to_vec());
    }
    let address: Ipv6Addr = text.parse().ok()?;
    Some(match address.to_ipv4_mapped() {
        Some(address) => address.octets().to_vec(),
        None => address.octets().to_vec(),
    })
}
