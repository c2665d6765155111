//! The grammar of templates.

pub(crate) mod ast;
mod lex;
mod parse;

pub(crate) use parse::parse;
