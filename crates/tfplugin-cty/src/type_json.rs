//! The JSON form of types.

use crate::Type;
use crate::json::write_string;

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
    /// Nesting beyond [`crate::MAX_DEPTH`].
    #[error("the type is nested more than {} levels deep", crate::MAX_DEPTH)]
    TooDeep,
}

impl Type {
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
