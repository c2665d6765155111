//! From tokens to trees.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{
    Branch, Callee, Command, Invocation, Name, Number, Pipe, Source, Statement, Tree, Word,
    WordKind, deeper,
};
use super::lex::{Keyword, Keywords, Kind, Lexer, Token};
use crate::builtin::Builtin;
use crate::error::Error;
use crate::function::Functions;
use crate::string::Str;
use crate::text::number::{NumberError, parse_float, parse_int, parse_uint};
use crate::text::quote::{self, Unquoted, unquote_char};

/// How deeply parentheses may be nested, as in Go.
const PARENTHESES: usize = 10_000;
/// How deeply blocks and parentheses may be nested together; Go knows no such bound.
const NESTING: usize = 20_000;
/// The longest source, in bytes: positions are 32 bits wide.
const SOURCE: usize = 1 << 30;

/// Parses a text: the template of that name and those that it defines.
pub(crate) fn parse(
    name: &Str,
    text: &[u8],
    delimiters: (&[u8], &[u8]),
    functions: &Functions,
) -> Result<Vec<Tree>, Error> {
    if text.len() > SOURCE {
        return Err(Error::new(format!(
            "template: {name}: the text is longer than {SOURCE} bytes"
        )));
    }
    let keywords = Keywords {
        break_: functions.get("break").is_none(),
        continue_: functions.get("continue").is_none(),
    };
    let source = Arc::new(Source {
        name: name.clone(),
        text: Str::new(text),
    });
    let mut parser = Parser {
        source: &source,
        lexer: Lexer::new(&source.text, delimiters.0, delimiters.1, keywords),
        functions,
        names: BTreeMap::from([(Str::from("$"), 0)]),
        trees: BTreeMap::new(),
        tree: State::default(),
        depth: 0,
    };
    parser.top_level(name)?;
    Ok(parser.trees.into_values().collect())
}

struct Parser<'s> {
    source: &'s Arc<Source>,
    lexer: Lexer<'s>,
    functions: &'s Functions,
    /// Numbers of the names of variables.
    names: BTreeMap<Str, u32>,
    trees: BTreeMap<Str, Tree>,
    tree: State,
    /// Blocks and parentheses around the current token.
    depth: usize,
}

/// The state of one template; that of the template around a definition waits.
struct State {
    /// The token read last, and up to two that were put back in front of it.
    tokens: [Option<Token>; 3],
    /// How many tokens were put back.
    pending: usize,
    /// The variables that are defined here.
    variables: Vec<u32>,
    /// The line of the left delimiter of the current action.
    action_line: Option<usize>,
    ranges: usize,
    parentheses: usize,
    nesting: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            tokens: [None, None, None],
            pending: 0,
            variables: vec![0],
            action_line: None,
            ranges: 0,
            parentheses: 0,
            nesting: 0,
        }
    }
}

/// What ends a list of statements.
#[derive(Clone, Copy)]
enum Terminator {
    End,
    Else,
}

impl Terminator {
    fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Statement(Statement),
    Terminator(Terminator),
}

type Parsed<T> = Result<T, Error>;

impl Parser<'_> {
    // Tokens

    fn next(&mut self) -> Token {
        if self.tree.pending > 0 {
            self.tree.pending -= 1;
            if let Some(token) = &self.tree.tokens[self.tree.pending] {
                return token.clone();
            }
        }
        let token = self.lexer.next_token();
        self.tree.tokens[0] = Some(token.clone());
        token
    }

    fn back_up(&mut self) {
        self.tree.pending += 1;
    }

    /// Puts back two tokens, of which the second is the one read last.
    fn back_up_two(&mut self, first: Token) {
        self.tree.tokens[1] = Some(first);
        self.tree.pending = 2;
    }

    /// Puts back three tokens, of which the third is the one read last.
    fn back_up_three(&mut self, first: Token, second: Token) {
        self.tree.tokens[1] = Some(second);
        self.tree.tokens[2] = Some(first);
        self.tree.pending = 3;
    }

    fn peek(&mut self) -> Token {
        let token = self.next();
        self.back_up();
        token
    }

    fn next_after_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_after_space(&mut self) -> Token {
        let token = self.next_after_space();
        self.back_up();
        token
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.next_after_space();
        if token.kind == kind {
            Ok(token)
        } else {
            Err(self.unexpected(&token, context))
        }
    }

    fn value(&self, token: &Token) -> &[u8] {
        &self.source.text[token.start..token.end]
    }

    // Errors

    fn error(&self, message: impl std::fmt::Display) -> Error {
        let line = self.tree.tokens[0].as_ref().map_or(0, |token| token.line);
        Error::new(format!("template: {}:{line}: {message}", self.source.name))
    }

    fn unexpected(&self, token: &Token, context: &str) -> Error {
        let shown = token.describe(&self.source.text);
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {shown} in {context}"));
        }
        match self.tree.action_line {
            Some(line) if line != token.line => {
                // Not "action in action".
                let preposition = if shown.ends_with(" action") {
                    ""
                } else {
                    " in action"
                };
                self.error(format!(
                    "{shown}{preposition} started at {}:{line}",
                    self.source.name
                ))
            }
            _ => self.error(shown),
        }
    }

    // Templates

    fn top_level(&mut self, name: &Str) -> Parsed<()> {
        let mut body = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::End => break,
                Kind::LeftDelimiter => {
                    let delimiter = self.next();
                    if self.next_after_space().kind == Kind::Keyword(Keyword::Define) {
                        self.definition()?;
                        continue;
                    }
                    self.back_up_two(delimiter);
                }
                _ => {}
            }
            match self.text_or_action()? {
                Item::Statement(statement) => body.push(statement),
                Item::Terminator(terminator) => {
                    return Err(self.error(format!("unexpected {}", terminator.text())));
                }
            }
        }
        self.add(name.clone(), body)
    }

    /// `{{define "name"}} list {{end}}`, of which `define` was read.
    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let around = std::mem::take(&mut self.tree);
        let token = self.next_after_space();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(&token, CONTEXT));
        }
        let name = self.unquoted(&token)?;
        self.expect(Kind::RightDelimiter, CONTEXT)?;
        let (body, terminator) = self.list()?;
        self.finish(terminator, CONTEXT)?;
        self.add(name, body)?;
        self.tree = around;
        Ok(())
    }

    /// The end of a definition, which `{{else}}` is not.
    fn finish(&self, terminator: Terminator, context: &str) -> Parsed<()> {
        match terminator {
            Terminator::End => Ok(()),
            Terminator::Else => {
                Err(self.error(format!("unexpected {} in {context}", terminator.text())))
            }
        }
    }

    fn add(&mut self, name: Str, body: Vec<Statement>) -> Parsed<()> {
        let is_empty = body.iter().all(|statement| match statement {
            Statement::Text(text) => is_white(text),
            _ => false,
        });
        let tree = Tree {
            name: name.clone(),
            source: Arc::clone(self.source),
            body,
            is_empty,
            nesting: self.tree.nesting,
        };
        if self.trees.get(&name).is_none_or(|known| known.is_empty) {
            self.trees.insert(name, tree);
        } else if !is_empty {
            let message = format!(
                "template: multiple definition of template {}",
                quote::quoted(&name)
            );
            return Err(self.error(message));
        }
        Ok(())
    }

    // Statements

    fn list(&mut self) -> Parsed<(Vec<Statement>, Terminator)> {
        let mut body = Vec::new();
        while self.peek_after_space().kind != Kind::End {
            match self.text_or_action()? {
                Item::Statement(statement) => body.push(statement),
                Item::Terminator(terminator) => return Ok((body, terminator)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_after_space();
        match token.kind {
            Kind::Text => {
                let text = Str::new(self.value(&token));
                Ok(Item::Statement(Statement::Text(text)))
            }
            Kind::LeftDelimiter => {
                self.tree.action_line = Some(token.line);
                let item = self.action()?;
                self.tree.action_line = None;
                Ok(item)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_after_space();
        let statement = match token.kind {
            Kind::Keyword(Keyword::Block) => self.block()?,
            Kind::Keyword(Keyword::Break) => {
                self.in_range("{{break}}")?;
                Statement::Break(position(&token))
            }
            Kind::Keyword(Keyword::Continue) => {
                self.in_range("{{continue}}")?;
                Statement::Continue(position(&token))
            }
            Kind::Keyword(Keyword::Else) => {
                let next = self.peek_after_space().kind;
                if !matches!(next, Kind::Keyword(Keyword::If | Keyword::With)) {
                    self.expect(Kind::RightDelimiter, "else")?;
                }
                return Ok(Item::Terminator(Terminator::Else));
            }
            Kind::Keyword(Keyword::End) => {
                self.expect(Kind::RightDelimiter, "end")?;
                return Ok(Item::Terminator(Terminator::End));
            }
            Kind::Keyword(Keyword::If) => Statement::If(self.branch("if")?),
            Kind::Keyword(Keyword::Range) => Statement::Range(self.branch("range")?),
            Kind::Keyword(Keyword::With) => Statement::With(self.branch("with")?),
            Kind::Keyword(Keyword::Template) => self.invocation()?,
            _ => {
                self.back_up();
                Statement::Action(self.pipeline("command", Kind::RightDelimiter)?)
            }
        };
        Ok(Item::Statement(statement))
    }

    /// The end of `{{break}}` or `{{continue}}`.
    fn in_range(&mut self, action: &str) -> Parsed<()> {
        let token = self.next_after_space();
        if token.kind != Kind::RightDelimiter {
            return Err(self.unexpected(&token, action));
        }
        if self.tree.ranges == 0 {
            return Err(self.error(format!("{action} outside {{{{range}}}}")));
        }
        Ok(())
    }

    /// What is within a block or parentheses, which may not be nested too deeply.
    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING {
            return Err(self.error("max nesting depth exceeded"));
        }
        self.depth += 1;
        self.tree.nesting = self.tree.nesting.max(self.depth);
        let parsed = deeper(|| inside(self));
        self.depth -= 1;
        parsed
    }

    /// `pipeline}} list {{end}}`, or with `{{else}} list` before the end.
    fn branch(&mut self, keyword: &str) -> Parsed<Box<Branch>> {
        self.nested(|parser| parser.branch_inside(keyword))
    }

    fn branch_inside(&mut self, keyword: &str) -> Parsed<Box<Branch>> {
        let variables = self.tree.variables.len();
        let pipe = self.pipeline(keyword, Kind::RightDelimiter)?;
        let is_range = keyword == "range";
        self.tree.ranges += usize::from(is_range);
        let (body, terminator) = self.list()?;
        self.tree.ranges -= usize::from(is_range);
        let otherwise = match terminator {
            Terminator::End => None,
            Terminator::Else => Some(self.otherwise(keyword)?),
        };
        self.tree.variables.truncate(variables);
        Ok(Box::new(Branch {
            pipe,
            body,
            otherwise,
        }))
    }

    /// What follows `{{else}}`, or `{{else` before `if` and `with`, which need no end of their own.
    fn otherwise(&mut self, keyword: &str) -> Parsed<Vec<Statement>> {
        let next = self.peek().kind;
        match keyword {
            "if" if next == Kind::Keyword(Keyword::If) => {
                self.next();
                Ok(vec![Statement::If(self.branch("if")?)])
            }
            "with" if next == Kind::Keyword(Keyword::With) => {
                self.next();
                Ok(vec![Statement::With(self.branch("with")?)])
            }
            _ => match self.list()? {
                (body, Terminator::End) => Ok(body),
                (_, Terminator::Else) => Err(self.error("expected end; found {{else}}")),
            },
        }
    }

    /// `"name" pipeline}} list {{end}}`: a definition and its use.
    fn block(&mut self) -> Parsed<Statement> {
        const CONTEXT: &str = "block clause";
        let token = self.next_after_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        let around = std::mem::take(&mut self.tree);
        let (body, terminator) = self.nested(Self::list)?;
        // This error is one of the template around the block.
        let inside = std::mem::replace(&mut self.tree, around);
        self.finish(terminator, CONTEXT)?;
        let around = std::mem::replace(&mut self.tree, inside);
        self.add(name.clone(), body)?;
        self.tree = around;
        Ok(Statement::Template(Box::new(Invocation {
            position: position(&token),
            name,
            pipe: Some(pipe),
        })))
    }

    fn invocation(&mut self) -> Parsed<Statement> {
        const CONTEXT: &str = "template clause";
        let token = self.next_after_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = if self.next_after_space().kind == Kind::RightDelimiter {
            None
        } else {
            self.back_up();
            Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?)
        };
        Ok(Statement::Template(Box::new(Invocation {
            position: position(&token),
            name,
            pipe,
        })))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<Str> {
        if matches!(token.kind, Kind::String | Kind::RawString) {
            self.unquoted(token)
        } else {
            Err(self.unexpected(token, context))
        }
    }

    fn unquoted(&self, token: &Token) -> Parsed<Str> {
        quote::unquote(self.value(token))
            .map(Str::from)
            .ok_or_else(|| self.error("invalid syntax"))
    }

    // Pipelines

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let mut pipe = Pipe {
            position: position(&self.peek_after_space()),
            is_assignment: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        self.variables(context, &mut pipe)?;
        loop {
            let token = self.next_after_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Keyword(Keyword::Dot | Keyword::Nil)
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back_up();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    /// The variables that a pipeline declares or assigns, if any.
    fn variables(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            let variable = self.peek_after_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let after = self.peek();
            let next = self.peek_after_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.is_assignment = next.kind == Kind::Assign;
                    self.next_after_space();
                    self.declare(&variable, pipe);
                    return Ok(());
                }
                Kind::Char if self.value(&next) == b"," => {
                    self.next_after_space();
                    self.declare(&variable, pipe);
                    if context != "range" || pipe.variables.len() >= 2 {
                        return Err(self.error(format!("too many declarations in {context}")));
                    }
                    if !matches!(
                        self.peek_after_space().kind,
                        Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis
                    ) {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                _ if after.kind == Kind::Space => {
                    self.back_up_three(variable, after);
                    return Ok(());
                }
                _ => {
                    self.back_up_two(variable);
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, variable: &Token, pipe: &mut Pipe) {
        let name = self.name(Str::new(self.value(variable)));
        self.tree.variables.push(name.id);
        pipe.variables.push(name);
    }

    fn name(&mut self, text: Str) -> Name {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let id = *self.names.entry(text.clone()).or_insert(next);
        Name { id, text }
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        // What follows the first command is given a value, which a constant cannot take.
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if command.words.first().is_some_and(Word::is_constant) {
                let stage = index + 1;
                return Err(self.error(format!("non executable command in pipeline stage {stage}")));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut command = Command {
            position: position(&self.peek_after_space()),
            words: Vec::new(),
        };
        loop {
            self.peek_after_space();
            if let Some(word) = self.operand()? {
                command.words.push(word);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParenthesis => self.back_up(),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&token, "operand")),
            }
            break;
        }
        if command.words.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(command)
    }

    /// A term and the fields that follow it directly.
    fn operand(&mut self) -> Parsed<Option<Word>> {
        let Some(word) = self.term()? else {
            return Ok(None);
        };
        let next = self.peek();
        if next.kind != Kind::Field {
            return Ok(Some(word));
        }
        let position = position(&next);
        let mut added = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.next();
            added.push(self.field_name(&token));
        }
        let kind = match word.kind {
            WordKind::Field(mut fields) => {
                fields.append(&mut added);
                WordKind::Field(fields)
            }
            WordKind::Variable { name, mut fields } => {
                fields.append(&mut added);
                WordKind::Variable { name, fields }
            }
            _ if word.is_constant() => {
                let shown = quote::quoted(word.to_text().as_bytes());
                return Err(self.error(format!("unexpected . after term {shown}")));
            }
            _ => WordKind::Chain {
                first: Box::new(word),
                fields: added,
            },
        };
        Ok(Some(Word { position, kind }))
    }

    fn field_name(&self, token: &Token) -> Str {
        Str::new(self.value(token).get(1..).unwrap_or_default())
    }

    fn term(&mut self) -> Parsed<Option<Word>> {
        let token = self.next_after_space();
        let kind = match token.kind {
            Kind::Identifier => {
                let name = Str::new(self.value(&token));
                match self.callee(&name) {
                    Some(callee) => WordKind::Function { name, callee },
                    None => {
                        let shown = quote::quoted(&name);
                        return Err(self.error(format!("function {shown} not defined")));
                    }
                }
            }
            Kind::Keyword(Keyword::Dot) => WordKind::Dot,
            Kind::Keyword(Keyword::Nil) => WordKind::Nil,
            Kind::Variable => {
                let name = self.name(Str::new(self.value(&token)));
                if !self.tree.variables.contains(&name.id) {
                    let shown = quote::quoted(&name.text);
                    return Err(self.error(format!("undefined variable {shown}")));
                }
                WordKind::Variable {
                    name,
                    fields: Vec::new(),
                }
            }
            Kind::Field => WordKind::Field(vec![self.field_name(&token)]),
            Kind::Bool => WordKind::Bool(self.value(&token) == b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                let number = Number::parse(self.value(&token), token.kind)
                    .map_err(|message| self.error(message))?;
                WordKind::Number(Box::new(number))
            }
            Kind::LeftParenthesis => {
                if self.tree.parentheses >= PARENTHESES {
                    return Err(self.error("max expression depth exceeded"));
                }
                self.tree.parentheses += 1;
                let pipe = self.nested(|parser| {
                    parser.pipeline("parenthesized pipeline", Kind::RightParenthesis)
                })?;
                self.tree.parentheses -= 1;
                WordKind::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => WordKind::String {
                text: self.unquoted(&token)?,
                literal: Str::new(self.value(&token)),
            },
            _ => {
                self.back_up();
                return Ok(None);
            }
        };
        Ok(Some(Word {
            position: position(&token),
            kind,
        }))
    }

    fn callee(&self, name: &Str) -> Option<Callee> {
        let name = name.to_utf8()?;
        match self.functions.get(name) {
            Some(function) => Some(Callee::Function(Arc::clone(function))),
            None => Builtin::by_name(name).map(Callee::Builtin),
        }
    }
}

impl Word {
    /// Whether this is a literal or the dot: nothing that could be called or has fields.
    fn is_constant(&self) -> bool {
        matches!(
            self.kind,
            WordKind::Bool(_)
                | WordKind::Dot
                | WordKind::Nil
                | WordKind::Number(_)
                | WordKind::String { .. }
        )
    }
}

/// Whether there is nothing but white space, as Unicode defines it.
fn is_white(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.trim().is_empty())
}

fn position(token: &Token) -> u32 {
    u32::try_from(token.start).unwrap_or(u32::MAX)
}

impl Number {
    fn parse(text: &[u8], kind: Kind) -> Result<Self, String> {
        let mut number = Self {
            text: Str::new(text),
            int: None,
            uint: None,
            float: None,
            complex: None,
        };
        let quoted = || quote::quoted(text);
        match kind {
            Kind::CharConstant => number.set_character(text)?,
            Kind::Complex => {
                let (real, imaginary) = parse_complex(text)?;
                number.set_complex(real, imaginary);
            }
            _ => {
                if let Some(imaginary) = text.strip_suffix(b"i")
                    && let Ok(imaginary) = parse_float(imaginary)
                {
                    number.set_complex(0.0, imaginary);
                    return Ok(number);
                }
                number.uint = parse_uint(text).ok();
                number.int = parse_int(text).ok();
                if number.int == Some(0) {
                    number.uint = Some(0);
                }
                number.set_float(text)?;
            }
        }
        if number.int.is_none()
            && number.uint.is_none()
            && number.float.is_none()
            && number.complex.is_none()
        {
            return Err(format!("illegal number syntax: {}", quoted()));
        }
        Ok(number)
    }

    fn set_character(&mut self, text: &[u8]) -> Result<(), String> {
        let inside = text.get(1..).unwrap_or_default();
        let (character, rest) = unquote_char(inside, b'\'').ok_or("invalid syntax")?;
        if rest != b"'" {
            return Err(format!("malformed character constant: {}", self.text));
        }
        let code = match character {
            Unquoted::Byte(byte) => u32::from(byte),
            Unquoted::Char(character) => u32::from(character),
        };
        self.int = Some(i64::from(code));
        self.uint = Some(u64::from(code));
        self.float = Some(f64::from(code));
        Ok(())
    }

    /// The float that goes with an integer, or a float and the integers that go with it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "as Go converts an integer to a float64"
    )]
    fn set_float(&mut self, text: &[u8]) -> Result<(), String> {
        if let Some(int) = self.int {
            self.float = Some(int as f64);
        } else if let Some(uint) = self.uint {
            self.float = Some(uint as f64);
        } else if let Ok(float) = parse_float(text) {
            if !text.iter().any(|byte| b".eEpP".contains(byte)) {
                return Err(format!("integer overflow: {}", quote::quoted(text)));
            }
            self.float = Some(float);
            self.set_integers(float);
        }
        Ok(())
    }

    fn set_complex(&mut self, real: f64, imaginary: f64) {
        self.complex = Some((real, imaginary));
        if imaginary == 0.0 {
            self.float = Some(real);
            self.set_integers(real);
        }
    }

    fn set_integers(&mut self, float: f64) {
        self.int = exact_int(float);
        self.uint = exact_uint(float);
    }
}

/// The int64 with the same value, if there is one: a float beyond the range is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "the comparison finds out whether the conversion was exact"
)]
fn exact_int(float: f64) -> Option<i64> {
    let int = float as i64;
    (int as f64 == float && int != i64::MAX).then_some(int)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the comparison finds out whether the conversion was exact"
)]
fn exact_uint(float: f64) -> Option<u64> {
    let uint = float as u64;
    (uint as f64 == float && uint != u64::MAX).then_some(uint)
}

/// `1+2i`: two numbers of which each may have an exponent with a sign.
fn parse_complex(text: &[u8]) -> Result<(f64, f64), String> {
    let syntax = || "syntax error scanning complex number".to_owned();
    let inside = text.strip_suffix(b"i").ok_or_else(syntax)?;
    let hex = inside
        .windows(2)
        .any(|pair| pair[0] == b'0' && pair[1].eq_ignore_ascii_case(&b'x'));
    let split = inside
        .iter()
        .enumerate()
        .skip(1)
        .find(|(index, byte)| {
            let before = inside[index - 1].to_ascii_lowercase();
            let in_exponent = before == b'p' || before == b'e' && !hex;
            matches!(byte, b'+' | b'-') && !in_exponent
        })
        .map(|(index, _)| index)
        .ok_or_else(syntax)?;
    let (real, imaginary) = inside.split_at(split);
    let float = |text: &[u8]| {
        parse_float(text).map_err(|error| {
            let reason = match error {
                NumberError::Syntax => "invalid syntax",
                NumberError::Range => "value out of range",
            };
            format!(
                "strconv.ParseFloat: parsing {}: {reason}",
                quote::quoted(text)
            )
        })
    };
    Ok((float(real)?, float(imaginary)?))
}
