//! Checks of configured values. They run when the value is known and not null, so a value that
//! becomes known during apply is checked then.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::cty::{Number, Path, PathStep, Value};
use crate::diagnostics::{Diagnostic, Diagnostics};

type Check = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

/// A check of one attribute's value.
#[derive(Clone)]
pub struct Validator {
    description: String,
    check: Arc<Check>,
    /// What each element is checked by, for errors at the elements.
    of_each: Option<Arc<Validator>>,
}

impl Validator {
    /// A check that holds or not. `requirement` completes the sentence "`name` …", for example
    /// "must be a DNS label"; the value is added to the message unless it is sensitive.
    pub fn new(
        requirement: impl Into<String>,
        holds: impl Fn(&Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        let description = requirement.into();
        let message = description.clone();
        Self {
            description,
            check: Arc::new(move |value| {
                if holds(value) {
                    Ok(())
                } else {
                    Err(message.clone())
                }
            }),
            of_each: None,
        }
    }

    /// A check whose message depends on the value. The error completes the sentence "`name` …" and
    /// must not repeat a value that may be sensitive.
    pub fn custom(
        description: impl Into<String>,
        check: impl Fn(&Value) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            description: description.into(),
            check: Arc::new(check),
            of_each: None,
        }
    }

    /// What the value must be.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Checks a value that is known and not null.
    ///
    /// # Errors
    /// What the value must be, as the rest of a sentence that begins with its name.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        (self.check)(value)
    }

    /// What is wrong with a value, and where in it. The elements of a set have no path, so that
    /// what is wrong with one is wrong with the set.
    pub(crate) fn findings(&self, value: &Value) -> Vec<(Path, String)> {
        let of_elements: Vec<(PathStep, &Value)> = match value {
            Value::List(values) | Value::Tuple(values) => (0..)
                .zip(values)
                .map(|(index, element)| (PathStep::Index(index), element))
                .collect(),
            Value::Map(values) => values
                .iter()
                .map(|(key, element)| (PathStep::Key(key.clone()), element))
                .collect(),
            _ => Vec::new(),
        };
        let Some(validator) = self.of_each.as_ref().filter(|_| !of_elements.is_empty()) else {
            let found = self.check(value).err();
            return found.map(|text| (Path::root(), text)).into_iter().collect();
        };
        of_elements
            .into_iter()
            .filter(|(_, element)| is_checkable(element))
            .flat_map(|(step, element)| {
                let at = Path::root().step(step);
                let found = validator.findings(element).into_iter();
                found.map(move |(tail, text)| (at.clone().join(&tail), text))
            })
            .collect()
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Validator")
            .field(&self.description)
            .finish()
    }
}

fn string_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn number_of(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// The elements of a list, set, tuple or map.
fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(values) | Value::Set(values) | Value::Tuple(values) => values.iter().collect(),
        Value::Map(values) | Value::Object(values) => values.values().collect(),
        _ => Vec::new(),
    }
}

/// A text of at least `minimum` and at most `maximum` Unicode characters.
pub fn string_length_between(minimum: usize, maximum: usize) -> Validator {
    Validator::new(
        format!("must have {minimum} to {maximum} characters"),
        move |value| {
            string_of(value).is_none_or(|text| {
                let length = text.chars().count();
                (minimum..=maximum).contains(&length)
            })
        },
    )
}

/// A text for which `holds` is true. `requirement` completes the sentence "`name` …".
pub fn string_that(
    requirement: impl Into<String>,
    holds: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Validator {
    Validator::new(requirement, move |value| {
        string_of(value).is_none_or(&holds)
    })
}

/// A text that begins with `prefix`.
pub fn starts_with(prefix: &'static str) -> Validator {
    string_that(format!("must start with {prefix:?}"), move |text| {
        text.starts_with(prefix)
    })
}

/// A text made only of characters for which `allowed` is true; `description` names them, for
/// example "lower-case letters, digits and hyphens".
pub fn only_characters(
    description: &str,
    allowed: impl Fn(char) -> bool + Send + Sync + 'static,
) -> Validator {
    string_that(format!("must consist of {description} only"), move |text| {
        text.chars().all(&allowed)
    })
}

/// A text that is one of `values`.
pub fn one_of<V: Into<String>>(values: impl IntoIterator<Item = V>) -> Validator {
    let values: Vec<String> = values.into_iter().map(Into::into).collect();
    let list = values
        .iter()
        .map(|value| format!("{value:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    string_that(format!("must be one of {list}"), move |text| {
        values.iter().any(|value| value == text)
    })
}

/// A whole number within `range`.
pub fn integer_between(range: RangeInclusive<i64>) -> Validator {
    Validator::new(
        format!(
            "must be a whole number from {} to {}",
            range.start(),
            range.end()
        ),
        move |value| {
            number_of(value)
                .is_none_or(|number| number.as_i64().is_some_and(|whole| range.contains(&whole)))
        },
    )
}

/// A number from `minimum` to `maximum`, both included.
pub fn between(minimum: impl Into<Number>, maximum: impl Into<Number>) -> Validator {
    let (minimum, maximum) = (minimum.into(), maximum.into());
    Validator::new(
        format!("must be between {minimum} and {maximum}"),
        move |value| number_of(value).is_none_or(|number| *number >= minimum && *number <= maximum),
    )
}

/// A collection with a number of elements within `range`.
pub fn size_between(range: RangeInclusive<usize>) -> Validator {
    Validator::new(
        format!("must have {} to {} elements", range.start(), range.end()),
        move |value| range.contains(&elements(value).len()),
    )
}

/// A collection with at least `minimum` elements.
pub fn size_at_least(minimum: usize) -> Validator {
    let elements_word = if minimum == 1 { "element" } else { "elements" };
    Validator::new(
        format!("must have at least {minimum} {elements_word}"),
        move |value| elements(value).len() >= minimum,
    )
}

/// A collection whose every known element passes `validator`.
pub fn each(validator: Validator) -> Validator {
    let of_each = Some(Arc::new(validator.clone()));
    let whole = Validator::custom(
        format!("each element {}", validator.description()),
        move |value| {
            let fail = |name: String, message: String| Err(format!("element {name} {message}"));
            match value {
                Value::Map(values) | Value::Object(values) => {
                    for (key, element) in values {
                        if is_checkable(element)
                            && let Err(message) = validator.check(element)
                        {
                            return fail(format!("{key:?}"), message);
                        }
                    }
                }
                _ => {
                    for (index, element) in elements(value).into_iter().enumerate() {
                        if is_checkable(element)
                            && let Err(message) = validator.check(element)
                        {
                            return fail(index.to_string(), message);
                        }
                    }
                }
            }
            Ok(())
        },
    );
    Validator { of_each, ..whole }
}

/// A map whose every key passes `validator`, which sees the key as a text.
pub fn each_key(validator: Validator) -> Validator {
    Validator::custom(
        format!("each key {}", validator.description()),
        move |value| {
            if let Value::Map(values) | Value::Object(values) = value {
                for key in values.keys() {
                    if let Err(message) = validator.check(&Value::String(key.clone())) {
                        return Err(format!("key {key:?} {message}"));
                    }
                }
            }
            Ok(())
        },
    )
}

/// A duration as Go writes it, such as "90m" or "1h30m".
pub fn duration() -> Validator {
    Validator::custom(
        "must be a duration such as \"30s\", \"90m\" or \"1h30m\"",
        |value| match string_of(value) {
            Some(text) => super::timeouts::parse_duration(text)
                .map(|_| ())
                .map_err(|error| {
                    format!("must be a duration such as \"30s\", \"90m\" or \"1h30m\": {error}")
                }),
            None => Ok(()),
        },
    )
}

fn is_checkable(value: &Value) -> bool {
    !value.is_null() && !value.is_unknown()
}

type ConfigCheck = dyn Fn(&Value) -> Diagnostics + Send + Sync;

/// A check over several attributes of one configuration.
#[derive(Clone)]
pub struct ConfigValidator {
    description: String,
    check: Arc<ConfigCheck>,
}

impl ConfigValidator {
    /// A check of one's own over the whole configured object, whose parts may be unknown.
    pub fn new(
        description: impl Into<String>,
        check: impl Fn(&Value) -> Diagnostics + Send + Sync + 'static,
    ) -> Self {
        Self {
            description: description.into(),
            check: Arc::new(check),
        }
    }

    /// What the configuration must be.
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn check(&self, config: &Value) -> Diagnostics {
        (self.check)(config)
    }
}

impl fmt::Debug for ConfigValidator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ConfigValidator")
            .field(&self.description)
            .finish()
    }
}

/// `"eks.cluster_name"` as a path of attribute names.
fn dotted(name: &str) -> Path {
    name.split('.')
        .fold(Path::root(), |path, step| path.attribute(step))
}

/// What is configured at some paths.
struct Presence {
    set: Vec<Path>,
    unknown: bool,
}

fn presence(config: &Value, paths: &[Path]) -> Presence {
    let mut found = Presence {
        set: Vec::new(),
        unknown: false,
    };
    for path in paths {
        match lookup(config, path) {
            Looked::Null => {}
            Looked::Unknown => found.unknown = true,
            Looked::Known => found.set.push(path.clone()),
        }
    }
    found
}

enum Looked {
    Null,
    Unknown,
    Known,
}

/// Looks an attribute path up, stopping at the first null or unknown on the way.
fn lookup(config: &Value, path: &Path) -> Looked {
    let mut current = config;
    for step in path.steps() {
        if current.is_unknown() {
            return Looked::Unknown;
        }
        let crate::cty::PathStep::Attribute(name) = step else {
            return Looked::Null;
        };
        match current {
            Value::Object(attributes) => match attributes.get(name) {
                Some(value) => current = value,
                None => return Looked::Null,
            },
            _ => return Looked::Null,
        }
    }
    if current.is_unknown() {
        Looked::Unknown
    } else if current.is_null() {
        Looked::Null
    } else {
        Looked::Known
    }
}

fn names(paths: &[Path]) -> String {
    paths
        .iter()
        .map(|path| format!("`{path}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn dotted_all<'a>(attributes: impl IntoIterator<Item = &'a str>) -> Vec<Path> {
    attributes.into_iter().map(dotted).collect()
}

/// Exactly one of the attributes is configured. Names of attributes inside single nested objects
/// are written with dots.
pub fn exactly_one_of<'a>(attributes: impl IntoIterator<Item = &'a str>) -> ConfigValidator {
    let paths = dotted_all(attributes);
    ConfigValidator::new(
        format!("Exactly one of {} must be set.", names(&paths)),
        move |config| {
            let found = presence(config, &paths);
            if found.set.len() > 1 {
                return conflict(&found.set, "Set exactly one of", &paths);
            }
            if found.set.is_empty() && !found.unknown {
                return Diagnostics::error(
                    "A required argument is missing",
                    format!("Set exactly one of {}.", names(&paths)),
                );
            }
            Diagnostics::new()
        },
    )
}

/// At least one of the attributes is configured.
pub fn at_least_one_of<'a>(attributes: impl IntoIterator<Item = &'a str>) -> ConfigValidator {
    let paths = dotted_all(attributes);
    ConfigValidator::new(
        format!("At least one of {} must be set.", names(&paths)),
        move |config| {
            let found = presence(config, &paths);
            if found.set.is_empty() && !found.unknown {
                return Diagnostics::error(
                    "A required argument is missing",
                    format!("Set at least one of {}.", names(&paths)),
                );
            }
            Diagnostics::new()
        },
    )
}

/// At most one of the attributes is configured.
pub fn conflicts_with<'a>(attributes: impl IntoIterator<Item = &'a str>) -> ConfigValidator {
    let paths = dotted_all(attributes);
    ConfigValidator::new(
        format!("At most one of {} may be set.", names(&paths)),
        move |config| {
            let found = presence(config, &paths);
            if found.set.len() > 1 {
                conflict(&found.set, "Set at most one of", &paths)
            } else {
                Diagnostics::new()
            }
        },
    )
}

/// All of the attributes are configured, or none.
pub fn required_together<'a>(attributes: impl IntoIterator<Item = &'a str>) -> ConfigValidator {
    let paths = dotted_all(attributes);
    ConfigValidator::new(
        format!("{} must be set together.", names(&paths)),
        move |config| {
            let found = presence(config, &paths);
            if found.set.is_empty() || found.unknown || found.set.len() == paths.len() {
                return Diagnostics::new();
            }
            let missing: Vec<Path> = paths
                .iter()
                .filter(|path| !found.set.contains(path))
                .cloned()
                .collect();
            Diagnostic::error(
                "Arguments that belong together are incomplete",
                format!(
                    "`{}` is set without {}. Set all of {}, or none.",
                    found.set[0],
                    names(&missing),
                    names(&paths)
                ),
            )
            .at(found.set[0].clone())
            .into()
        },
    )
}

fn conflict(set: &[Path], rule: &str, all: &[Path]) -> Diagnostics {
    Diagnostic::error(
        "Conflicting arguments",
        format!("{} are set. {rule} {}.", names(set), names(all)),
    )
    .at(set[1].clone())
    .into()
}
