//! From the nodes of a document to values.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::json::base64;
use crate::string::Str;
use crate::types::FloatKind;

use super::document::{Document, NodeKind};
use super::problem::Problem;
use super::resolve::{self, Scalar};
use super::tree::{Node, Tree};

/// Up to so many decoded nodes, 99 of 100 may come from aliases.
const SMALL: f64 = 400_000.0;

/// From so many decoded nodes on, 10 of 100 may come from aliases.
const LARGE: f64 = 4_000_000.0;

/// Decodes the first document of the text; null if there is none. The error is the whole text that
/// go-yaml prints.
pub(super) fn decode(text: &[u8], strict: bool) -> Result<Tree, String> {
    let prefixed = |problem: Problem| format!("yaml: {problem}");
    let mut tree = Tree { nodes: Vec::new() };
    let Some(document) = Document::first(text).map_err(prefixed)? else {
        tree.add(Node::Null);
        return Ok(tree);
    };
    let mut decoder = Decoder {
        document: &document,
        tree,
        strict,
        keys: HashMap::new(),
        open_aliases: HashSet::new(),
        // The document counts as a node.
        decoded: 1,
        from_aliases: 0,
        duplicates: Vec::new(),
    };
    decoder.value(0).map_err(prefixed)?;
    if decoder.duplicates.is_empty() {
        return Ok(decoder.tree);
    }
    let errors = decoder.duplicates.join("\n  ");
    Err(format!("yaml: unmarshal errors:\n  {errors}"))
}

struct Decoder<'a> {
    document: &'a Document,
    tree: Tree,
    strict: bool,
    /// Where an entry of a mapping is in its list, by mapping and key.
    keys: HashMap<(usize, Key), usize>,
    open_aliases: HashSet<usize>,
    decoded: usize,
    from_aliases: usize,
    duplicates: Vec<String>,
}

/// A key as Go compares it.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    String(Str),
}

impl Decoder<'_> {
    fn count(&mut self) -> Result<(), Problem> {
        self.decoded += 1;
        if !self.open_aliases.is_empty() {
            self.from_aliases += 1;
        }
        if self.from_aliases <= 100 || self.decoded <= 1000 {
            return Ok(());
        }
        let decoded = self.decoded as f64;
        let over = ((decoded - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        let allowed = if decoded >= LARGE {
            0.10
        } else {
            0.99 - 0.89 * over
        };
        if self.from_aliases as f64 / decoded > allowed {
            return Err(Problem::new("document contains excessive aliasing"));
        }
        Ok(())
    }

    /// Goes on with what an alias stands for.
    fn follow<T>(
        &mut self,
        alias: usize,
        name: &[u8],
        go_on: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if !self.open_aliases.insert(alias) {
            let name = String::from_utf8_lossy(name);
            return Err(Problem::new(format!(
                "anchor '{name}' value contains itself"
            )));
        }
        let result = go_on(self)?;
        self.open_aliases.remove(&alias);
        Ok(result)
    }

    fn value(&mut self, id: usize) -> Result<usize, Problem> {
        stacker::maybe_grow(32 * 1024, 1024 * 1024, || self.value_on_stack(id))
    }

    fn value_on_stack(&mut self, id: usize) -> Result<usize, Problem> {
        self.count()?;
        match &self.document.nodes[id].kind {
            NodeKind::Alias { name, target } => {
                self.follow(id, name, |decoder| decoder.value(*target))
            }
            NodeKind::Scalar {
                tag,
                value,
                implicit,
            } => {
                let node = scalar(tag, value, *implicit)?;
                Ok(self.tree.add(node))
            }
            NodeKind::Sequence(items) => {
                let sequence = self.tree.add(Node::Sequence(Vec::new()));
                let mut values = Vec::with_capacity(items.len());
                for &item in items {
                    values.push(self.value(item)?);
                }
                self.tree.nodes[sequence] = Node::Sequence(values);
                Ok(sequence)
            }
            NodeKind::Mapping(children) => {
                let mapping = self.tree.add(Node::Mapping(Vec::new()));
                self.fill(mapping, children)?;
                Ok(mapping)
            }
        }
    }

    /// Adds keys and values to a mapping.
    fn fill(&mut self, mapping: usize, children: &[usize]) -> Result<(), Problem> {
        for pair in children.chunks(2) {
            let &[key_node, value_node] = pair else {
                break;
            };
            if self.is_merge_key(key_node) {
                self.merge(mapping, value_node)?;
                continue;
            }
            let key = self.value(key_node)?;
            let comparable = match &self.tree.nodes[key] {
                Node::Null => Some(Key::Null),
                Node::Bool(truth) => Some(Key::Bool(*truth)),
                Node::Int(number) => Some(Key::Int(*number)),
                Node::Uint(number) => Some(Key::Uint(*number)),
                // Not a number is a new key each time.
                Node::Float(_, number) if number.is_nan() => None,
                Node::Float(_, number) => Some(Key::Float((number + 0.0).to_bits())),
                Node::String(string) | Node::Plain(string) => Some(Key::String(string.clone())),
                Node::Sequence(_) | Node::Mapping(_) => {
                    let key = self.tree.go_syntax(key);
                    return Err(Problem::new(format!("invalid map key: {key}")));
                }
            };
            let value = self.value(value_node)?;
            let Node::Mapping(entries) = &mut self.tree.nodes[mapping] else {
                continue;
            };
            let Some(comparable) = comparable else {
                entries.push((key, value));
                continue;
            };
            match self.keys.entry((mapping, comparable)) {
                Entry::Vacant(vacant) => {
                    vacant.insert(entries.len());
                    entries.push((key, value));
                }
                Entry::Occupied(_) if self.strict => {
                    let line = self.document.nodes[value_node].line + 1;
                    let key = self.tree.go_syntax(key);
                    self.duplicates
                        .push(format!("line {line}: key {key} already set in map"));
                }
                Entry::Occupied(occupied) => {
                    if let Some(entry) = entries.get_mut(*occupied.get()) {
                        *entry = (key, value);
                    }
                }
            }
        }
        Ok(())
    }

    fn is_merge_key(&self, id: usize) -> bool {
        match &self.document.nodes[id].kind {
            NodeKind::Scalar {
                tag,
                value,
                implicit,
            } => value == b"<<" && (*implicit || resolve::is_merge(tag)),
            _ => false,
        }
    }

    /// Adds the entries of mappings to a mapping.
    fn merge(&mut self, mapping: usize, id: usize) -> Result<(), Problem> {
        match &self.document.nodes[id].kind {
            NodeKind::Sequence(items) => {
                // The first one wins.
                for &item in items.iter().rev() {
                    if let NodeKind::Sequence(_) = self.document.nodes[item].kind {
                        return Err(no_mapping());
                    }
                    self.merge_mapping(mapping, item)?;
                }
                Ok(())
            }
            _ => self.merge_mapping(mapping, id),
        }
    }

    fn merge_mapping(&mut self, mapping: usize, id: usize) -> Result<(), Problem> {
        stacker::maybe_grow(32 * 1024, 1024 * 1024, || {
            match &self.document.nodes[id].kind {
                NodeKind::Mapping(children) => {
                    self.count()?;
                    self.fill(mapping, children)
                }
                NodeKind::Alias { name, target }
                    if matches!(self.document.nodes[*target].kind, NodeKind::Mapping(_)) =>
                {
                    self.count()?;
                    self.follow(id, name, |decoder| decoder.merge_mapping(mapping, *target))
                }
                _ => Err(no_mapping()),
            }
        })
    }
}

fn no_mapping() -> Problem {
    Problem::new("map merge requires map or sequence of maps as the value")
}

fn scalar(tag: &[u8], value: &[u8], implicit: bool) -> Result<Node, Problem> {
    if tag.is_empty() && !implicit {
        return Ok(Node::String(value.into()));
    }
    if resolve::is_binary(tag) {
        return match base64::decode(value) {
            Some(bytes) => Ok(Node::String(bytes.into())),
            None => Err(Problem::new("!!binary value contains invalid base64 data")),
        };
    }
    Ok(match resolve::resolve(tag, value)? {
        Scalar::Null => Node::Null,
        Scalar::Bool(truth) => Node::Bool(truth),
        Scalar::Int(number) => Node::Int(number),
        Scalar::Uint(number) => Node::Uint(number),
        Scalar::Float(number) => Node::Float(FloatKind::Float64, number),
        Scalar::Timestamp | Scalar::String => Node::String(value.into()),
    })
}
