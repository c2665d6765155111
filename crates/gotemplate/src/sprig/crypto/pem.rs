//! PEM as Go's encoding/pem reads and writes it.

use super::super::encoding::base64_decode;
use super::super::strings::find;
use crate::json::base64;

const START: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// What a block is, and its bytes.
pub(super) struct Block {
    pub(super) kind: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// A block in lines of 64 characters.
pub(super) fn encode(kind: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {kind}-----\n");
    for line in base64::encode(bytes).chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {kind}-----\n"));
    text
}

/// The first line without spaces at its end, and what follows it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &b""[..]),
    };
    let line = if line.len() < text.len() {
        line.strip_suffix(b"\r").unwrap_or(line)
    } else {
        line
    };
    let spaces = line
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    (&line[..line.len() - spaces], rest)
}

/// The first block; none if there is none that is whole.
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    let mut rest = text;
    loop {
        let end = find(rest, END)?;
        let after_end = end + END.len();
        if let Some(block) = block_before(rest, end) {
            return Some(block);
        }
        rest = &rest[after_end..];
    }
}

/// The block whose end line begins after `end`.
fn block_before(text: &[u8], end: usize) -> Option<Block> {
    let before = &text[..end];
    let begin = (0..before.len())
        .rev()
        .find(|position| before[*position..].starts_with(START))?;
    if begin > 0 && text[begin - 1] != b'\n' {
        return None;
    }
    let (kind, content) = line(&text[begin + START.len()..]);
    let kind = kind.strip_suffix(DASHES)?;
    // An empty block ends in the line end of its first line.
    let content_start = text.len() - content.len();
    let mut body = content;
    let mut has_headers = false;
    while body.len() > text.len() - end {
        let (header, next) = line(body);
        if !header.contains(&b':') {
            break;
        }
        has_headers = true;
        body = next;
    }
    let body_start = text.len() - body.len();
    if has_headers && body_start > end || content_start > end + 1 {
        return None;
    }
    let trailer = &text[end + END.len()..];
    let trailer = trailer.strip_prefix(kind)?.strip_prefix(DASHES)?;
    if !line(trailer).0.is_empty() {
        return None;
    }
    let data: Vec<u8> = text
        .get(body_start..end)
        .unwrap_or_default()
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b' ' | b'\t'))
        .collect();
    Some(Block {
        kind: kind.to_vec(),
        bytes: base64_decode(&data).ok()?,
    })
}
