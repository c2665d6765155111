//! Reading msgpack.

use std::collections::BTreeMap;

use super::reader::{Integer, Kind, Reader, TokenError};
use super::refinement;
use crate::concrete::{check_attributes, complete, dynamic_value, element_types};
use crate::error::{fail, unsupported_attribute};
use crate::ty::normalized;
use crate::{
    CodecError, CodecErrorKind, MAX_DEPTH, Number, ObjectType, ParseNumberError, Path, PathStep,
    Type, Value,
};

/// The largest capacity reserved from a claimed length before an element has been read.
const RESERVED_ELEMENTS: usize = 64;

/// Reads a value of type `ty`: integers of any width, floats and decimal text for a number; text or bytes for a
/// string; object attributes and map keys in any order; unknown values with or without refinements, which are checked
/// and dropped. Bytes after the value are not read, as in cty.
///
/// Unlike cty it fails on text that is not UTF-8, on NaN, on elements of mixed types, on an object or a tuple that is
/// empty although its type is not, and on nesting deeper than [`MAX_DEPTH`].
///
/// # Errors
/// [`CodecError`] with the path of the first fault.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    let mut decoder = Decoder {
        reader: Reader::new(bytes),
        path: Path::root(),
        depth: 0,
    };
    decoder.value(ty)
}

struct Decoder<'a> {
    reader: Reader<'a>,
    path: Path,
    depth: usize,
}

impl Decoder<'_> {
    fn value(&mut self, ty: &Type) -> Result<Value, CodecError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(&self.path, CodecErrorKind::TooDeep);
        }
        let next = self.reader.peek();
        let value = match (self.token(next, ty.kind())?, ty) {
            (Kind::Extension, _) => self.unknown(ty)?,
            (Kind::Nil, _) => {
                let nil = self.reader.nil();
                self.token(nil, "nil")?;
                Value::Null
            }
            (_, Type::Dynamic) => self.dynamic()?,
            (_, Type::String) => Value::String(self.string("a string")?),
            (_, Type::Number) => {
                let number = read_number(&mut self.reader);
                Value::Number(number.or_else(|error| self.number_error(error))?)
            }
            (_, Type::Bool) => {
                let bool = self.reader.bool();
                Value::Bool(self.token(bool, "a bool")?)
            }
            (_, Type::List(element)) => Value::List(self.elements(element, "a list")?),
            (_, Type::Set(element)) => Value::set(self.elements(element, "a set")?),
            (_, Type::Map(element)) => Value::Map(self.map(element)?),
            (_, Type::Tuple(types)) => Value::Tuple(self.tuple(types)?),
            (_, Type::Object(object)) => Value::Object(self.object(object)?),
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Turns the failure to read a token into an error at the current path.
    fn token<T>(
        &self,
        result: Result<T, TokenError>,
        expected: &'static str,
    ) -> Result<T, CodecError> {
        result.or_else(|error| match error {
            TokenError::End => fail(&self.path, CodecErrorKind::Truncated { inside: expected }),
            TokenError::Kind(kind) => self.unexpected(expected, kind.describe().to_owned()),
        })
    }

    fn unexpected<T>(&self, expected: &'static str, found: String) -> Result<T, CodecError> {
        fail(&self.path, CodecErrorKind::Unexpected { expected, found })
    }

    fn number_error<T>(&self, error: NumberError) -> Result<T, CodecError> {
        match error {
            NumberError::Token(error) => self.token(Err(error), "a number"),
            NumberError::Number(error) => fail(&self.path, CodecErrorKind::Number(error)),
        }
    }

    fn string(&mut self, expected: &'static str) -> Result<String, CodecError> {
        let text = self.reader.text();
        match std::str::from_utf8(self.token(text, expected)?) {
            Ok(text) => Ok(normalized(text.to_owned())),
            Err(_) => fail(&self.path, CodecErrorKind::NotUtf8),
        }
    }

    /// A map key or attribute name as it stands, without normalization. cty reads nil as the empty name.
    fn name(&mut self) -> Result<String, CodecError> {
        const EXPECTED: &str = "the name of an element";
        if self.reader.peek() == Ok(Kind::Nil) {
            let nil = self.reader.nil();
            return self.token(nil, EXPECTED).map(|()| String::new());
        }
        let text = self.reader.text();
        match std::str::from_utf8(self.token(text, EXPECTED)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => fail(&self.path, CodecErrorKind::NotUtf8),
        }
    }

    fn below(&mut self, step: PathStep, ty: &Type) -> Result<Value, CodecError> {
        self.path.push(step);
        let value = self.value(ty)?;
        self.path.pop();
        Ok(value)
    }

    fn elements(&mut self, ty: &Type, expected: &'static str) -> Result<Vec<Value>, CodecError> {
        let length = self.reader.array_length();
        let length = self.token(length, expected)?;
        let mut elements = Vec::with_capacity(length.min(RESERVED_ELEMENTS));
        for (_, index) in (0..length).zip(0_i64..) {
            elements.push(self.below(PathStep::Index(index), ty)?);
        }
        let split = |(index, value)| (PathStep::Index(index), value);
        if let Some(common) = element_types((0..).zip(&elements), ty, &mut self.path, split)? {
            complete(elements.iter_mut(), &common);
        }
        Ok(elements)
    }

    fn map(&mut self, ty: &Type) -> Result<BTreeMap<String, Value>, CodecError> {
        let length = self.reader.map_length();
        let length = self.token(length, "a map")?;
        let mut elements = BTreeMap::new();
        for _ in 0..length {
            let key = normalized(self.name()?);
            let element = self.below(PathStep::Key(key.clone()), ty)?;
            elements.insert(key, element);
        }
        let split = |(key, value): (&String, _)| (PathStep::Key(key.clone()), value);
        if let Some(common) = element_types(elements.iter(), ty, &mut self.path, split)? {
            complete(elements.values_mut(), &common);
        }
        Ok(elements)
    }

    fn tuple(&mut self, types: &[Type]) -> Result<Vec<Value>, CodecError> {
        let length = self.reader.array_length();
        let length = self.token(length, "a tuple")?;
        if length != types.len() {
            return fail(
                &self.path,
                CodecErrorKind::TupleLength {
                    expected: types.len(),
                    found: length,
                },
            );
        }
        (0..)
            .zip(types)
            .map(|(index, ty)| self.below(PathStep::Index(index), ty))
            .collect()
    }

    fn object(&mut self, object: &ObjectType) -> Result<BTreeMap<String, Value>, CodecError> {
        let length = self.reader.map_length();
        let length = self.token(length, "an object")?;
        let mut attributes = BTreeMap::new();
        for _ in 0..length {
            let name = self.name()?;
            let Some(ty) = object.attribute(&name) else {
                return unsupported_attribute(&self.path, &name);
            };
            let value = self.below(PathStep::Attribute(name.clone()), ty)?;
            attributes.insert(name, value);
        }
        check_attributes(&attributes, object, &self.path)?;
        Ok(attributes)
    }

    fn dynamic(&mut self) -> Result<Value, CodecError> {
        const EXPECTED: &str = "an array of a type and a value";
        let length = self.reader.array_length();
        let length = self.token(length, EXPECTED)?;
        if length != 2 {
            return self.unexpected(EXPECTED, format!("an array of {length} elements"));
        }
        let json = self.reader.text();
        let json = self.token(json, EXPECTED)?;
        let ty =
            Type::from_json(json).or_else(|error| fail(&self.path, CodecErrorKind::Type(error)))?;
        let value = self.value(&ty)?;
        dynamic_value(value, &ty, &self.path)
    }

    fn unknown(&mut self, ty: &Type) -> Result<Value, CodecError> {
        const EXPECTED: &str = "an unknown value";
        /// The bound of cty, beyond which it suspects an attack.
        const LONGEST_REFINEMENT: usize = 1024;
        let extension = self.reader.extension();
        let extension = self.token(extension, EXPECTED)?;
        if extension.length > 1 {
            if extension.code != refinement::EXTENSION {
                let kind = CodecErrorKind::Extension {
                    code: extension.code,
                    length: extension.length,
                };
                return fail(&self.path, kind);
            }
            if extension.length > LONGEST_REFINEMENT {
                return fail(
                    &self.path,
                    CodecErrorKind::Refinement {
                        problem: "it is longer than 1024 bytes",
                    },
                );
            }
        }
        let body = self.reader.take(extension.length);
        let body = self.token(body, EXPECTED)?;
        if body.len() <= 1 {
            return Ok(Value::Unknown);
        }
        refinement::read(body, ty)
            .or_else(|problem| fail(&self.path, CodecErrorKind::Refinement { problem }))
    }
}

/// Why a number could not be read.
pub(super) enum NumberError {
    Token(TokenError),
    Number(ParseNumberError),
}

/// A number in any of the forms that cty reads.
pub(super) fn read_number(reader: &mut Reader<'_>) -> Result<Number, NumberError> {
    match reader.peek().map_err(NumberError::Token)? {
        Kind::Integer => match reader.integer().map_err(NumberError::Token)? {
            Integer::Signed(integer) => Ok(integer.into()),
            Integer::Unsigned(integer) => Ok(integer.into()),
        },
        Kind::Float => {
            let float = reader.float().map_err(NumberError::Token)?;
            float.try_into().map_err(NumberError::Number)
        }
        _ => {
            let text = reader.text().map_err(NumberError::Token)?;
            let text =
                std::str::from_utf8(text).or(Err(NumberError::Number(ParseNumberError::Syntax)))?;
            text.parse().map_err(NumberError::Number)
        }
    }
}
