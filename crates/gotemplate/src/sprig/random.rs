//! Random texts and numbers, and identifiers.

use super::go;
use crate::error::Error;
use crate::function::{Call, Functions};
use crate::json::base64;
use crate::string::Str;
use crate::text::push;
use crate::types::Type;
use crate::value::Value;

use super::unicode;

pub(super) fn register(functions: &mut Functions) {
    for (name, is_chosen) in [
        ("randAlphaNum", u8::is_ascii_alphanumeric as fn(&u8) -> bool),
        ("randAlpha", u8::is_ascii_alphabetic),
        ("randNumeric", u8::is_ascii_digit),
        ("randAscii", |byte| (b' '..=b'~').contains(byte)),
    ] {
        let alphabet: Vec<u8> = (0..0x7f).filter(is_chosen).collect();
        functions.add(name, [Type::INT], Type::String, move |call, args| {
            // Sprig drops the error for a negative count.
            let count = usize::try_from(args.int(0)?).unwrap_or(0);
            call.charge_bytes(count)?;
            call.charge_steps(count as u64)?;
            let mut text = Vec::with_capacity(count);
            for _ in 0..count {
                let index = below(call, alphabet.len() as u64)?;
                text.push(alphabet[usize::try_from(index).unwrap_or(0)]);
            }
            Ok(text.into())
        });
    }
    functions.add("randBytes", [Type::INT], Type::String, |call, args| {
        let count = go::length(args.int(0)?)?;
        call.charge_bytes(count.saturating_mul(2))?;
        let mut bytes = vec![0; count];
        call.random(&mut bytes)?;
        Ok(base64::encode(&bytes).into())
    });
    functions.add(
        "randInt",
        [Type::INT, Type::INT],
        Type::INT,
        |call, args| {
            let (min, max) = (args.int(0)?, args.int(1)?);
            let count = u64::try_from(max.wrapping_sub(min)).unwrap_or(0);
            if count == 0 {
                return Err("invalid argument to Intn".into());
            }
            let offset = below(call, count)?;
            Ok(Value::int(min.wrapping_add_unsigned(offset)))
        },
    );
    functions.add("shuffle", [Type::String], Type::String, |call, args| {
        let mut characters: Vec<char> = unicode::characters(args.string(0)?)
            .map(|(_, character, _)| character)
            .collect();
        call.charge_steps(characters.len() as u64)?;
        for index in (1..characters.len()).rev() {
            let other = below(call, index as u64 + 1)?;
            characters.swap(index, usize::try_from(other).unwrap_or(index));
        }
        let mut text = Vec::with_capacity(characters.len());
        for character in characters {
            push(&mut text, character);
        }
        Ok(text.into())
    });
    functions.add("uuidv4", [], Type::String, |call, _| {
        let mut bytes = [0; 16];
        call.random(&mut bytes)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = super::hex(&bytes);
        for position in [8, 13, 18, 23] {
            text.insert(position, '-');
        }
        Ok(Value::String(Str::from(text)))
    });
}

/// A number below `count`, each with the same probability.
pub(super) fn below(call: &mut Call<'_>, count: u64) -> Result<u64, Error> {
    // Numbers beyond the last multiple of the count would favour the small ones.
    let limit = u64::MAX - u64::MAX % count;
    loop {
        let mut bytes = [0; 8];
        call.random(&mut bytes)?;
        let number = u64::from_le_bytes(bytes);
        if number < limit {
            return Ok(number % count);
        }
    }
}
