//! The JSON form of types.

use crate::json::reader::{Kind, Reader, SyntaxError};
use crate::json::write_string;
use crate::ty::normalized;
use crate::{MAX_DEPTH, ObjectType, Type};

/// Why bytes are not the JSON form of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeJsonError {
    /// Not JSON.
    #[error("invalid JSON at byte {offset}: {problem}")]
    Syntax {
        /// How many bytes of the input come before the fault.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// JSON that describes no type of cty.
    #[error("not a type of cty at byte {offset}: {problem}")]
    NotAType {
        /// How many bytes of the input come before the fault.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// Nesting beyond [`MAX_DEPTH`].
    #[error("the type is nested more than {} levels deep", MAX_DEPTH)]
    TooDeep,
}

impl Type {
    /// Reads the JSON form that cty writes, for example `["list","string"]`.
    ///
    /// # Errors
    /// When `bytes` are not JSON, describe no type, or nest deeper than [`MAX_DEPTH`].
    pub fn from_json(bytes: &[u8]) -> Result<Type, TypeJsonError> {
        let mut reader = Reader::new(bytes);
        let ty = read_type(&mut reader, 0)?;
        if !reader.at_end() {
            return not_a_type(&reader, "more follows after the type");
        }
        Ok(ty)
    }

    /// The JSON form as cty writes it, for example `["list","string"]`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut output = Vec::new();
        self.write_json(&mut output);
        output
    }

    fn write_json(&self, output: &mut Vec<u8>) {
        match self {
            Self::String => output.extend_from_slice(br#""string""#),
            Self::Number => output.extend_from_slice(br#""number""#),
            Self::Bool => output.extend_from_slice(br#""bool""#),
            Self::Dynamic => output.extend_from_slice(br#""dynamic""#),
            Self::List(element) => write_collection(br#"["list","#, element, output),
            Self::Set(element) => write_collection(br#"["set","#, element, output),
            Self::Map(element) => write_collection(br#"["map","#, element, output),
            Self::Tuple(elements) => {
                output.extend_from_slice(br#"["tuple",["#);
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        output.push(b',');
                    }
                    element.write_json(output);
                }
                output.extend_from_slice(b"]]");
            }
            Self::Object(object) => {
                output.extend_from_slice(br#"["object",{"#);
                for (position, (name, ty)) in object.attributes().iter().enumerate() {
                    if position > 0 {
                        output.push(b',');
                    }
                    write_string(name, output);
                    output.push(b':');
                    ty.write_json(output);
                }
                output.push(b'}');
                for (position, name) in object.optional().iter().enumerate() {
                    output.extend_from_slice(if position == 0 { b",[" } else { b"," });
                    write_string(name, output);
                }
                output.extend_from_slice(if object.optional().is_empty() {
                    b"]"
                } else {
                    b"]]"
                });
            }
        }
    }
}

fn write_collection(head: &[u8], element: &Type, output: &mut Vec<u8>) {
    output.extend_from_slice(head);
    element.write_json(output);
    output.push(b']');
}

impl From<SyntaxError> for TypeJsonError {
    fn from(SyntaxError { offset, problem }: SyntaxError) -> Self {
        Self::Syntax { offset, problem }
    }
}

fn not_a_type<T>(reader: &Reader<'_>, problem: &'static str) -> Result<T, TypeJsonError> {
    Err(TypeJsonError::NotAType {
        offset: reader.offset(),
        problem,
    })
}

fn read_type(reader: &mut Reader<'_>, depth: usize) -> Result<Type, TypeJsonError> {
    let depth = depth + 1;
    if depth > MAX_DEPTH {
        return Err(TypeJsonError::TooDeep);
    }
    match reader.peek()? {
        Kind::String => match reader.string()?.as_str() {
            "string" => Ok(Type::String),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "dynamic" => Ok(Type::Dynamic),
            _ => not_a_type(reader, "expected string, number, bool or dynamic"),
        },
        Kind::Array => {
            reader.open();
            if !reader.next_item(b']', true)? || reader.peek()? != Kind::String {
                return not_a_type(reader, "expected list, set, map, tuple or object");
            }
            let kind = reader.string()?;
            if !reader.next_item(b']', false)? {
                return not_a_type(reader, "expected what the type is made of");
            }
            let ty = match kind.as_str() {
                "list" => Type::list(read_type(reader, depth)?),
                "set" => Type::set(read_type(reader, depth)?),
                "map" => Type::map(read_type(reader, depth)?),
                "tuple" => Type::Tuple(read_tuple(reader, depth)?),
                "object" => return read_object(reader, depth).map(Type::Object),
                _ => return not_a_type(reader, "expected list, set, map, tuple or object"),
            };
            if reader.next_item(b']', false)? {
                return not_a_type(reader, "more follows in the type");
            }
            Ok(ty)
        }
        _ => not_a_type(reader, "expected a string or an array"),
    }
}

/// As in Go, null stands for an array or object without content.
fn enter(
    reader: &mut Reader<'_>,
    kind: Kind,
    problem: &'static str,
) -> Result<bool, TypeJsonError> {
    match reader.peek()? {
        Kind::Null => {
            reader.null()?;
            Ok(false)
        }
        found if found == kind => {
            reader.open();
            Ok(true)
        }
        _ => not_a_type(reader, problem),
    }
}

fn read_tuple(reader: &mut Reader<'_>, depth: usize) -> Result<Vec<Type>, TypeJsonError> {
    let mut elements = Vec::new();
    if enter(reader, Kind::Array, "expected the types of the elements")? {
        while reader.next_item(b']', elements.is_empty())? {
            elements.push(read_type(reader, depth)?);
        }
    }
    Ok(elements)
}

/// From the attributes to the end of the array around them.
fn read_object(reader: &mut Reader<'_>, depth: usize) -> Result<ObjectType, TypeJsonError> {
    let mut attributes = Vec::new();
    if enter(reader, Kind::Object, "expected the types of the attributes")? {
        while reader.next_item(b'}', attributes.is_empty())? {
            let name = reader.key()?;
            attributes.push((name, read_type(reader, depth)?));
        }
    }
    let object = ObjectType::new(attributes);
    if !reader.next_item(b']', false)? {
        return Ok(object);
    }
    let mut optional: Vec<String> = Vec::new();
    if enter(
        reader,
        Kind::Array,
        "expected the names of the optional attributes",
    )? {
        while reader.next_item(b']', optional.is_empty())? {
            if reader.peek()? != Kind::String {
                return not_a_type(reader, "expected the name of an optional attribute");
            }
            let name = normalized(reader.string()?);
            if object.attribute(&name).is_none() {
                return not_a_type(reader, "an optional attribute is not among the attributes");
            }
            optional.push(name);
        }
    }
    if reader.next_item(b']', false)? {
        return not_a_type(reader, "more follows in the type");
    }
    Ok(object.with_optional(optional))
}
