//! Visiting, rebuilding and comparing values with the path in hand.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use crate::{Path, PathStep, Value};

impl Value {
    /// Calls `visit` for the value and for all its parts, parents first. A part is entered only when `visit` returned
    /// true for it. Dynamic values are visited once, as themselves, and add no step.
    pub fn walk(&self, mut visit: impl FnMut(&Path, &Value) -> bool) {
        self.walk_at(&mut Path::root(), &mut visit);
    }

    fn walk_at(&self, path: &mut Path, visit: &mut impl FnMut(&Path, &Value) -> bool) {
        if !visit(path, self) {
            return;
        }
        let mut below = |step: PathStep, value: &Value| {
            path.push(step);
            value.walk_at(path, visit);
            path.pop();
        };
        match self.inner() {
            Self::Null
            | Self::Unknown
            | Self::String(_)
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Dynamic { .. } => {}
            Self::List(elements) | Self::Tuple(elements) => {
                (0..)
                    .zip(elements)
                    .for_each(|(index, element)| below(PathStep::Index(index), element));
            }
            Self::Set(elements) => {
                elements
                    .iter()
                    .for_each(|element| below(PathStep::Element(element.clone()), element));
            }
            Self::Map(elements) => {
                elements
                    .iter()
                    .for_each(|(key, element)| below(PathStep::Key(key.clone()), element));
            }
            Self::Object(attributes) => {
                attributes
                    .iter()
                    .for_each(|(name, value)| below(PathStep::Attribute(name.clone()), value));
            }
        }
    }

    /// Rebuilds the value: `change` receives every part with its path, children before their parents, and returns
    /// what takes its place. In a path a set element is named by what it was before. Sets are sorted again.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn try_transform<E>(
        self,
        mut change: impl FnMut(&Path, Value) -> Result<Value, E>,
    ) -> Result<Value, E> {
        self.transform_at(&mut Path::root(), &mut change)
    }

    /// As [`Value::try_transform`], for a `change` that cannot fail.
    #[must_use]
    pub fn transform(self, mut change: impl FnMut(&Path, Value) -> Value) -> Value {
        match self.try_transform::<Infallible>(|path, value| Ok(change(path, value))) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    fn transform_at<E>(
        self,
        path: &mut Path,
        change: &mut impl FnMut(&Path, Value) -> Result<Value, E>,
    ) -> Result<Value, E> {
        let rebuilt = self.transform_parts(path, change)?;
        change(path, rebuilt)
    }

    fn transform_parts<E>(
        self,
        path: &mut Path,
        change: &mut impl FnMut(&Path, Value) -> Result<Value, E>,
    ) -> Result<Value, E> {
        let mut below = |step: PathStep, value: Value| {
            path.push(step);
            let result = value.transform_at(path, change);
            path.pop();
            result
        };
        Ok(match self {
            Self::Null | Self::Unknown | Self::String(_) | Self::Number(_) | Self::Bool(_) => self,
            Self::List(elements) => Self::List(indexed(elements, &mut below)?),
            Self::Tuple(elements) => Self::Tuple(indexed(elements, &mut below)?),
            Self::Set(elements) => {
                let elements: Result<Vec<_>, E> = elements
                    .into_iter()
                    .map(|element| below(PathStep::Element(element.clone()), element))
                    .collect();
                Self::set(elements?)
            }
            Self::Map(elements) => Self::Map(named(elements, PathStep::Key, &mut below)?),
            Self::Object(attributes) => {
                Self::Object(named(attributes, PathStep::Attribute, &mut below)?)
            }
            Self::Dynamic { ty, value } => {
                let value = value.transform_parts(path, change)?;
                Self::Dynamic {
                    ty,
                    value: Box::new(value),
                }
            }
        })
    }

    /// The paths at which `self` and `other` differ, in order, as deep as they can be told apart: attributes, map
    /// keys and indexes, also those that only one side has. A set is named as a whole, because its elements have no
    /// path in the plugin protocol, and so is a part that is null, unknown or of another kind on one side only.
    pub fn diff(&self, other: &Value) -> Vec<Path> {
        let mut paths = Vec::new();
        diff_at(self, other, &mut Path::root(), &mut paths);
        paths
    }
}

fn indexed<E>(
    elements: Vec<Value>,
    below: &mut impl FnMut(PathStep, Value) -> Result<Value, E>,
) -> Result<Vec<Value>, E> {
    (0..)
        .zip(elements)
        .map(|(index, element)| below(PathStep::Index(index), element))
        .collect()
}

fn named<E>(
    entries: BTreeMap<String, Value>,
    step: fn(String) -> PathStep,
    below: &mut impl FnMut(PathStep, Value) -> Result<Value, E>,
) -> Result<BTreeMap<String, Value>, E> {
    entries
        .into_iter()
        .map(|(name, value)| Ok((name.clone(), below(step(name), value)?)))
        .collect()
}

fn diff_at(left: &Value, right: &Value, path: &mut Path, paths: &mut Vec<Path>) {
    if left == right {
        return;
    }
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            diff_entries(left, right, PathStep::Attribute, path, paths)
        }
        (Value::Map(left), Value::Map(right)) => {
            diff_entries(left, right, PathStep::Key, path, paths)
        }
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            for (index, position) in (0..left.len().max(right.len())).zip(0_i64..) {
                diff_part(
                    PathStep::Index(position),
                    left.get(index),
                    right.get(index),
                    path,
                    paths,
                );
            }
        }
        (
            Value::Dynamic {
                ty: left_type,
                value: left,
            },
            Value::Dynamic {
                ty: right_type,
                value: right,
            },
        ) if left_type == right_type => {
            diff_at(left, right, path, paths);
        }
        _ => paths.push(path.clone()),
    }
}

fn diff_entries(
    left: &BTreeMap<String, Value>,
    right: &BTreeMap<String, Value>,
    step: fn(String) -> PathStep,
    path: &mut Path,
    paths: &mut Vec<Path>,
) {
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for name in names {
        diff_part(
            step(name.clone()),
            left.get(name),
            right.get(name),
            path,
            paths,
        );
    }
}

/// Compares a part that at least one side has.
fn diff_part(
    step: PathStep,
    left: Option<&Value>,
    right: Option<&Value>,
    path: &mut Path,
    paths: &mut Vec<Path>,
) {
    path.push(step);
    match (left, right) {
        (Some(left), Some(right)) => diff_at(left, right, path, paths),
        _ => paths.push(path.clone()),
    }
    path.pop();
}
