//! As much of DER as keys and certificates need.

use num_bigint::BigUint;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A constructed value with a tag of the context.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Tag, length, content.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut encoded = vec![tag];
    if let Ok(short) = u8::try_from(length)
        && short < 0x80
    {
        encoded.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        encoded.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
        encoded.extend_from_slice(bytes);
    }
    encoded.extend_from_slice(content);
    encoded
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// A number of these big-endian bytes, not negative.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    match bytes.first() {
        None => value(INTEGER, &[0]),
        Some(first) if *first >= 0x80 => value(INTEGER, &[&[0], bytes].concat()),
        Some(_) => value(INTEGER, bytes),
    }
}

/// A string of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], bytes].concat())
}

/// Values one after another.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn has(&self, tag: u8) -> bool {
        self.rest.first() == Some(&tag)
    }

    /// The next value: its tag, its content, and all of it.
    pub(super) fn any(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (tag, after) = self.rest.split_first()?;
        let (first, mut after) = after.split_first()?;
        let length = if *first < 0x80 {
            usize::from(*first)
        } else {
            let (bytes, content) = after.split_at_checked(usize::from(first & 0x7f))?;
            after = content;
            if bytes.is_empty() || bytes.len() > 4 {
                return None;
            }
            bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte))
        };
        let (content, rest) = after.split_at_checked(length)?;
        let whole = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Some((*tag, content, whole))
    }

    /// The content of the next value, which has this tag.
    pub(super) fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.has(tag)
            .then(|| self.any())?
            .map(|(_, content, _)| content)
    }

    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.content(SEQUENCE).map(Self::new)
    }

    pub(super) fn integer(&mut self) -> Option<BigUint> {
        self.content(INTEGER).map(BigUint::from_bytes_be)
    }
}
