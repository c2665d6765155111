//! Digests, passwords, encryption, keys and certificates.

mod certificates;
mod der;
mod keys;
mod password;
mod pem;

use aes::Aes256;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{encoding, go, hex};
use crate::error::Error;
use crate::function::{Call, Functions};
use crate::json::base64;
use crate::string::Str;
use crate::types::Type;
use crate::value::Value;

/// The length of a block of AES.
const BLOCK: usize = 16;

pub(super) fn register(functions: &mut Functions) {
    for (name, digest) in [
        ("sha1sum", digest::<Sha1> as fn(&[u8]) -> String),
        ("sha256sum", digest::<Sha256>),
        ("sha512sum", digest::<Sha512>),
        ("adler32sum", |text| adler32(text).to_string()),
    ] {
        functions.add(name, [Type::String], Type::String, move |call, args| {
            let text = args.string(0)?;
            call.charge_steps(text.len() as u64 / 10)?;
            Ok(digest(text).into())
        });
    }
    functions.add(
        "encryptAES",
        [Type::String, Type::String],
        Type::String,
        |call, args| encrypt(call, args.string(0)?, args.string(1)?).map(Value::from),
    );
    functions.add(
        "decryptAES",
        [Type::String, Type::String],
        Type::String,
        |_, args| decrypt(args.string(0)?, args.string(1)?).map(Value::from),
    );
    password::register(functions);
    certificates::register(functions);
}

fn digest<D: Digest>(text: &[u8]) -> String {
    hex(&D::digest(text))
}

fn adler32(text: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    // So many steps stay within 32 bits.
    for chunk in text.chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    b << 16 | a
}

/// The first 32 bytes of a password, filled up with zeros.
fn key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    key
}

/// AES-256 in CBC mode, with the initialisation vector before the text, in base64.
fn encrypt(call: &mut Call<'_>, password: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let padding = BLOCK - text.len() % BLOCK;
    let mut vector = [0; BLOCK];
    call.random(&mut vector)?;
    let mut blocks = text.to_vec();
    blocks.resize(text.len() + padding, u8::try_from(padding).unwrap_or(0));
    let mut cipher = cbc::Encryptor::<Aes256>::new(&key(password).into(), &vector.into());
    for block in blocks.chunks_exact_mut(BLOCK) {
        if let Ok(block) = block.try_into() {
            cipher.encrypt_block(block);
        }
    }
    Ok(base64::encode(&[&vector[..], &blocks].concat()))
}

fn decrypt(password: &[u8], text: &[u8]) -> Result<Str, Error> {
    if text.is_empty() {
        return Ok(Str::EMPTY);
    }
    let bytes = encoding::base64_decode(text)?;
    if bytes.len() < BLOCK {
        return Err(go::runtime(format!(
            "slice bounds out of range [:{BLOCK}] with capacity {}",
            text.len() / 4 * 3
        )));
    }
    let (vector, blocks) = bytes.split_at(BLOCK);
    if blocks.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let mut vector_block = [0; BLOCK];
    vector_block.copy_from_slice(vector);
    let mut blocks = blocks.to_vec();
    let mut cipher = cbc::Decryptor::<Aes256>::new(&key(password).into(), &vector_block.into());
    for block in blocks.chunks_exact_mut(BLOCK) {
        if let Ok(block) = block.try_into() {
            cipher.decrypt_block(block);
        }
    }
    let Some(padding) = blocks.last() else {
        return Err(go::runtime("index out of range [-1]"));
    };
    let length = go::int(blocks.len()) - i64::from(*padding);
    go::slice(&blocks, None, Some(length)).map(Str::from)
}
