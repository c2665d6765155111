//! Values between text and [`Value`]: keys of any type, and numbers of the kinds that go-yaml gives
//! them.

use std::fmt::Write;

use crate::string::Str;
use crate::text::float::append_float;
use crate::text::quote::quoted;
use crate::types::FloatKind;

/// A value and what it holds.
pub(super) struct Tree {
    /// What a collection holds comes after it; the root is the first.
    pub(super) nodes: Vec<Node>,
}

pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(FloatKind, f64),
    String(Str),
    /// Written as it is: a time.
    Plain(Str),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

impl Tree {
    pub(super) fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The nesting of each node, of the root 0; none for keys, and for what a later entry of the
    /// same key replaced.
    pub(super) fn depths(&self) -> Vec<Option<usize>> {
        let mut depths = vec![None; self.nodes.len()];
        if let Some(root) = depths.first_mut() {
            *root = Some(0);
        }
        for (id, node) in self.nodes.iter().enumerate() {
            let Some(depth) = depths[id] else {
                continue;
            };
            let inner = Some(depth + 1);
            match node {
                Node::Sequence(items) => items.iter().for_each(|&item| depths[item] = inner),
                Node::Mapping(entries) => {
                    entries.iter().for_each(|&(_, value)| depths[value] = inner);
                }
                _ => {}
            }
        }
        depths
    }

    /// The node as the verb `%#v` prints it.
    pub(super) fn go_syntax(&self, id: usize) -> String {
        let mut text = String::new();
        self.write_go_syntax(id, false, &mut text);
        text
    }

    fn write_go_syntax(&self, id: usize, nested: bool, text: &mut String) {
        stacker::maybe_grow(32 * 1024, 1024 * 1024, || match &self.nodes[id] {
            Node::Null if nested => text.push_str("interface {}(nil)"),
            Node::Null => text.push_str("<nil>"),
            Node::Bool(truth) => {
                let _ = write!(text, "{truth}");
            }
            Node::Int(number) => {
                let _ = write!(text, "{number}");
            }
            Node::Uint(number) => {
                let _ = write!(text, "{number:#x}");
            }
            Node::Float(kind, number) => {
                let mut digits = Vec::new();
                append_float(&mut digits, *number, b'g', None, *kind);
                text.push_str(&String::from_utf8_lossy(&digits));
            }
            Node::String(string) | Node::Plain(string) => text.push_str(&quoted(string)),
            Node::Sequence(items) => {
                text.push_str("[]interface {}{");
                for (index, &item) in items.iter().enumerate() {
                    if index > 0 {
                        text.push_str(", ");
                    }
                    self.write_go_syntax(item, true, text);
                }
                text.push('}');
            }
            Node::Mapping(entries) => {
                text.push_str("map[interface {}]interface {}{");
                let mut entries = entries.clone();
                entries.sort_by(|a, b| self.compare_keys(a.0, b.0));
                for (index, &(key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        text.push_str(", ");
                    }
                    self.write_go_syntax(key, true, text);
                    text.push(':');
                    self.write_go_syntax(value, true, text);
                }
                text.push('}');
            }
        });
    }

    /// The order in which Go prints the keys of a map. Among keys of different types Go's depends
    /// on where the program has the types in memory; this is the order of the vectors' program.
    fn compare_keys(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let rank = |node: &Node| match node {
            Node::Null => 0,
            Node::Uint(_) => 2,
            Node::Int(_) => 3,
            Node::Float(..) => 4,
            Node::Bool(_) => 5,
            _ => 1,
        };
        match (&self.nodes[a], &self.nodes[b]) {
            (Node::Bool(a), Node::Bool(b)) => a.cmp(b),
            (Node::Int(a), Node::Int(b)) => a.cmp(b),
            (Node::Uint(a), Node::Uint(b)) => a.cmp(b),
            (Node::Float(_, a), Node::Float(_, b)) => a.total_cmp(b),
            (Node::String(a), Node::String(b)) => a.cmp(b),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}
