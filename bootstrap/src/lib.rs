//! In-cluster delivery: what an add-on set applies, in which order, and how it is taken away.
