//! Writing JSON.

use std::collections::BTreeMap;

use crate::concrete::{check_attributes, concrete_type, element_types, unwrap_dynamic};
use crate::error::fail;
use crate::set_order::canonical;
use crate::ty::normal;
use crate::{CodecError, CodecErrorKind, MAX_DEPTH, Path, PathStep, Type, Value};

/// Writes `value` of type `ty` byte for byte as cty does.
///
/// # Errors
/// [`CodecError`] with the path, when the value does not have the type, holds an unknown value or an infinity, mixes
/// element types under `dynamic`, or is nested deeper than [`MAX_DEPTH`].
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
            self.dynamic(value)?
        } else {
            self.typed(unwrap_dynamic(value, ty, &self.path)?, ty)?
        }
        self.depth -= 1;
        Ok(())
    }

    fn dynamic(&mut self, value: &Value) -> Result<(), CodecError> {
        match value {
            Value::Null => self.output.extend_from_slice(b"null"),
            Value::Unknown => return fail(&self.path, CodecErrorKind::UnknownInJson),
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
        self.output.extend_from_slice(br#"{"value":"#);
        self.value(value, concrete)?;
        self.output.extend_from_slice(br#","type":"#);
        self.output.extend_from_slice(&concrete.to_json());
        self.output.push(b'}');
        Ok(())
    }

    fn typed(&mut self, value: &Value, ty: &Type) -> Result<(), CodecError> {
        match (value, ty) {
            (Value::Null, _) => self.output.extend_from_slice(b"null"),
            (Value::Unknown, _) => return fail(&self.path, CodecErrorKind::UnknownInJson),
            (Value::String(text), Type::String) => write_string(&normal(text), &mut self.output),
            (Value::Number(number), Type::Number) => {
                if number.is_infinite() {
                    return fail(&self.path, CodecErrorKind::InfinityInJson);
                }
                self.output.extend_from_slice(number.to_string().as_bytes());
            }
            (Value::Bool(bool), Type::Bool) => {
                self.output
                    .extend_from_slice(if *bool { b"true" } else { b"false" });
            }
            (Value::List(elements), Type::List(element)) => self.elements(elements, element)?,
            // An index says more in a message than the element, which may be a secret.
            (Value::Set(elements), Type::Set(element)) => {
                self.elements(&canonical(elements), element)?
            }
            (Value::Map(elements), Type::Map(element)) => {
                let split = |(key, value): (&String, _)| (PathStep::Key(key.clone()), value);
                let concrete = element_types(elements.iter(), element, &mut self.path, split)?;
                self.entries(elements, PathStep::Key, |encoder, _, value| {
                    encoder.element(value, element, concrete.as_ref())
                })?;
            }
            (Value::Tuple(elements), Type::Tuple(types)) => {
                if elements.len() != types.len() {
                    let kind = CodecErrorKind::TupleLength {
                        expected: types.len(),
                        found: elements.len(),
                    };
                    return fail(&self.path, kind);
                }
                self.output.push(b'[');
                for (index, (element, ty)) in (0..).zip(elements.iter().zip(types)) {
                    if index > 0 {
                        self.output.push(b',');
                    }
                    self.below(PathStep::Index(index), |encoder| encoder.value(element, ty))?;
                }
                self.output.push(b']');
            }
            (Value::Object(attributes), Type::Object(object)) => {
                check_attributes(attributes, object, &self.path)?;
                self.entries(attributes, PathStep::Attribute, |encoder, name, value| {
                    object
                        .attribute(name)
                        .map_or(Ok(()), |ty| encoder.value(value, ty))
                })?;
            }
            (other, ty) => return self.unexpected(ty, other),
        }
        Ok(())
    }

    fn elements(&mut self, elements: &[Value], ty: &Type) -> Result<(), CodecError> {
        let split = |(index, element)| (PathStep::Index(index), element);
        let concrete = element_types((0..).zip(elements), ty, &mut self.path, split)?;
        self.output.push(b'[');
        for (index, element) in (0..).zip(elements) {
            if index > 0 {
                self.output.push(b',');
            }
            self.below(PathStep::Index(index), |encoder| {
                encoder.element(element, ty, concrete.as_ref())
            })?;
        }
        self.output.push(b']');
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

    fn entries(
        &mut self,
        entries: &BTreeMap<String, Value>,
        step: fn(String) -> PathStep,
        write: impl Fn(&mut Self, &str, &Value) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        self.output.push(b'{');
        for (position, (name, value)) in entries.iter().enumerate() {
            if position > 0 {
                self.output.push(b',');
            }
            write_string(&normal(name), &mut self.output);
            self.output.push(b':');
            self.below(step(name.clone()), |encoder| write(encoder, name, value))?;
        }
        self.output.push(b'}');
        Ok(())
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

/// Writes `text` as Go's `encoding/json` does, which also escapes `<`, `>`, `&`, U+2028 and U+2029.
pub(crate) fn write_string(text: &str, output: &mut Vec<u8>) {
    output.push(b'"');
    for character in text.chars() {
        match character {
            '"' => output.extend_from_slice(b"\\\""),
            '\\' => output.extend_from_slice(b"\\\\"),
            '\u{8}' => output.extend_from_slice(b"\\b"),
            '\u{c}' => output.extend_from_slice(b"\\f"),
            '\n' => output.extend_from_slice(b"\\n"),
            '\r' => output.extend_from_slice(b"\\r"),
            '\t' => output.extend_from_slice(b"\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                output.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            _ => output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    output.push(b'"');
}
