//! The msgpack form of values.
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
