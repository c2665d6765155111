//! Tables of configuration, prior state and expected plan; and the same over generated ones.

mod generated;
mod passive;
mod tables;
