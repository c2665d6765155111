//! Places inside a value.

use std::fmt;

use crate::Value;
use crate::set_order::write_go_quoted;

/// One step from a value down to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathStep {
    /// An attribute of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list or a tuple, counted from 0.
    Index(i64),
    /// An element of a set, named by itself. The plugin protocol has no form for it.
    Element(Value),
}

/// A place inside a value, from its root. `Display` writes it as Terraform does in messages,
/// `node_groups["a"].scaling_config.min_size`; the root is the empty text and a set element is `[...]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<PathStep>);

impl Path {
    /// The path of the whole value.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// This path and then an attribute of an object.
    #[must_use]
    pub fn attribute(self, name: impl Into<String>) -> Self {
        self.step(PathStep::Attribute(name.into()))
    }

    /// This path and then an element of a map.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        self.step(PathStep::Key(key.into()))
    }

    /// This path and then an element of a list or a tuple, counted from 0.
    #[must_use]
    pub fn index(self, index: i64) -> Self {
        self.step(PathStep::Index(index))
    }

    /// This path and then an element of a set.
    #[must_use]
    pub fn element(self, element: Value) -> Self {
        self.step(PathStep::Element(element))
    }

    /// This path and then `step`.
    #[must_use]
    pub fn step(mut self, step: PathStep) -> Self {
        self.0.push(step);
        self
    }

    /// Appends `step` in place.
    pub fn push(&mut self, step: PathStep) {
        self.0.push(step);
    }

    /// Removes and returns the last step.
    pub fn pop(&mut self) -> Option<PathStep> {
        self.0.pop()
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// Whether this is the path of the whole value.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path without its last step; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_last()?;
        Some(Self(parent.to_vec()))
    }

    /// Whether `self` is at or below `prefix`.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// This path and then all steps of `tail`.
    #[must_use]
    pub fn join(mut self, tail: &Self) -> Self {
        self.0.extend_from_slice(&tail.0);
        self
    }

    /// The text for error messages, which names the root too.
    pub(crate) fn for_message(&self) -> String {
        if self.is_root() {
            "the whole value".to_owned()
        } else {
            self.to_string()
        }
    }
}

impl From<Vec<PathStep>> for Path {
    fn from(steps: Vec<PathStep>) -> Self {
        Self(steps)
    }
}

impl FromIterator<PathStep> for Path {
    fn from_iter<I: IntoIterator<Item = PathStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl IntoIterator for Path {
    type Item = PathStep;
    type IntoIter = std::vec::IntoIter<PathStep>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Attribute(name) if position == 0 => formatter.write_str(name)?,
                PathStep::Attribute(name) => write!(formatter, ".{name}")?,
                PathStep::Key(key) => {
                    formatter.write_str("[")?;
                    write_go_quoted(key, formatter)?;
                    formatter.write_str("]")?;
                }
                PathStep::Index(index) => write!(formatter, "[{index}]")?,
                // The element may hold a secret, and Terraform writes it the same way.
                PathStep::Element(_) => formatter.write_str("[...]")?,
            }
        }
        Ok(())
    }
}
