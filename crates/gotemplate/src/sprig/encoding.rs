//! Base64 and base32, with the errors of Go's decoders.

use crate::error::Error;
use crate::function::Functions;
use crate::json::base64;
use crate::types::Type;
use crate::value::Value;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PADDING: u8 = b'=';

pub(super) fn register(functions: &mut Functions) {
    for (name, encode) in [
        ("b64enc", base64::encode as fn(&[u8]) -> Vec<u8>),
        ("b32enc", base32_encode),
    ] {
        functions.add(name, [Type::String], Type::String, move |_, args| {
            Ok(Value::from(encode(args.string(0)?)))
        });
    }
    for (name, decode) in [
        (
            "b64dec",
            base64_decode as fn(&[u8]) -> Result<Vec<u8>, Error>,
        ),
        ("b32dec", base32_decode),
    ] {
        functions.add(name, [Type::String], Type::String, move |_, args| {
            // The text of an error is the result.
            let decoded = decode(args.string(0)?);
            Ok(decoded.map_or_else(|error| Value::from(error.message()), Value::from))
        });
    }
}

fn base64_digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// `base64.StdEncoding.DecodeString`
///
/// # Errors
///
/// The text is not base64: with the offset in Go's words.
pub(super) fn base64_decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    let corrupt =
        |position: usize| Error::new(format!("illegal base64 data at input byte {position}"));
    let skip_line_ends = |mut position: usize| {
        while matches!(text.get(position), Some(b'\r' | b'\n')) {
            position += 1;
        }
        position
    };
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let mut position = 0;
    loop {
        let mut bits = 0;
        let mut count = 0;
        while count < 4 {
            let Some(byte) = text.get(position) else {
                if count == 0 {
                    return Ok(decoded);
                }
                return Err(corrupt(position - count));
            };
            position += 1;
            if let Some(digit) = base64_digit(*byte) {
                bits = bits << 6 | digit;
                count += 1;
            } else if *byte == PADDING {
                break;
            } else if !matches!(byte, b'\r' | b'\n') {
                return Err(corrupt(position - 1));
            }
        }
        let [_, bytes @ ..] = (bits << (6 * (4 - count))).to_be_bytes();
        if count == 4 {
            decoded.extend_from_slice(&bytes);
            continue;
        }
        if count < 2 {
            return Err(corrupt(position - 1));
        }
        if count == 2 {
            position = skip_line_ends(position);
            match text.get(position) {
                None => return Err(corrupt(text.len())),
                Some(&PADDING) => position += 1,
                Some(_) => return Err(corrupt(position - 1)),
            }
        }
        position = skip_line_ends(position);
        if position < text.len() {
            return Err(corrupt(position));
        }
        decoded.extend_from_slice(&bytes[..count - 1]);
        return Ok(decoded);
    }
}

fn base32_encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = (0..5).fold(0_u64, |bits, index| {
            bits << 8 | u64::from(chunk.get(index).copied().unwrap_or(0))
        });
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            text.push(if index < digits {
                BASE32[usize::try_from(bits >> (35 - 5 * index) & 0x1f).unwrap_or(0)]
            } else {
                PADDING
            });
        }
    }
    text
}

fn base32_decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let corrupt =
        |position: usize| Error::new(format!("illegal base32 data at input byte {position}"));
    let mut decoded = Vec::with_capacity(text.len() / 8 * 5);
    let mut position = 0;
    let mut ended = false;
    while position < text.len() && !ended {
        let mut bits = 0_u64;
        let mut count = 0;
        while count < 8 {
            let Some(byte) = text.get(position) else {
                return Err(corrupt(text.len() - count));
            };
            position += 1;
            let rest = &text[position..];
            if *byte == PADDING && count >= 2 && rest.len() < 8 {
                if rest.len() + count < 7 {
                    return Err(corrupt(text.len()));
                }
                if let Some(wrong) = rest
                    .iter()
                    .take(7 - count)
                    .position(|byte| *byte != PADDING)
                {
                    return Err(corrupt(position + wrong - 1));
                }
                if matches!(count, 1 | 3 | 6) {
                    return Err(corrupt(position - 1));
                }
                ended = true;
                break;
            }
            let digit = BASE32
                .iter()
                .position(|known| known == byte)
                .ok_or_else(|| corrupt(position - 1))?;
            bits = bits << 5 | digit as u64;
            count += 1;
        }
        let bytes = (bits << (5 * (8 - count)) << 24).to_be_bytes();
        decoded.extend_from_slice(&bytes[..count * 5 / 8]);
    }
    Ok(decoded)
}
