//! `AssertPlanValid`: what a plan may say, given the configuration and the prior state.

use std::collections::BTreeMap;

use super::{Violation, show};
use crate::cty::{Path, PathStep, Value};
use crate::plan::walk::{is_secret, part};
use crate::schema::{Attribute, Block, BlockNesting, Members, Nesting};

const NULL: &Value = &Value::Null;

pub(super) fn check(
    members: Members<'_>,
    prior: Option<&Value>,
    config: &Value,
    planned: &Value,
) -> Vec<Violation> {
    let mut check = Check {
        path: Path::root(),
        secret: false,
        violations: Vec::new(),
    };
    check.object(members, prior.unwrap_or(NULL), config, planned);
    check.violations
}

struct Check {
    path: Path,
    /// Whether the values at the path are secrets.
    secret: bool,
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

    /// The root object or one block.
    fn object(&mut self, members: Members<'_>, prior: &Value, config: &Value, planned: &Value) {
        if planned.is_null() != config.is_null() {
            self.report(if planned.is_null() {
                "the plan has no such object but the configuration does"
            } else {
                "the plan has an object that the configuration does not have"
            });
            return;
        }
        if planned.is_null() {
            return;
        }
        self.attributes(members.attributes, prior, config, planned);
        for (name, block) in members.blocks {
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.block(
                    block,
                    part(Some(prior), name),
                    part(Some(config), name),
                    part(Some(planned), name),
                );
            });
        }
    }

    fn attributes(
        &mut self,
        attributes: &BTreeMap<String, Attribute>,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        for (name, attribute) in attributes {
            let outer = self.secret;
            self.secret |= is_secret(attribute);
            self.within(PathStep::Attribute(name.clone()), |check| {
                check.attribute(
                    attribute,
                    part(Some(prior), name),
                    part(Some(config), name),
                    part(Some(planned), name),
                );
            });
            self.secret = outer;
        }
    }

    fn attribute(&mut self, attribute: &Attribute, prior: &Value, config: &Value, planned: &Value) {
        if attribute.write_only {
            // Core accepts the configured value here and fails on it later.
            if !planned.is_null() {
                self.report("a write-only attribute must be null in the plan");
            }
            return;
        }
        if planned == config || (planned == prior && !prior.is_null() && !config.is_null()) {
            return;
        }
        if attribute.computed && (!attribute.optional || config.is_null()) {
            return;
        }
        let secret = self.secret;
        let shown = |value: &Value| show(value, secret);
        if config.is_null() {
            self.report(format!(
                "the plan sets {} but the attribute is not configured and not computed",
                shown(planned)
            ));
            return;
        }
        if let Some((nesting, nested)) = attribute.nested_attributes() {
            self.nested(nesting, nested, prior, config, planned);
            return;
        }
        if prior.is_null() {
            self.report(format!(
                "the plan has {} but the configuration has {}",
                shown(planned),
                shown(config)
            ));
        } else {
            self.report(format!(
                "the plan has {}, which is neither the configured value {} nor the prior value {}",
                shown(planned),
                shown(config),
                shown(prior)
            ));
        }
    }

    fn nested(
        &mut self,
        nesting: Nesting,
        attributes: &BTreeMap<String, Attribute>,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) {
        if planned.is_null() {
            self.report("the plan has null but the configuration has a value");
            return;
        }
        if config.is_unknown() {
            self.report("the plan has a value but the configured one is not known yet");
            return;
        }
        if planned.is_unknown() {
            self.report("the plan is unknown but the configuration has a value");
            return;
        }
        match (nesting, config, planned) {
            (Nesting::Single, ..) => self.attributes(attributes, prior, config, planned),
            (Nesting::List, Value::List(config), Value::List(planned)) => {
                if !self.same_count(config.len(), planned.len()) {
                    return;
                }
                for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
                    self.within(index_step(index), |check| {
                        check.attributes(attributes, list_element(prior, index), config, planned);
                    });
                }
            }
            (Nesting::Map, Value::Map(config), Value::Map(planned)) => {
                for (key, planned) in planned {
                    self.within(PathStep::Key(key.clone()), |check| match config.get(key) {
                        Some(config) => {
                            check.attributes(attributes, map_element(prior, key), config, planned);
                        }
                        None => check.report("the key is not in the configuration"),
                    });
                }
                self.missing_keys(config, planned);
            }
            (Nesting::Set, Value::Set(config), Value::Set(planned)) => {
                // Elements cannot be told apart; unknown ones may still merge.
                let may_merge = planned.iter().any(|element| !element.is_wholly_known());
                if !may_merge || planned.len() > config.len() {
                    self.same_count(config.len(), planned.len());
                }
            }
            _ => {}
        }
    }

    fn block(&mut self, block: &Block, prior: &Value, config: &Value, planned: &Value) {
        if block.nesting != BlockNesting::Single && planned.is_null() {
            self.report("blocks must be an empty collection, not null, where there are none");
            return;
        }
        if planned == config {
            return;
        }
        if config.is_unknown() {
            self.report("the plan has a value for a dynamic block that is not known yet");
            return;
        }
        if planned.is_unknown() {
            self.report("the plan is unknown for a block");
            return;
        }
        match (block.nesting, config, planned) {
            (BlockNesting::Single | BlockNesting::Group, ..) => {
                self.object(block.members(), prior, config, planned);
            }
            (BlockNesting::List, Value::List(config), Value::List(planned)) => {
                if !self.same_count(config.len(), planned.len()) {
                    return;
                }
                for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
                    self.within(index_step(index), |check| {
                        check.block_element(block, list_element(prior, index), config, planned);
                    });
                }
            }
            (BlockNesting::Map, Value::Map(config), Value::Map(planned)) => {
                for (key, planned) in planned {
                    self.within(PathStep::Key(key.clone()), |check| match config.get(key) {
                        Some(config) => {
                            check.block_element(block, map_element(prior, key), config, planned);
                        }
                        None => check.report("the key is not in the configuration"),
                    });
                }
                self.missing_keys(config, planned);
            }
            (BlockNesting::Set, _, Value::Set(planned)) => {
                for element in planned {
                    if element.is_unknown() {
                        self.within(PathStep::Element(element.clone()), |check| {
                            check.report("a block must not be unknown as a whole");
                        });
                    }
                }
            }
            _ => {}
        }
    }

    fn block_element(&mut self, block: &Block, prior: &Value, config: &Value, planned: &Value) {
        if planned.is_unknown() {
            self.report("a block must not be unknown as a whole");
        } else {
            self.object(block.members(), prior, config, planned);
        }
    }

    fn same_count(&mut self, config: usize, planned: usize) -> bool {
        if config != planned {
            self.report(format!(
                "the plan has {planned} elements but the configuration has {config}"
            ));
        }
        config == planned
    }

    fn missing_keys(
        &mut self,
        config: &BTreeMap<String, Value>,
        planned: &BTreeMap<String, Value>,
    ) {
        for key in config.keys().filter(|key| !planned.contains_key(*key)) {
            self.within(PathStep::Key(key.clone()), |check| {
                check.report("the configured key is not in the plan");
            });
        }
    }
}

fn index_step(index: usize) -> PathStep {
    PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX))
}

fn list_element(list: &Value, index: usize) -> &Value {
    list.as_elements()
        .and_then(|elements| elements.get(index))
        .unwrap_or(NULL)
}

fn map_element<'a>(map: &'a Value, key: &str) -> &'a Value {
    map.as_entries()
        .and_then(|entries| entries.get(key))
        .unwrap_or(NULL)
}
