//! `AssertObjectCompatible`: what may become of a planned value once it is known.

use std::collections::BTreeMap;

use super::{Violation, show};
use crate::cty::{Path, PathStep, Value};
use crate::plan::walk::{is_secret, part};
use crate::schema::{Block, BlockNesting, Members};

pub(super) fn check(members: Members<'_>, planned: &Value, actual: &Value) -> Vec<Violation> {
    let mut check = Check {
        path: Path::root(),
        violations: Vec::new(),
    };
    check.object(members, planned, actual);
    check.violations
}

struct Check {
    path: Path,
    violations: Vec<Violation>,
}

impl Check {
    fn report(&mut self, problem: impl Into<String>) {
        self.violations.push(Violation {
            path: self.path.clone(),
            problem: problem.into(),
        });
    }

    fn within(&mut self, step: PathStep, check: impl FnOnce(&mut Self)) {
        self.path.push(step);
        check(self);
        self.path.pop();
    }

    fn passes(&self, check: impl FnOnce(&mut Self)) -> bool {
        let mut trial = Self {
            path: self.path.clone(),
            violations: Vec::new(),
        };
        check(&mut trial);
        trial.violations.is_empty()
    }

    fn object(&mut self, members: Members<'_>, planned: &Value, actual: &Value) {
        if planned.is_null() != actual.is_null() {
            self.report(if planned.is_null() {
                "was planned to be absent but is present"
            } else {
                "was planned to be present but is absent"
            });
            return;
        }
        if planned.is_null() {
            return;
        }
        for (name, attribute) in members.attributes {
            let planned = part(Some(planned), name);
            let actual = part(Some(actual), name);
            // A sensitive attribute inside a nested one must not show in a message either.
            let sensitive = is_secret(attribute) || attribute.nested_attributes().is_some();
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.value(planned, actual, sensitive);
            });
        }
        for (name, block) in members.blocks {
            let planned = part(Some(planned), name);
            let actual = part(Some(actual), name);
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.block(block, planned, actual);
            });
        }
    }

    fn block(&mut self, block: &Block, planned: &Value, actual: &Value) {
        if planned.is_unknown() {
            // The blocks of an unknown placeholder may turn out to be any number.
            return;
        }
        match (block.nesting, planned, actual) {
            (BlockNesting::Single | BlockNesting::Group, ..) => {
                self.object(block.members(), planned, actual);
            }
            (BlockNesting::List, Value::List(planned), Value::List(actual)) => {
                if planned.len() != actual.len() {
                    self.report(format!(
                        "{} blocks were planned but there are {}",
                        planned.len(),
                        actual.len()
                    ));
                    return;
                }
                for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                    self.within(index_step(index), |check| {
                        check.object(block.members(), planned, actual);
                    });
                }
            }
            (BlockNesting::Map, Value::Map(planned), Value::Map(actual)) => {
                self.same_keys(planned, actual);
                for (key, planned) in planned {
                    if let Some(actual) = actual.get(key) {
                        self.within(PathStep::Key(key.clone()), |check| {
                            check.object(block.members(), planned, actual);
                        });
                    }
                }
            }
            (BlockNesting::Set, Value::Set(planned), Value::Set(actual)) => {
                self.set(planned, actual, |check, planned, actual| {
                    check.object(block.members(), planned, actual);
                });
            }
            _ => {}
        }
    }

    fn value(&mut self, planned: &Value, actual: &Value, sensitive: bool) {
        match (planned, actual) {
            (Value::Unknown, _) => {}
            (Value::Null, Value::Null) => {}
            // In a dynamic slot a null without a type promises nothing.
            (Value::Null, Value::Dynamic { .. }) => {}
            (Value::Null, actual) => self.report(format!(
                "was planned as null but is {}",
                show(actual, sensitive)
            )),
            (planned, Value::Null) => self.report(format!(
                "was planned as {} but is null",
                show(planned, sensitive)
            )),
            (_, Value::Unknown) => self.report("was planned as known but is unknown"),
            (
                Value::Dynamic { ty, value },
                Value::Dynamic {
                    ty: actual_type,
                    value: actual,
                },
            ) => {
                if ty == actual_type {
                    self.value(value, actual, sensitive);
                } else {
                    self.report(format!(
                        "was planned with the type {ty} but has the type {actual_type}"
                    ));
                }
            }
            (Value::List(planned), Value::List(actual))
            | (Value::Tuple(planned), Value::Tuple(actual)) => {
                if planned.len() != actual.len() {
                    self.report(format!(
                        "{} elements were planned but there are {}",
                        planned.len(),
                        actual.len()
                    ));
                    return;
                }
                for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                    self.within(index_step(index), |check| {
                        check.value(planned, actual, sensitive);
                    });
                }
            }
            (Value::Map(planned), Value::Map(actual)) => {
                self.same_keys(planned, actual);
                for (key, planned) in planned {
                    if let Some(actual) = actual.get(key) {
                        self.within(PathStep::Key(key.clone()), |check| {
                            check.value(planned, actual, sensitive);
                        });
                    }
                }
            }
            (Value::Object(planned), Value::Object(actual)) => {
                for (name, planned) in planned {
                    let actual = actual.get(name).unwrap_or(&Value::Null);
                    self.within(PathStep::Attribute(name.clone()), |check| {
                        check.value(planned, actual, sensitive);
                    });
                }
            }
            (Value::Set(planned), Value::Set(actual)) => {
                self.set(planned, actual, |check, planned, actual| {
                    check.value(planned, actual, sensitive);
                });
            }
            (planned, actual) if planned == actual => {}
            (planned, actual) => self.report(format!(
                "was planned as {} but is {}",
                show(planned, sensitive),
                show(actual, sensitive)
            )),
        }
    }

    /// Each element must agree with one on the other side; a set may shrink, as elements that were
    /// unknown become equal, and never grow.
    fn set(
        &mut self,
        planned: &[Value],
        actual: &[Value],
        agree: impl Fn(&mut Self, &Value, &Value),
    ) {
        let mut lost = vec![true; planned.len()];
        let mut new = vec![true; actual.len()];
        for (lost, planned) in lost.iter_mut().zip(planned) {
            for (new, actual) in new.iter_mut().zip(actual) {
                if (*lost || *new) && self.passes(|check| agree(check, planned, actual)) {
                    *lost = false;
                    *new = false;
                }
            }
        }
        if lost.contains(&true) {
            self.report("a planned element of the set is missing");
        }
        if new.contains(&true) {
            self.report("the set has an element that was not planned");
        }
        if planned.len() < actual.len() {
            self.report(format!(
                "{} elements were planned but there are {}",
                planned.len(),
                actual.len()
            ));
        }
    }

    fn same_keys(&mut self, planned: &BTreeMap<String, Value>, actual: &BTreeMap<String, Value>) {
        for key in planned.keys().filter(|key| !actual.contains_key(*key)) {
            self.within(PathStep::Key(key.clone()), |check| {
                check.report("the planned key is missing");
            });
        }
        for key in actual.keys().filter(|key| !planned.contains_key(*key)) {
            self.within(PathStep::Key(key.clone()), |check| {
                check.report("the key was not planned");
            });
        }
    }
}

fn index_step(index: usize) -> PathStep {
    PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX))
}
