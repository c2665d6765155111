//! Sets of parsed templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Error;
use crate::exec;
use crate::function::{Environment, Functions};
use crate::run::{Limits, Run, Used};
use crate::string::Str;
use crate::syntax::{self, ast::Tree};
use crate::value::Value;

/// What a field of a map gives when there is no such key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value, which prints as `<no value>`: `missingkey=default`.
    #[default]
    Default,
    /// The zero value of the elements: `missingkey=zero`.
    Zero,
    /// The execution fails: `missingkey=error`.
    Error,
}

/// Templates that can call each other by name.
///
/// A clone is cheap and has its own names: what is parsed into it is not seen by the original.
/// Parsed templates can be shared between threads.
#[derive(Clone)]
pub struct Templates {
    name: Str,
    trees: Arc<BTreeMap<Str, Arc<Tree>>>,
    functions: Arc<Functions>,
    missing_key: MissingKey,
    left: Str,
    right: Str,
}

/// What an execution gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The text; UTF-8 unless the data or a function brought other bytes.
    pub text: Vec<u8>,
    /// What the text depends on besides the template and its data.
    pub used: Used,
}

impl Templates {
    /// An empty set, with the functions that its templates may call besides the builtin ones. The
    /// name is that of the first template in Go, which the error for an unknown name shows.
    pub fn new(name: impl Into<Str>, functions: impl Into<Arc<Functions>>) -> Self {
        Self {
            name: name.into(),
            trees: Arc::default(),
            functions: functions.into(),
            missing_key: MissingKey::Default,
            left: "{{".into(),
            right: "}}".into(),
        }
    }

    /// Chooses what a missing key of a map gives.
    pub fn set_missing_key(&mut self, missing_key: MissingKey) {
        self.missing_key = missing_key;
    }

    /// Chooses the delimiters of actions for what is parsed from now on. An empty one is the usual
    /// one.
    pub fn set_delimiters(&mut self, left: impl Into<Str>, right: impl Into<Str>) {
        let or_usual = |delimiter: Str, usual: &str| {
            if delimiter.is_empty() {
                usual.into()
            } else {
                delimiter
            }
        };
        self.left = or_usual(left.into(), "{{");
        self.right = or_usual(right.into(), "}}");
    }

    /// Parses a text as the template of this name, and the templates that the text defines.
    ///
    /// They replace templates of the same names, unless they hold nothing but space and comments.
    ///
    /// # Errors
    ///
    /// The text is no template, or calls a function that there is not.
    pub fn parse(&mut self, name: impl Into<Str>, text: impl AsRef<[u8]>) -> Result<(), Error> {
        let trees = syntax::parse(
            &name.into(),
            text.as_ref(),
            (&self.left, &self.right),
            &self.functions,
        )?;
        let known = Arc::make_mut(&mut self.trees);
        for tree in trees {
            if !tree.is_empty || !known.contains_key(&tree.name) {
                known.insert(tree.name.clone(), Arc::new(tree));
            }
        }
        Ok(())
    }

    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> &Str {
        &self.name
    }

    /// Whether there is a template of this name.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.trees.contains_key(name)
    }

    /// The names of the templates, sorted by their bytes.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.trees.keys()
    }

    /// The functions that the templates may call.
    #[must_use]
    pub fn functions(&self) -> &Arc<Functions> {
        &self.functions
    }

    /// What a missing key of a map gives.
    #[must_use]
    pub fn missing_key(&self) -> MissingKey {
        self.missing_key
    }

    /// Executes the template of this name.
    ///
    /// # Errors
    ///
    /// There is no such template, an action or function failed, or a limit was reached.
    pub fn execute(
        &self,
        name: impl AsRef<[u8]>,
        data: &Value,
        environment: &mut dyn Environment,
        limits: Limits,
    ) -> Result<Output, Error> {
        let mut run = Run::new(limits);
        let text = exec::execute(&mut run, environment, self, name.as_ref(), data.clone())?;
        Ok(Output {
            text,
            used: run.used,
        })
    }

    pub(crate) fn lookup(&self, name: &[u8]) -> Option<&Tree> {
        self.trees.get(name).map(Arc::as_ref)
    }
}
