//! Errors of functions, of parsing and of execution.

use std::fmt;

/// An error with the text that Go prints.
///
/// Functions return it with their own text; the executor returns it with the position and the
/// action before that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
    limit: Option<Limit>,
}

/// The bound that an execution reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Templates within templates, or values within values.
    Depth,
    /// Bytes of output, and of strings made on the way.
    Output,
    /// Actions executed and work charged by functions.
    Steps,
}

impl Error {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            limit: None,
        }
    }

    /// An error for a bound that was reached.
    pub fn limit(limit: Limit, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            limit: Some(limit),
        }
    }

    /// The text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The bound that was reached, when that was the cause.
    #[must_use]
    pub fn reached(&self) -> Option<Limit> {
        self.limit
    }

    /// The same cause with another text.
    #[must_use]
    pub fn with_message(self, message: impl FnOnce(&str) -> String) -> Self {
        Self {
            message: message(&self.message),
            limit: self.limit,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
