//! Writing msgpack.

use crate::concrete::{check_attributes, concrete_type, element_types, unwrap_dynamic};
use crate::error::fail;
use crate::set_order::canonical;
use crate::ty::normal;
use crate::{CodecError, CodecErrorKind, MAX_DEPTH, Number, Path, PathStep, Type, Value};

/// Writes `value` of type `ty`.
///
/// # Errors
/// [`CodecError`] with the path, when the value does not have the type, mixes element types under `dynamic`, or is
/// nested deeper than [`MAX_DEPTH`].
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, CodecError> {
    let mut encoder = Encoder {
        output: Vec::new(),
        path: Path::root(),
        depth: 0,
    };
    encoder.value(value, ty)?;
    Ok(encoder.output)
}

struct Encoder {
    output: Vec<u8>,
    path: Path,
    depth: usize,
}

impl Encoder {
    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), CodecError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(&self.path, CodecErrorKind::TooDeep);
        }
        if *ty == Type::Dynamic {
            self.dynamic(value)?;
        } else {
            self.typed(unwrap_dynamic(value, ty, &self.path)?, ty)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn null(&mut self) {
        self.output.push(0xc0);
    }

    fn unknown(&mut self) {
        self.output.extend_from_slice(&[0xd4, 0, 0]);
    }

    fn dynamic(&mut self, value: &Value) -> Result<(), CodecError> {
        match value {
            Value::Null => self.null(),
            Value::Unknown => self.unknown(),
            Value::Dynamic { ty, value } => {
                let concrete = concrete_type(value, ty, &self.path)?;
                if concrete == Type::Dynamic {
                    return self.value(value, &concrete);
                }
                self.dynamic_of(value, &concrete)?;
            }
            other => return self.unexpected(&Type::Dynamic, other),
        }
        Ok(())
    }

    /// A dynamic value together with its type.
    fn dynamic_of(&mut self, value: &Value, concrete: &Type) -> Result<(), CodecError> {
        self.output.push(0x92);
        let json = concrete.to_json();
        self.header(json.len(), None, Some(0xc4), 0xc5, 0xc6)?;
        self.output.extend_from_slice(&json);
        self.value(value, concrete)
    }

    fn typed(&mut self, value: &Value, ty: &Type) -> Result<(), CodecError> {
        match (value, ty) {
            (Value::Null, _) => self.null(),
            (Value::Unknown, _) => self.unknown(),
            (Value::String(text), Type::String) => self.string(text)?,
            (Value::Number(number), Type::Number) => self.number(number)?,
            (Value::Bool(bool), Type::Bool) => self.output.push(if *bool { 0xc3 } else { 0xc2 }),
            (Value::List(elements), Type::List(element)) => self.elements(elements, element)?,
            // An index says more in a message than the element, which may be a secret.
            (Value::Set(elements), Type::Set(element)) => {
                self.elements(&canonical(elements), element)?
            }
            (Value::Map(elements), Type::Map(ty)) => {
                let split = |(key, value): (&String, _)| (PathStep::Key(key.clone()), value);
                let concrete = element_types(elements.iter(), ty, &mut self.path, split)?;
                self.map_header(elements.len())?;
                for (key, element) in elements {
                    self.string(key)?;
                    self.below(PathStep::Key(key.clone()), |encoder| {
                        encoder.element(element, ty, concrete.as_ref())
                    })?;
                }
            }
            (Value::Tuple(elements), Type::Tuple(types)) => {
                if elements.len() != types.len() {
                    let kind = CodecErrorKind::TupleLength {
                        expected: types.len(),
                        found: elements.len(),
                    };
                    return fail(&self.path, kind);
                }
                self.array_header(elements.len())?;
                for (index, (element, ty)) in (0..).zip(elements.iter().zip(types)) {
                    self.below(PathStep::Index(index), |encoder| encoder.value(element, ty))?;
                }
            }
            (Value::Object(attributes), Type::Object(object)) => {
                check_attributes(attributes, object, &self.path)?;
                self.map_header(attributes.len())?;
                for ((name, value), ty) in attributes.iter().zip(object.attributes().values()) {
                    self.string(name)?;
                    self.below(PathStep::Attribute(name.clone()), |encoder| {
                        encoder.value(value, ty)
                    })?;
                }
            }
            (other, ty) => return self.unexpected(ty, other),
        }
        Ok(())
    }

    fn elements(&mut self, elements: &[Value], ty: &Type) -> Result<(), CodecError> {
        let split = |(index, element)| (PathStep::Index(index), element);
        let concrete = element_types((0..).zip(elements), ty, &mut self.path, split)?;
        self.array_header(elements.len())?;
        for (index, element) in (0..).zip(elements) {
            self.below(PathStep::Index(index), |encoder| {
                encoder.element(element, ty, concrete.as_ref())
            })?;
        }
        Ok(())
    }

    /// An element of a collection; `concrete` is the one type of all elements where `ty` is dynamic.
    fn element(
        &mut self,
        element: &Value,
        ty: &Type,
        concrete: Option<&Type>,
    ) -> Result<(), CodecError> {
        match concrete {
            Some(concrete) => self.dynamic_of(element.inner(), concrete),
            None => self.value(element, ty),
        }
    }

    fn below(
        &mut self,
        step: PathStep,
        write: impl FnOnce(&mut Self) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        self.path.push(step);
        write(self)?;
        self.path.pop();
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), CodecError> {
        let text = normal(text);
        self.header(text.len(), Some((0xa0, 32)), Some(0xd9), 0xda, 0xdb)?;
        self.output.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Result<(), CodecError> {
        match number.as_i64() {
            Some(integer) => self.integer(integer),
            // As Core since cty 1.18 does, integers beyond 64 bits are text even when a float would be exact.
            None => match number.as_exact_f64().filter(|_| !number.is_integer()) {
                Some(float) => {
                    self.output.push(0xcb);
                    self.output.extend_from_slice(&float.to_be_bytes());
                }
                None => self.string(&number.to_string())?,
            },
        }
        Ok(())
    }

    /// The shortest form; non-negative integers use the unsigned ones.
    fn integer(&mut self, integer: i64) {
        let bytes = integer.to_be_bytes();
        let (marker, length) = match integer {
            -0x20..=0x7f => (None, 1),
            0x80..=0xff => (Some(0xcc), 1),
            0x100..=0xffff => (Some(0xcd), 2),
            0x1_0000..=0xffff_ffff => (Some(0xce), 4),
            0x1_0000_0000.. => (Some(0xcf), 8),
            -0x80..=-0x21 => (Some(0xd0), 1),
            -0x8000..=-0x81 => (Some(0xd1), 2),
            -0x8000_0000..=-0x8001 => (Some(0xd2), 4),
            ..=-0x8000_0001 => (Some(0xd3), 8),
        };
        self.output.extend(marker);
        self.output
            .extend_from_slice(&bytes[bytes.len() - length..]);
    }

    fn array_header(&mut self, length: usize) -> Result<(), CodecError> {
        self.header(length, Some((0x90, 16)), None, 0xdc, 0xdd)
    }

    fn map_header(&mut self, length: usize) -> Result<(), CodecError> {
        self.header(length, Some((0x80, 16)), None, 0xde, 0xdf)
    }

    /// The shortest header: `fixed` is the marker and the first length that does not fit into it, then the markers for
    /// lengths of one, two and four bytes.
    fn header(
        &mut self,
        length: usize,
        fixed: Option<(u8, u8)>,
        one: Option<u8>,
        two: u8,
        four: u8,
    ) -> Result<(), CodecError> {
        let Ok(length) = u32::try_from(length) else {
            return fail(&self.path, CodecErrorKind::TooLong);
        };
        let bytes = length.to_be_bytes();
        match (fixed, one) {
            (Some((marker, limit)), _) if length < u32::from(limit) => {
                self.output.push(marker | bytes[3])
            }
            (_, Some(marker)) if length <= 0xff => {
                self.output.extend_from_slice(&[marker, bytes[3]])
            }
            _ if length <= 0xffff => self.output.extend_from_slice(&[two, bytes[2], bytes[3]]),
            _ => {
                self.output.push(four);
                self.output.extend_from_slice(&bytes);
            }
        }
        Ok(())
    }

    fn unexpected(&self, ty: &Type, found: &Value) -> Result<(), CodecError> {
        fail(
            &self.path,
            CodecErrorKind::Unexpected {
                expected: ty.kind(),
                found: found.kind().to_owned(),
            },
        )
    }
}
