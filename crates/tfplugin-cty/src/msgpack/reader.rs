//! A reader of msgpack tokens that never trusts a claimed length.

/// What comes next in the input, by its marker byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nil,
    Bool,
    Integer,
    Float,
    /// Text or bytes: cty reads either for a string.
    Text,
    Array,
    Map,
    Extension,
    /// The one marker that msgpack never uses.
    Reserved,
}

impl Kind {
    fn of(marker: u8) -> Self {
        match marker {
            0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff => Self::Integer,
            0x80..=0x8f | 0xde | 0xdf => Self::Map,
            0x90..=0x9f | 0xdc | 0xdd => Self::Array,
            0xa0..=0xbf | 0xc4..=0xc6 | 0xd9..=0xdb => Self::Text,
            0xc0 => Self::Nil,
            0xc1 => Self::Reserved,
            0xc2 | 0xc3 => Self::Bool,
            0xc7..=0xc9 | 0xd4..=0xd8 => Self::Extension,
            0xca | 0xcb => Self::Float,
        }
    }

    /// The kind in words, for messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Nil => "a msgpack nil",
            Self::Bool => "a msgpack bool",
            Self::Integer => "a msgpack integer",
            Self::Float => "a msgpack float",
            Self::Text => "a msgpack string",
            Self::Array => "a msgpack array",
            Self::Map => "a msgpack map",
            Self::Extension => "a msgpack extension",
            Self::Reserved => "the byte c1, which msgpack does not use",
        }
    }
}

/// Why a token could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// The input ends first.
    End,
    /// The next token is of this kind.
    Kind(Kind),
}

/// An integer of any width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Integer {
    Signed(i64),
    Unsigned(u64),
}

/// The header of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) code: u8,
    /// As claimed by the input: its bytes may be absent.
    pub(super) length: usize,
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub(super) fn peek(&self) -> Result<Kind, TokenError> {
        self.rest
            .first()
            .map(|marker| Kind::of(*marker))
            .ok_or(TokenError::End)
    }

    /// Exactly `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], TokenError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(TokenError::End)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(TokenError::End)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, TokenError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn length8(&mut self) -> Result<usize, TokenError> {
        self.byte().map(usize::from)
    }

    fn length16(&mut self) -> Result<usize, TokenError> {
        self.array()
            .map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    fn length32(&mut self) -> Result<usize, TokenError> {
        // A length that the platform cannot address is longer than any input.
        self.array()
            .map(|bytes| usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX))
    }

    /// The marker of the next token, which must be of kind `kind`.
    fn marker(&mut self, kind: Kind) -> Result<u8, TokenError> {
        let found = self.peek()?;
        if found == kind {
            self.byte()
        } else {
            Err(TokenError::Kind(found))
        }
    }

    pub(super) fn nil(&mut self) -> Result<(), TokenError> {
        self.marker(Kind::Nil).map(|_| ())
    }

    pub(super) fn bool(&mut self) -> Result<bool, TokenError> {
        self.marker(Kind::Bool).map(|marker| marker == 0xc3)
    }

    pub(super) fn integer(&mut self) -> Result<Integer, TokenError> {
        let marker = self.marker(Kind::Integer)?;
        Ok(match marker {
            0xcc => Integer::Unsigned(self.byte()?.into()),
            0xcd => Integer::Unsigned(u16::from_be_bytes(self.array()?).into()),
            0xce => Integer::Unsigned(u32::from_be_bytes(self.array()?).into()),
            0xcf => Integer::Unsigned(u64::from_be_bytes(self.array()?)),
            0xd0 => Integer::Signed(i8::from_be_bytes(self.array()?).into()),
            0xd1 => Integer::Signed(i16::from_be_bytes(self.array()?).into()),
            0xd2 => Integer::Signed(i32::from_be_bytes(self.array()?).into()),
            0xd3 => Integer::Signed(i64::from_be_bytes(self.array()?)),
            fixed => Integer::Signed(i8::from_be_bytes([fixed]).into()),
        })
    }

    pub(super) fn float(&mut self) -> Result<f64, TokenError> {
        match self.marker(Kind::Float)? {
            0xca => Ok(f32::from_be_bytes(self.array()?).into()),
            _ => Ok(f64::from_be_bytes(self.array()?)),
        }
    }

    /// The bytes of a string or of binary data.
    pub(super) fn text(&mut self) -> Result<&'a [u8], TokenError> {
        let length = match self.marker(Kind::Text)? {
            0xc4 | 0xd9 => self.length8()?,
            0xc5 | 0xda => self.length16()?,
            0xc6 | 0xdb => self.length32()?,
            fixed => usize::from(fixed & 0x1f),
        };
        self.take(length)
    }

    /// The claimed count of elements of an array.
    pub(super) fn array_length(&mut self) -> Result<usize, TokenError> {
        match self.marker(Kind::Array)? {
            0xdc => self.length16(),
            0xdd => self.length32(),
            fixed => Ok(usize::from(fixed & 0x0f)),
        }
    }

    /// The claimed count of pairs of a map.
    pub(super) fn map_length(&mut self) -> Result<usize, TokenError> {
        match self.marker(Kind::Map)? {
            0xde => self.length16(),
            0xdf => self.length32(),
            fixed => Ok(usize::from(fixed & 0x0f)),
        }
    }

    pub(super) fn extension(&mut self) -> Result<Extension, TokenError> {
        let length = match self.marker(Kind::Extension)? {
            0xc7 => self.length8()?,
            0xc8 => self.length16()?,
            0xc9 => self.length32()?,
            fixed => 1 << (fixed - 0xd4),
        };
        Ok(Extension {
            code: self.byte()?,
            length,
        })
    }
}
