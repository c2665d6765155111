//! The nodes of a document.

use std::collections::HashMap;

use super::parser::{Event, EventKind, Parser};
use super::problem::Problem;

pub(super) struct Document {
    /// A collection comes before what it holds, the root is the first.
    pub(super) nodes: Vec<Node>,
}

pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// From 0.
    pub(super) line: usize,
}

pub(super) enum NodeKind {
    Alias {
        name: Vec<u8>,
        target: usize,
    },
    Scalar {
        /// In its long form; empty if there is none.
        tag: Vec<u8>,
        value: Vec<u8>,
        /// Whether the value decides about the type.
        implicit: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values in turn.
    Mapping(Vec<usize>),
}

impl Document {
    /// The first document of the text, or nothing if there is none.
    ///
    /// What comes after it is not read, except the token that shows that it ended.
    pub(super) fn first(text: &[u8]) -> Result<Option<Self>, Problem> {
        let mut parser = Parser::new(text);
        if let EventKind::StreamEnd = parser.next()?.kind {
            return Ok(None);
        }
        let mut nodes: Vec<Node> = Vec::new();
        let mut anchors = HashMap::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let Event { kind, line } = parser.next()?;
            let (anchor, kind) = match kind {
                EventKind::CollectionEnd => {
                    open.pop();
                    if open.is_empty() {
                        break;
                    }
                    continue;
                }
                EventKind::Alias(name) => {
                    let Some(&target) = anchors.get(&name) else {
                        let name = String::from_utf8_lossy(&name);
                        return Err(Problem::new(format!("unknown anchor '{name}' referenced")));
                    };
                    (None, NodeKind::Alias { name, target })
                }
                EventKind::Scalar {
                    anchor,
                    tag,
                    value,
                    implicit,
                } => (
                    anchor,
                    NodeKind::Scalar {
                        tag,
                        value,
                        implicit,
                    },
                ),
                EventKind::SequenceStart { anchor } => (anchor, NodeKind::Sequence(Vec::new())),
                EventKind::MappingStart { anchor } => (anchor, NodeKind::Mapping(Vec::new())),
                EventKind::StreamEnd | EventKind::DocumentStart | EventKind::DocumentEnd => {
                    return Err(Problem::new(
                        "attempted to go past the end of stream; corrupted value?",
                    ));
                }
            };
            let id = nodes.len();
            if let Some(anchor) = anchor {
                anchors.insert(anchor, id);
            }
            let collection = matches!(kind, NodeKind::Sequence(_) | NodeKind::Mapping(_));
            nodes.push(Node { kind, line });
            if let Some(&parent) = open.last()
                && let NodeKind::Sequence(children) | NodeKind::Mapping(children) =
                    &mut nodes[parent].kind
            {
                children.push(id);
            }
            if collection {
                open.push(id);
            } else if open.is_empty() {
                break;
            }
        }
        // The end of the document.
        parser.next()?;
        Ok(Some(Self { nodes }))
    }
}
