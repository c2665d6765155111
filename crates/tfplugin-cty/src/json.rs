//! The JSON form of values.

/// Writes `text` as Go's `encoding/json` does: `<`, `>`, `&`, U+2028 and U+2029 are escaped.
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

use crate::{CodecError, CodecErrorKind, Path, Type, Value};
/// Encodes.
pub fn encode(_value: &Value, _ty: &Type) -> Result<Vec<u8>, CodecError> {
    Err(CodecError {
        path: Path::root(),
        kind: CodecErrorKind::TooLong,
    })
}
/// Decodes.
pub fn decode(_bytes: &[u8], _ty: &Type) -> Result<Value, CodecError> {
    Err(CodecError {
        path: Path::root(),
        kind: CodecErrorKind::TooLong,
    })
}
impl Type {
    /// Reads the JSON form.
    pub fn from_json(_bytes: &[u8]) -> Result<Type, crate::TypeJsonError> {
        Err(crate::TypeJsonError::TooDeep)
    }
}
