//! In-cluster delivery: what an add-on set applies, in which order, and how it is taken away.
//!
//! [`plan`] is pure: add-ons become objects, and objects become the texts of a plan. The rest has the
//! effects.

pub mod plan;
