//! What a provider tells the user: errors and warnings, each with the attribute it is about.

use std::fmt;

use crate::cty::Path;

/// How grave a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Terraform stops and the command fails.
    Error,
    /// Shown to the user, the command goes on.
    Warning,
}

/// One error or warning.
///
/// Terraform collapses warnings that share a summary, so vary the summary where each one matters,
/// and wraps the detail at 78 columns except for lines that start with a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// One line without a full stop: what is wrong.
    pub summary: String,
    /// Where, why, and what to do next. Never holds a secret.
    pub detail: String,
    /// The attribute this is about. Terraform shows its line in the configuration; without a path
    /// it shows the whole block.
    pub attribute: Option<Path>,
}

impl Diagnostic {
    /// An error about the whole resource, data source or provider.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            attribute: None,
        }
    }

    /// A warning about the whole resource, data source or provider.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// The same diagnostic, about the attribute at `path`.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.attribute = Some(path);
        self
    }
}

impl Diagnostic {
    /// The same diagnostic with a last line that says what to do next.
    ///
    /// ```
    /// use tfplugin::Diagnostic;
    ///
    /// let error = Diagnostic::error("The bucket exists", "It belongs to another account.")
    ///     .hint("Choose another name.");
    /// assert_eq!(error.detail, "It belongs to another account.\n\nChoose another name.");
    /// ```
    #[must_use]
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        // Core wraps what is one paragraph, so the hint is one of its own.
        if !self.detail.is_empty() {
            self.detail.push_str("\n\n");
        }
        self.detail.push_str(hint.as_ref());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity {
            Severity::Error => formatter.write_str("Error: ")?,
            Severity::Warning => formatter.write_str("Warning: ")?,
        }
        formatter.write_str(&self.summary)?;
        if let Some(path) = self.attribute.as_ref().filter(|path| !path.is_root()) {
            write!(formatter, " (at {path})")?;
        }
        if !self.detail.is_empty() {
            write!(formatter, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// A list of errors and warnings, in the order they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// No diagnostics.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// One error about the whole resource, for `return Err(Diagnostics::error(..))`.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic::error(summary, detail).into()
    }

    /// One error about the attribute at `path`.
    pub fn attribute_error(
        path: Path,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Diagnostic::error(summary, detail).at(path).into()
    }

    /// One warning about the whole resource.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Diagnostic::warning(summary, detail).into()
    }

    /// Adds one diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds an error about the whole resource.
    pub fn add_error(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.push(Diagnostic::error(summary, detail));
    }

    /// Adds an error about the attribute at `path`.
    pub fn add_attribute_error(
        &mut self,
        path: Path,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.push(Diagnostic::error(summary, detail).at(path));
    }

    /// Adds a warning about the whole resource.
    pub fn add_warning(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.push(Diagnostic::warning(summary, detail));
    }

    /// Adds a warning about the attribute at `path`.
    pub fn add_attribute_warning(
        &mut self,
        path: Path,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.push(Diagnostic::warning(summary, detail).at(path));
    }

    /// Whether at least one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The diagnostics in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
