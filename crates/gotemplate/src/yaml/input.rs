//! The characters of a text, decoded in the portions in which go-yaml decodes them.
//!
//! The portions are visible: an invalid character is reported as soon as the portion that holds
//! it is decoded, before anything wrong that the scanner would have found further ahead in the
//! portions before it, and a byte order mark is recognized only at the beginning of a portion.

use super::problem::Problem;

/// How many undecoded bytes are taken in at once.
const PORTION: usize = 512;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
}

/// A position in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// In characters, from 0.
    pub(super) index: usize,
    /// From 0.
    pub(super) line: usize,
    /// In characters, from 0.
    pub(super) column: usize,
}

pub(super) struct Input<'a> {
    raw: &'a [u8],
    raw_position: usize,
    /// The end of what was taken in.
    raw_end: usize,
    exhausted: bool,
    encoding: Option<Encoding>,
    /// What was decoded, as UTF-8. Zero bytes follow the end of the text.
    text: Vec<u8>,
    position: usize,
    /// Where the current portion begins in `text`.
    portion: usize,
    /// Characters decoded and not yet consumed.
    ahead: isize,
    pub(super) mark: Mark,
}

/// The length in bytes of the character that begins with this byte.
pub(super) const fn width(first: u8) -> usize {
    match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 0,
    }
}

/// Whether a line break begins there: CR, LF, NEL, LS or PS.
pub(super) fn is_break(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b'\r' | b'\n') => true,
        Some(0xc2) => text.get(at + 1) == Some(&0x85),
        Some(0xe2) => {
            text.get(at + 1) == Some(&0x80) && matches!(text.get(at + 2), Some(0xa8 | 0xa9))
        }
        _ => false,
    }
}

impl<'a> Input<'a> {
    pub(super) fn new(raw: &'a [u8]) -> Self {
        // An empty text is read as an empty line.
        let raw = if raw.is_empty() { b"\n" } else { raw };
        Self {
            raw,
            raw_position: 0,
            raw_end: 0,
            exhausted: false,
            encoding: None,
            text: Vec::with_capacity(raw.len() + 8),
            position: 0,
            portion: 0,
            ahead: 0,
            mark: Mark::default(),
        }
    }

    /// The byte that many bytes ahead; zero after the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.position + ahead).copied().unwrap_or(0)
    }

    pub(super) fn at_end(&self) -> bool {
        self.byte(0) == 0
    }

    pub(super) fn at_break(&self, ahead: usize) -> bool {
        is_break(&self.text, self.position + ahead)
    }

    pub(super) fn at_break_or_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.at_break(ahead)
    }

    /// Whether a space or a tab is there.
    pub(super) fn at_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    pub(super) fn at_blank_break_or_end(&self, ahead: usize) -> bool {
        self.at_blank(ahead) || self.at_break_or_end(ahead)
    }

    /// Whether the current portion begins with a byte order mark.
    pub(super) fn portion_has_byte_order_mark(&self) -> bool {
        self.text[self.portion.min(self.text.len())..].starts_with(b"\xef\xbb\xbf")
    }

    /// Passes over a character.
    pub(super) fn skip(&mut self) {
        self.mark.index += 1;
        self.mark.column += 1;
        self.ahead -= 1;
        self.position += width(self.byte(0)).max(1);
    }

    /// Passes over a line break, if one is here.
    pub(super) fn skip_break(&mut self) {
        if self.byte(0) == b'\r' && self.byte(1) == b'\n' {
            self.skip();
        }
        if self.at_break(0) {
            self.skip();
            self.mark.column = 0;
            self.mark.line += 1;
        }
    }

    /// Moves a character to the end of `target`.
    pub(super) fn read(&mut self, target: &mut Vec<u8>) {
        let from = self.position;
        self.skip();
        let to = self.position.min(self.text.len());
        target.extend_from_slice(&self.text[from.min(to)..to]);
    }

    /// Moves a line break to the end of `target`, if one is here: as it is when it is LS or PS,
    /// and as LF otherwise.
    pub(super) fn read_break(&mut self, target: &mut Vec<u8>) {
        if self.byte(0) == 0xe2 && self.at_break(0) {
            target.extend_from_slice(&self.text[self.position..self.position + 3]);
        } else if self.at_break(0) {
            target.push(b'\n');
        }
        self.skip_break();
    }

    /// Decodes until that many characters are ahead, or the text ends.
    pub(super) fn need(&mut self, characters: isize) -> Result<(), Problem> {
        if self.ahead >= characters {
            return Ok(());
        }
        if self.encoding.is_none() {
            self.determine_encoding();
        }
        self.portion = self.position;
        let mut first = true;
        while self.ahead < characters {
            if !first || self.raw_position == self.raw_end {
                self.take_in();
            }
            first = false;
            while self.raw_position != self.raw_end {
                if self.take_ascii() {
                    continue;
                }
                let decoded = match self.encoding {
                    Some(Encoding::Utf16LittleEndian) => self.utf16(u16::from_le_bytes)?,
                    Some(Encoding::Utf16BigEndian) => self.utf16(u16::from_be_bytes)?,
                    _ => self.utf8()?,
                };
                let Some((character, length)) = decoded else {
                    break;
                };
                let allowed = matches!(character,
                    '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
                    | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
                if !allowed {
                    return Err(Problem::new("control characters are not allowed"));
                }
                self.raw_position += length;
                let mut buffer = [0; 4];
                self.text
                    .extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                self.ahead += 1;
            }
            if self.exhausted {
                self.text.push(0);
                self.ahead += 1;
                break;
            }
        }
        Ok(())
    }

    /// Decodes the printable ASCII characters that come next at once, if there are any.
    fn take_ascii(&mut self) -> bool {
        if self.encoding != Some(Encoding::Utf8) {
            return false;
        }
        let plain = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\n');
        let available = &self.raw[self.raw_position..self.raw_end];
        let length = available.iter().take_while(plain).count();
        self.text.extend_from_slice(&available[..length]);
        self.raw_position += length;
        self.ahead += isize::try_from(length).unwrap_or(isize::MAX);
        length > 0
    }

    fn take_in(&mut self) {
        let kept = self.raw_end - self.raw_position;
        let more = (PORTION.saturating_sub(kept)).min(self.raw.len() - self.raw_end);
        if self.raw_end == self.raw.len() {
            self.exhausted = true;
        }
        self.raw_end += more;
    }

    fn determine_encoding(&mut self) {
        while !self.exhausted && self.raw_end < 3 {
            self.take_in();
        }
        let (encoding, mark) = match self.raw {
            [0xff, 0xfe, ..] => (Encoding::Utf16LittleEndian, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16BigEndian, 2),
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
            _ => (Encoding::Utf8, 0),
        };
        self.encoding = Some(encoding);
        self.raw_position = mark;
    }

    /// The next character and its length, or nothing if only a part of it was taken in.
    fn utf8(&self) -> Result<Option<(char, usize)>, Problem> {
        let available = &self.raw[self.raw_position..self.raw_end];
        let first = available[0];
        if first < 0x80 {
            return Ok(Some((char::from(first), 1)));
        }
        let length = width(first);
        if length == 0 {
            return Err(Problem::new("invalid leading UTF-8 octet"));
        }
        let Some(bytes) = available.get(..length) else {
            return if self.exhausted {
                Err(Problem::new("incomplete UTF-8 octet sequence"))
            } else {
                Ok(None)
            };
        };
        let mut value = u32::from(first) & (0x7f >> length);
        for byte in &bytes[1..] {
            if byte & 0xc0 != 0x80 {
                return Err(Problem::new("invalid trailing UTF-8 octet"));
            }
            value = value << 6 | u32::from(byte & 0x3f);
        }
        let shortest = [0, 0, 0x80, 0x800, 0x1_0000][length];
        if value < shortest {
            return Err(Problem::new("invalid length of a UTF-8 sequence"));
        }
        match char::from_u32(value) {
            Some(character) => Ok(Some((character, length))),
            None => Err(Problem::new("invalid Unicode character")),
        }
    }

    /// The same of UTF-16.
    fn utf16(&self, unit: fn([u8; 2]) -> u16) -> Result<Option<(char, usize)>, Problem> {
        let available = &self.raw[self.raw_position..self.raw_end];
        let incomplete = |message| {
            if self.exhausted {
                Err(Problem::new(message))
            } else {
                Ok(None)
            }
        };
        let &[a, b, ref rest @ ..] = available else {
            return incomplete("incomplete UTF-16 character");
        };
        let high = unit([a, b]);
        if high & 0xfc00 == 0xdc00 {
            return Err(Problem::new("unexpected low surrogate area"));
        }
        if high & 0xfc00 != 0xd800 {
            let character = char::from_u32(u32::from(high)).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Ok(Some((character, 2)));
        }
        let &[c, d, ..] = rest else {
            return incomplete("incomplete UTF-16 surrogate pair");
        };
        let low = unit([c, d]);
        if low & 0xfc00 != 0xdc00 {
            return Err(Problem::new("expected low surrogate area"));
        }
        let value = 0x1_0000 + (u32::from(high & 0x3ff) << 10) + u32::from(low & 0x3ff);
        let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        Ok(Some((character, 4)))
    }
}
