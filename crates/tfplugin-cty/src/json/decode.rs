//! Reading JSON.

use std::collections::BTreeMap;

use super::reader::{Kind, Reader, SyntaxError};
use crate::concrete::{complete, dynamic_value, element_types};
use crate::error::{fail, unsupported_attribute};
use crate::ty::normalized;
use crate::{
    CodecError, CodecErrorKind, MAX_DEPTH, Number, ObjectType, Path, PathStep, Type, Value,
};

/// Reads a value of type `ty`, as leniently as cty does: `"12"` and `12` are both numbers and both strings, `"true"`
/// and `"1"` are bools, absent attributes are null, the last of equal names wins, and what follows the value is not
/// read.
///
/// # Errors
/// [`CodecError`] with the path of the first fault.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    let mut decoder = Decoder {
        path: Path::root(),
        depth: 0,
    };
    decoder.value(&mut Reader::new(bytes), ty)
}

struct Decoder {
    path: Path,
    depth: usize,
}

impl Decoder {
    fn syntax<T>(&self, result: Result<T, SyntaxError>) -> Result<T, CodecError> {
        result.or_else(|SyntaxError { offset, problem }| {
            fail(&self.path, CodecErrorKind::JsonSyntax { offset, problem })
        })
    }

    fn value(&mut self, reader: &mut Reader<'_>, ty: &Type) -> Result<Value, CodecError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(&self.path, CodecErrorKind::TooDeep);
        }
        let kind = self.syntax(reader.peek())?;
        let value = match (kind, ty) {
            (Kind::Null, _) => {
                self.syntax(reader.null())?;
                Value::Null
            }
            (Kind::Object, Type::Dynamic) => self.dynamic(reader)?,
            (Kind::String, Type::String) => {
                Value::String(normalized(self.syntax(reader.string())?))
            }
            (Kind::Number, Type::String) => Value::String(self.syntax(reader.number())?.to_owned()),
            (Kind::Bool, Type::String) => Value::String(self.syntax(reader.bool())?.to_string()),
            (Kind::Number, Type::Number) => {
                let text = self.syntax(reader.number())?;
                self.number(text)?
            }
            (Kind::String, Type::Number) => {
                let text = self.syntax(reader.string())?;
                self.number(&text)?
            }
            (Kind::Bool, Type::Bool) => Value::Bool(self.syntax(reader.bool())?),
            (Kind::String, Type::Bool) => match self.syntax(reader.string())?.as_str() {
                "true" | "1" => Value::Bool(true),
                "false" | "0" => Value::Bool(false),
                _ => return self.unexpected(ty, "a JSON string that is neither true nor false"),
            },
            (Kind::Array, Type::List(element)) => Value::List(self.elements(reader, element)?),
            (Kind::Array, Type::Set(element)) => Value::set(self.elements(reader, element)?),
            (Kind::Object, Type::Map(element)) => Value::Map(self.map(reader, element)?),
            (Kind::Array, Type::Tuple(types)) => Value::Tuple(self.tuple(reader, types)?),
            (Kind::Object, Type::Object(object)) => Value::Object(self.object(reader, object)?),
            (kind, ty) => return self.unexpected(ty, kind.describe()),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn below(
        &mut self,
        step: PathStep,
        reader: &mut Reader<'_>,
        ty: &Type,
    ) -> Result<Value, CodecError> {
        self.path.push(step);
        let value = self.value(reader, ty)?;
        self.path.pop();
        Ok(value)
    }

    fn number(&self, text: &str) -> Result<Value, CodecError> {
        match text.parse::<Number>() {
            Ok(number) => Ok(Value::Number(number)),
            Err(error) => fail(&self.path, CodecErrorKind::Number(error)),
        }
    }

    fn elements(&mut self, reader: &mut Reader<'_>, ty: &Type) -> Result<Vec<Value>, CodecError> {
        reader.open();
        let mut elements = Vec::new();
        let mut index = 0;
        while self.syntax(reader.next_item(b']', index == 0))? {
            elements.push(self.below(PathStep::Index(index), reader, ty)?);
            index += 1;
        }
        let split = |(index, value)| (PathStep::Index(index), value);
        if let Some(common) = element_types((0..).zip(&elements), ty, &mut self.path, split)? {
            complete(elements.iter_mut(), &common);
        }
        Ok(elements)
    }

    fn map(
        &mut self,
        reader: &mut Reader<'_>,
        ty: &Type,
    ) -> Result<BTreeMap<String, Value>, CodecError> {
        reader.open();
        let mut elements = BTreeMap::new();
        let mut first = true;
        while self.syntax(reader.next_item(b'}', first))? {
            first = false;
            let key = normalized(self.syntax(reader.key())?);
            let element = self.below(PathStep::Key(key.clone()), reader, ty)?;
            elements.insert(key, element);
        }
        let split = |(key, value): (&String, _)| (PathStep::Key(key.clone()), value);
        if let Some(common) = element_types(elements.iter(), ty, &mut self.path, split)? {
            complete(elements.values_mut(), &common);
        }
        Ok(elements)
    }

    fn tuple(&mut self, reader: &mut Reader<'_>, types: &[Type]) -> Result<Vec<Value>, CodecError> {
        reader.open();
        let mut elements = Vec::new();
        while self.syntax(reader.next_item(b']', elements.is_empty()))? {
            let Some(ty) = types.get(elements.len()) else {
                let kind = CodecErrorKind::TupleLength {
                    expected: types.len(),
                    found: elements.len() + 1,
                };
                return fail(&self.path, kind);
            };
            // The length of a type fits.
            let index = i64::try_from(elements.len()).unwrap_or(i64::MAX);
            elements.push(self.below(PathStep::Index(index), reader, ty)?);
        }
        if elements.len() != types.len() {
            return fail(
                &self.path,
                CodecErrorKind::TupleLength {
                    expected: types.len(),
                    found: elements.len(),
                },
            );
        }
        Ok(elements)
    }

    fn object(
        &mut self,
        reader: &mut Reader<'_>,
        object: &ObjectType,
    ) -> Result<BTreeMap<String, Value>, CodecError> {
        reader.open();
        let mut attributes = BTreeMap::new();
        let mut first = true;
        while self.syntax(reader.next_item(b'}', first))? {
            first = false;
            let name = self.syntax(reader.key())?;
            let Some(ty) = object.attribute(&name) else {
                return unsupported_attribute(&self.path, &name);
            };
            let value = self.below(PathStep::Attribute(name.clone()), reader, ty)?;
            attributes.insert(name, value);
        }
        for name in object.attributes().keys() {
            if !attributes.contains_key(name) {
                attributes.insert(name.clone(), Value::Null);
            }
        }
        Ok(attributes)
    }

    fn dynamic(&mut self, reader: &mut Reader<'_>) -> Result<Value, CodecError> {
        reader.open();
        let mut ty = None;
        let mut value = None;
        let mut first = true;
        while self.syntax(reader.next_item(b'}', first))? {
            first = false;
            match self.syntax(reader.key())?.as_str() {
                "type" => {
                    let text = self.syntax(reader.skip())?;
                    ty = Some(
                        Type::from_json(text)
                            .or_else(|error| fail(&self.path, CodecErrorKind::Type(error)))?,
                    );
                }
                "value" => value = Some(self.syntax(reader.skip())?),
                _ => {
                    return self.unexpected(
                        &Type::Dynamic,
                        "a JSON object with other names than type and value",
                    );
                }
            }
        }
        let (Some(ty), Some(value)) = (ty, value) else {
            return self.unexpected(
                &Type::Dynamic,
                "a JSON object without the names type and value",
            );
        };
        let value = self.value(&mut Reader::new(value), &ty)?;
        dynamic_value(value, &ty, &self.path)
    }

    fn unexpected<T>(&self, ty: &Type, found: &str) -> Result<T, CodecError> {
        fail(
            &self.path,
            CodecErrorKind::Unexpected {
                expected: ty.kind(),
                found: found.to_owned(),
            },
        )
    }
}
