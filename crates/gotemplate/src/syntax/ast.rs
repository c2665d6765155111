//! Parsed templates. They print as the parts of errors that name an action.

use std::sync::Arc;

use crate::builtin::Builtin;
use crate::function::Function;
use crate::string::Str;
use crate::text::quote;

/// A parsed template.
pub(crate) struct Tree {
    pub(crate) name: Str,
    pub(crate) source: Arc<Source>,
    pub(crate) body: Vec<Statement>,
    /// Whether there is nothing but space and comments.
    pub(crate) is_empty: bool,
    /// How deeply statements and parentheses are nested.
    pub(super) nesting: usize,
}

/// The text that templates were parsed from.
pub(crate) struct Source {
    /// The name given to the text, which errors show.
    pub(crate) name: Str,
    pub(crate) text: Str,
}

impl Source {
    /// `name:line:column`, with the column in bytes counted from 0.
    pub(crate) fn location(&self, position: u32) -> String {
        let before = &self.text[..(position as usize).min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(before.len(), |newline| before.len() - newline - 1);
        format!("{}:{line}:{column}", self.name)
    }
}

pub(crate) enum Statement {
    Text(Str),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Invocation>),
    Break(u32),
    Continue(u32),
}

pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) body: Vec<Statement>,
    pub(crate) otherwise: Option<Vec<Statement>>,
}

pub(crate) struct Invocation {
    pub(crate) position: u32,
    pub(crate) name: Str,
    pub(crate) pipe: Option<Pipe>,
}

pub(crate) struct Pipe {
    pub(crate) position: u32,
    /// Whether the variables are assigned rather than declared.
    pub(crate) is_assignment: bool,
    pub(crate) variables: Vec<Name>,
    pub(crate) commands: Vec<Command>,
}

/// The name of a variable, with its dollar sign, and a number that stands for it within the source.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) id: u32,
    pub(crate) text: Str,
}

pub(crate) struct Command {
    pub(crate) position: u32,
    /// The first is what is evaluated or called; there is at least one.
    pub(crate) words: Vec<Word>,
}

pub(crate) struct Word {
    pub(crate) position: u32,
    pub(crate) kind: WordKind,
}

pub(crate) enum WordKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Box<Number>),
    String { literal: Str, text: Str },
    Field(Vec<Str>),
    Variable { name: Name, fields: Vec<Str> },
    Function { name: Str, callee: Callee },
    Pipe(Box<Pipe>),
    Chain { first: Box<Word>, fields: Vec<Str> },
}

/// What an identifier calls.
pub(crate) enum Callee {
    Builtin(Builtin),
    Function(Arc<Function>),
}

/// A number in each of the types that can hold it.
pub(crate) struct Number {
    pub(crate) text: Str,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

// Dropping follows the nesting of the tree, which may be deeper than the stack.
impl Drop for Tree {
    fn drop(&mut self) {
        if self.nesting > 64 {
            let body = std::mem::take(&mut self.body);
            stacker::grow((1 << 16) + self.nesting * (4 << 10), || drop(body));
        }
    }
}

/// Something that errors can point at.
#[derive(Clone, Copy)]
pub(crate) enum Node<'t> {
    /// A template that is not defined.
    Nothing,
    Statement(&'t Statement),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Word(&'t Word),
}

impl Node<'_> {
    pub(crate) fn position(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Statement(statement) => match statement {
                Statement::Text(_) => 0,
                Statement::Action(pipe) => pipe.position,
                Statement::If(branch) | Statement::With(branch) | Statement::Range(branch) => {
                    branch.pipe.position
                }
                Statement::Template(invocation) => invocation.position,
                Statement::Break(position) | Statement::Continue(position) => *position,
            },
            Self::Pipe(pipe) => pipe.position,
            Self::Command(command) => command.position,
            Self::Word(word) => word.position,
        }
    }

    /// The action as Go prints it in errors.
    pub(crate) fn print(self) -> Vec<u8> {
        let mut text = Vec::new();
        match self {
            Self::Nothing => {}
            Self::Statement(statement) => statement.print(&mut text),
            Self::Pipe(pipe) => pipe.print(&mut text),
            Self::Command(command) => command.print(&mut text),
            Self::Word(word) => word.print(&mut text),
        }
        text
    }
}

fn print_list(statements: &[Statement], text: &mut Vec<u8>) {
    for statement in statements {
        statement.print(text);
    }
}

impl Statement {
    fn print(&self, text: &mut Vec<u8>) {
        match self {
            Self::Text(body) => text.extend_from_slice(body),
            Self::Action(pipe) => {
                text.extend_from_slice(b"{{");
                pipe.print(text);
                text.extend_from_slice(b"}}");
            }
            Self::If(branch) => branch.print(b"if", text),
            Self::With(branch) => branch.print(b"with", text),
            Self::Range(branch) => branch.print(b"range", text),
            Self::Template(invocation) => {
                text.extend_from_slice(b"{{template ");
                quote::append_quoted(text, &invocation.name, false);
                if let Some(pipe) = &invocation.pipe {
                    text.push(b' ');
                    pipe.print(text);
                }
                text.extend_from_slice(b"}}");
            }
            Self::Break(_) => text.extend_from_slice(b"{{break}}"),
            Self::Continue(_) => text.extend_from_slice(b"{{continue}}"),
        }
    }
}

impl Branch {
    fn print(&self, keyword: &[u8], text: &mut Vec<u8>) {
        deeper(|| {
            text.extend_from_slice(b"{{");
            text.extend_from_slice(keyword);
            text.push(b' ');
            self.pipe.print(text);
            text.extend_from_slice(b"}}");
            print_list(&self.body, text);
            if let Some(otherwise) = &self.otherwise {
                text.extend_from_slice(b"{{else}}");
                print_list(otherwise, text);
            }
            text.extend_from_slice(b"{{end}}");
        });
    }
}

impl Pipe {
    fn print(&self, text: &mut Vec<u8>) {
        for (index, variable) in self.variables.iter().enumerate() {
            if index > 0 {
                text.extend_from_slice(b", ");
            }
            text.extend_from_slice(&variable.text);
        }
        if !self.variables.is_empty() {
            text.extend_from_slice(if self.is_assignment { b" = " } else { b" := " });
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                text.extend_from_slice(b" | ");
            }
            command.print(text);
        }
    }
}

impl Command {
    fn print(&self, text: &mut Vec<u8>) {
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            word.print_in_parentheses(text);
        }
    }
}

impl Word {
    fn print_in_parentheses(&self, text: &mut Vec<u8>) {
        if matches!(self.kind, WordKind::Pipe(_)) {
            text.push(b'(');
            self.print(text);
            text.push(b')');
        } else {
            self.print(text);
        }
    }

    pub(crate) fn print(&self, text: &mut Vec<u8>) {
        match &self.kind {
            WordKind::Dot => text.push(b'.'),
            WordKind::Nil => text.extend_from_slice(b"nil"),
            WordKind::Bool(true) => text.extend_from_slice(b"true"),
            WordKind::Bool(false) => text.extend_from_slice(b"false"),
            WordKind::Number(number) => text.extend_from_slice(&number.text),
            WordKind::String { literal, .. } => text.extend_from_slice(literal),
            WordKind::Field(fields) => print_fields(fields, text),
            WordKind::Variable { name, fields } => {
                text.extend_from_slice(&name.text);
                print_fields(fields, text);
            }
            WordKind::Function { name, .. } => text.extend_from_slice(name),
            WordKind::Pipe(pipe) => deeper(|| pipe.print(text)),
            WordKind::Chain { first, fields } => {
                first.print_in_parentheses(text);
                print_fields(fields, text);
            }
        }
    }

    /// The word as text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = Vec::new();
        self.print(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn print_fields(fields: &[Str], text: &mut Vec<u8>) {
    for field in fields {
        text.push(b'.');
        text.extend_from_slice(field);
    }
}

/// Goes one level deeper, on a new piece of stack if little is left.
pub(crate) fn deeper<R>(inside: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(128 << 10, 1 << 20, inside)
}
