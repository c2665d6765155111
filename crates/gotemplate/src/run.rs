//! What one execution may use, and what it has used.

use crate::error::{Error, Limit};

/// Bounds of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Templates within templates, whether by `{{template}}` or by a function.
    pub depth: usize,
    /// Bytes of output, and of what functions make.
    pub bytes: usize,
    /// Actions, commands and iterations, and work charged by functions.
    pub steps: u64,
}

impl Default for Limits {
    /// 10,000 templates within templates, 256 MiB, a thousand million steps.
    fn default() -> Self {
        Self {
            depth: 10_000,
            bytes: 256 << 20,
            steps: 1_000_000_000,
        }
    }
}

/// What an output depends on besides the template and its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// A function asked for random bytes.
    pub random: bool,
    /// A function asked for the time.
    pub clock: bool,
}

/// The budget of one execution.
pub(crate) struct Run {
    pub(crate) limits: Limits,
    pub(crate) used: Used,
    pub(crate) depth: usize,
    bytes: usize,
    steps: u64,
}

impl Run {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            used: Used::default(),
            depth: 0,
            bytes: 0,
            steps: 0,
        }
    }

    #[inline]
    pub(crate) fn charge_steps(&mut self, steps: u64) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps {
            return Err(Error::limit(
                Limit::Steps,
                format!("exceeded the limit of {} steps", self.limits.steps),
            ));
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes {
            return Err(self.too_long());
        }
        Ok(())
    }

    fn too_long(&self) -> Error {
        Error::limit(
            Limit::Output,
            format!("exceeded the limit of {} bytes", self.limits.bytes),
        )
    }

    /// The error of something that was given [`Run::bytes_left`] as its bound.
    pub(crate) fn explained(&self, error: Error) -> Error {
        if error.reached() == Some(Limit::Output) {
            self.too_long()
        } else {
            error
        }
    }

    /// How many more bytes may be made.
    pub(crate) fn bytes_left(&self) -> usize {
        self.limits.bytes.saturating_sub(self.bytes)
    }
}
