//! Paths with slashes, and of the file system of Unix, which are the same.

use crate::function::Functions;
use crate::string::Str;
use crate::types::Type;
use crate::value::Value;

pub(super) fn register(functions: &mut Functions) {
    for (names, change) in [
        (["base", "osBase"], base as fn(&[u8]) -> Vec<u8>),
        (["dir", "osDir"], dir),
        (["clean", "osClean"], clean),
        (["ext", "osExt"], |path| ext(path).to_vec()),
    ] {
        for name in names {
            functions.add(name, [Type::String], Type::String, move |_, args| {
                Ok(Value::from(Str::from(change(args.string(0)?))))
            });
        }
    }
    for name in ["isAbs", "osIsAbs"] {
        functions.add(name, [Type::String], Type::Bool, |_, args| {
            Ok(Value::from(args.string(0)?.starts_with(b"/")))
        });
    }
}

/// The last element.
fn base(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return b".".to_vec();
    }
    let end = path.iter().rposition(|byte| *byte != b'/');
    let Some(end) = end else {
        return b"/".to_vec();
    };
    let path = &path[..=end];
    let start = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    path[start..].to_vec()
}

/// All but the last element, cleaned.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

/// From the last dot of the last element on.
fn ext(path: &[u8]) -> &[u8] {
    let start = path
        .iter()
        .rposition(|byte| matches!(byte, b'/' | b'.'))
        .filter(|position| path[*position] == b'.');
    start.map_or(b"", |start| &path[start..])
}

/// The shortest equal path: without `.`, doubled slashes, and `..` after an element.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut elements: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." => match elements.last() {
                Some(last) if *last != b".." => {
                    elements.pop();
                }
                _ if rooted => {}
                _ => elements.push(element),
            },
            _ => elements.push(element),
        }
    }
    let mut cleaned = if rooted { b"/".to_vec() } else { Vec::new() };
    cleaned.extend(elements.join(&b'/'));
    if cleaned.is_empty() {
        cleaned.push(b'.');
    }
    cleaned
}
