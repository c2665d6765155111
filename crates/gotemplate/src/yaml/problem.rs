//! Why a text could not be read.

use std::fmt;

/// An error of reading, with the text that go-yaml prints (without its `yaml: ` prefix).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    message: String,
    /// Counted from 0, which also stands for "not known".
    line: usize,
    context_line: usize,
    /// Who found it: only the scanner's lines are counted from 1 when they are printed.
    scanner: bool,
}

impl Problem {
    /// One that names no line.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            line: 0,
            context_line: 0,
            scanner: false,
        }
    }

    /// Found by the scanner at `line`, in what began at `context_line`.
    pub(super) fn scanner(message: impl Into<String>, context_line: usize, line: usize) -> Self {
        Self {
            message: message.into(),
            line,
            context_line,
            scanner: true,
        }
    }

    /// Found by the parser at `line`, in what began at `context_line`.
    pub(super) fn parser(message: impl Into<String>, context_line: usize, line: usize) -> Self {
        Self {
            message: message.into(),
            line,
            context_line,
            scanner: false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // go-yaml prints a line only if it is not the first, and the parser's lines one too low.
        let line = match (self.line, self.context_line) {
            (0, context) => context,
            (line, _) if self.scanner => line + 1,
            (line, _) => line,
        };
        if line != 0 {
            write!(formatter, "line {line}: ")?;
        }
        formatter.write_str(&self.message)
    }
}
