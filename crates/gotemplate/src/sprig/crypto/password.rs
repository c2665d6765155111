//! bcrypt, htpasswd, and passwords derived from a master password.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Error;
use crate::function::{Call, Functions};
use crate::string::Str;
use crate::types::{Type, UintKind};
use crate::value::Value;

/// What bcrypt costs: two to this power rounds.
const COST: u32 = 10;
/// The alphabet of bcrypt's own base64.
const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Steps charged for a bcrypt or scrypt of the costs used here: tens of milliseconds.
const STEPS: u64 = 500_000;

pub(super) fn register(functions: &mut Functions) {
    functions.add("bcrypt", [Type::String], Type::String, |call, args| {
        bcrypt(call, args.string(0)?).map(Value::from)
    });
    functions.add(
        "htpasswd",
        [Type::String, Type::String],
        Type::String,
        |call, args| {
            let user = args.string(0)?;
            Ok(if user.contains(&b':') {
                [b"invalid username: ", &**user].concat()
            } else {
                let hash = bcrypt(call, args.string(1)?)?;
                [&**user, b":", hash.as_bytes()].concat()
            }
            .into())
        },
    );
    functions.add(
        "derivePassword",
        [
            Type::Uint(UintKind::Uint32),
            Type::String,
            Type::String,
            Type::String,
            Type::String,
        ],
        Type::String,
        |call, args| {
            let counter = u32::try_from(args.uint(0)?).unwrap_or(0);
            derive(
                call,
                counter,
                args.string(1)?,
                args.string(2)?,
                args.string(3)?,
                args.string(4)?,
            )
            .map(Value::from)
        },
    );
}

fn bcrypt(call: &mut Call<'_>, password: &[u8]) -> Result<String, Error> {
    if password.len() > 72 {
        return Ok(
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into(),
        );
    }
    call.charge_steps(STEPS)?;
    let mut salt = [0; 16];
    call.random(&mut salt)?;
    // The zero at the end counts, up to 72 bytes.
    let mut ended = [password, b"\0"].concat();
    ended.truncate(72);
    let hash = bcrypt::bcrypt(COST, salt, &ended);
    Ok(format!(
        "$2a${COST}${}{}",
        base64(&salt),
        base64(&hash[..23])
    ))
}

/// Base64 with bcrypt's alphabet and without padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, index| {
            bits << 8 | usize::from(chunk.get(index).copied().unwrap_or(0))
        });
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[bits >> (18 - 6 * index) & 0x3f]));
        }
    }
    text
}

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// The templates of a kind of password; each letter stands for a class of characters.
fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The password of the Master Password algorithm for a site.
fn derive(
    call: &mut Call<'_>,
    counter: u32,
    kind: &[u8],
    password: &[u8],
    user: &[u8],
    site: &[u8],
) -> Result<Str, Error> {
    let Some(templates) = templates(kind) else {
        return Ok([b"cannot find password template ", kind].concat().into());
    };
    call.charge_steps(STEPS)?;
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SEED, &length(user), user].concat();
    let failure = || Error::from("failed to derive password");
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|_| failure())?;
    let mut key = [0; 64];
    scrypt::scrypt(password, &salt, &parameters, &mut key).map_err(|_| failure())?;
    let message = [SEED, &length(site), site, &counter.to_be_bytes()].concat();
    let mut code = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| failure())?;
    code.update(&message);
    let seed = code.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let derived: Vec<u8> = template
        .bytes()
        .zip(&seed[1..])
        .map(|(class, byte)| {
            let characters = characters(class);
            characters[usize::from(*byte) % characters.len()]
        })
        .collect();
    Ok(derived.into())
}
