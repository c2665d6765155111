//! From tokens to events.

use super::input::Mark;
use super::problem::Problem;
use super::scanner::{Scanner, Token, TokenKind};

#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    /// Of its beginning, from 0.
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) enum EventKind {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(Vec<u8>),
    Scalar {
        anchor: Option<Vec<u8>>,
        /// In its long form; empty if there is none.
        tag: Vec<u8>,
        value: Vec<u8>,
        /// Whether the value decides about the type.
        implicit: bool,
    },
    SequenceStart {
        anchor: Option<Vec<u8>>,
    },
    MappingStart {
        anchor: Option<Vec<u8>>,
    },
    CollectionEnd,
}

#[derive(Clone, Copy)]
enum State {
    StreamStart,
    DocumentStart { implicit: bool },
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceEntry { first: bool },
    IndentlessSequenceEntry,
    BlockMappingKey { first: bool },
    BlockMappingValue,
    FlowSequenceEntry { first: bool },
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingKey { first: bool },
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// What a node may be at its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Flow,
    Block,
    /// A block, or a sequence that is not indented.
    BlockOrIndentless,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    /// The states to return to.
    states: Vec<State>,
    /// Where the open collections begin.
    collections: Vec<Mark>,
    /// Handles and prefixes of the document.
    tag_directives: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            scanner: Scanner::new(text),
            state: State::StreamStart,
            states: Vec::new(),
            collections: Vec::new(),
            tag_directives: Vec::new(),
        }
    }

    /// The next event; after the end of the stream again its end.
    pub(super) fn next(&mut self) -> Result<Event, Problem> {
        match self.state {
            State::StreamStart => {
                self.scanner.take()?;
                self.document_start(true)
            }
            State::DocumentStart { implicit } => self.document_start(implicit),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Place::Block),
            State::BlockSequenceEntry { first } => self.block_sequence_entry(first),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingKey { first } => self.block_mapping_key(first),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceEntry { first } => self.flow_sequence_entry(first),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => self.flow_pair_end(),
            State::FlowMappingKey { first } => self.flow_mapping_key(first),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                self.state = State::FlowMappingKey { first: false };
                let line = self.scanner.peek()?.start.line;
                Ok(empty_scalar(line))
            }
            State::End => Ok(Event {
                kind: EventKind::StreamEnd,
                line: 0,
            }),
        }
    }

    fn peek(&mut self) -> Result<&TokenKind, Problem> {
        Ok(&self.scanner.peek()?.kind)
    }

    /// Reads a node, and then goes on in the state.
    fn node_then(&mut self, place: Place, state: State) -> Result<Event, Problem> {
        self.states.push(state);
        self.node(place)
    }

    /// An empty scalar, and then the state.
    fn empty_then(&mut self, line: usize, state: State) -> Result<Event, Problem> {
        self.state = state;
        Ok(empty_scalar(line))
    }

    fn go_back(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// Passes over the token that begins a collection.
    fn enter(&mut self) -> Result<(), Problem> {
        let token = self.scanner.take()?;
        self.collections.push(token.start);
        Ok(())
    }

    fn leave(&mut self) -> Result<Event, Problem> {
        self.go_back();
        self.collections.pop();
        let token = self.scanner.take()?;
        Ok(Event {
            kind: EventKind::CollectionEnd,
            line: token.start.line,
        })
    }

    /// The next token does not belong into the innermost collection.
    fn unexpected(&mut self, message: &str) -> Problem {
        let context = self.collections.last().copied().unwrap_or_default();
        match self.scanner.peek() {
            Ok(token) => Problem::parser(message, context.line, token.start.line),
            Err(problem) => problem,
        }
    }

    // Documents.

    fn document_start(&mut self, implicit: bool) -> Result<Event, Problem> {
        if !implicit {
            while *self.peek()? == TokenKind::DocumentEnd {
                self.scanner.take()?;
            }
        }
        let token = self.scanner.peek()?;
        let line = token.start.line;
        let event = |kind| Event { kind, line };
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                return Ok(event(EventKind::StreamEnd));
            }
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart => {}
            _ if implicit => {
                self.directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok(event(EventKind::DocumentStart));
            }
            _ => {}
        }
        self.directives()?;
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::DocumentStart {
            let line = token.start.line;
            return Err(Problem::parser(
                "did not find expected <document start>",
                0,
                line,
            ));
        }
        self.scanner.take()?;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(event(EventKind::DocumentStart))
    }

    fn directives(&mut self) -> Result<(), Problem> {
        let mut versioned = false;
        loop {
            let token = self.scanner.peek()?;
            let line = token.start.line;
            let problem = |message: &str| Err(Problem::parser(message, 0, line));
            match &token.kind {
                TokenKind::VersionDirective { .. } if versioned => {
                    return problem("found duplicate %YAML directive");
                }
                TokenKind::VersionDirective { major: 1, minor: 1 } => versioned = true,
                TokenKind::VersionDirective { .. } => {
                    return problem("found incompatible YAML document");
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.tag_directives.iter().any(|(known, _)| known == handle) {
                        return problem("found duplicate %TAG directive");
                    }
                    let directive = (handle.clone(), prefix.clone());
                    self.tag_directives.push(directive);
                }
                _ => break,
            }
            self.scanner.take()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            let known = |(known, _): &(Vec<u8>, Vec<u8>)| known == handle.as_bytes();
            if !self.tag_directives.iter().any(known) {
                self.tag_directives.push((handle.into(), prefix.into()));
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Result<Event, Problem> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                let line = token.start.line;
                self.go_back();
                Ok(empty_scalar(line))
            }
            _ => self.node(Place::Block),
        }
    }

    fn document_end(&mut self) -> Result<Event, Problem> {
        let token = self.scanner.peek()?;
        let line = token.start.line;
        if token.kind == TokenKind::DocumentEnd {
            self.scanner.take()?;
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart { implicit: false };
        Ok(Event {
            kind: EventKind::DocumentEnd,
            line,
        })
    }

    // Nodes.

    fn node(&mut self, place: Place) -> Result<Event, Problem> {
        let start = self.scanner.peek()?.start;
        let event = |kind| Event {
            kind,
            line: start.line,
        };
        if let TokenKind::Alias(_) = self.peek()? {
            self.go_back();
            if let Token {
                kind: TokenKind::Alias(name),
                ..
            } = self.scanner.take()?
            {
                return Ok(event(EventKind::Alias(name)));
            }
        }
        let (anchor, tag) = self.properties(start)?;
        let token = self.scanner.peek()?;
        let block = place != Place::Flow;
        match &token.kind {
            TokenKind::BlockEntry if place == Place::BlockOrIndentless => {
                self.state = State::IndentlessSequenceEntry;
                return Ok(event(EventKind::SequenceStart { anchor }));
            }
            TokenKind::Scalar { plain, .. } => {
                let implicit = tag.is_empty() && *plain || tag == b"!";
                self.go_back();
                let value = match self.scanner.take()?.kind {
                    TokenKind::Scalar { value, .. } => value,
                    _ => Vec::new(),
                };
                return Ok(event(EventKind::Scalar {
                    anchor,
                    tag,
                    value,
                    implicit,
                }));
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceEntry { first: true };
                return Ok(event(EventKind::SequenceStart { anchor }));
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingKey { first: true };
                return Ok(event(EventKind::MappingStart { anchor }));
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceEntry { first: true };
                return Ok(event(EventKind::SequenceStart { anchor }));
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingKey { first: true };
                return Ok(event(EventKind::MappingStart { anchor }));
            }
            _ => {}
        }
        if anchor.is_some() || !tag.is_empty() {
            let implicit = tag.is_empty();
            self.go_back();
            return Ok(event(EventKind::Scalar {
                anchor,
                tag,
                value: Vec::new(),
                implicit,
            }));
        }
        Err(Problem::parser(
            "did not find expected node content",
            start.line,
            token.start.line,
        ))
    }

    /// An anchor and a tag (in its long form), in either order.
    fn properties(&mut self, start: Mark) -> Result<(Option<Vec<u8>>, Vec<u8>), Problem> {
        let mut anchor = None;
        let mut tag = None;
        loop {
            match self.peek()? {
                TokenKind::Anchor(_) if anchor.is_none() => {
                    if let TokenKind::Anchor(name) = self.scanner.take()?.kind {
                        anchor = Some(name);
                    }
                }
                TokenKind::Tag { .. } if tag.is_none() => {
                    let token = self.scanner.take()?;
                    if let TokenKind::Tag { handle, suffix } = token.kind {
                        tag = Some((handle, suffix, token.start));
                    }
                }
                _ => break,
            }
        }
        let Some((handle, suffix, mark)) = tag else {
            return Ok((anchor, Vec::new()));
        };
        if handle.is_empty() {
            return Ok((anchor, suffix));
        }
        match self
            .tag_directives
            .iter()
            .find(|(known, _)| *known == handle)
        {
            Some((_, prefix)) => Ok((anchor, [prefix.as_slice(), &suffix].concat())),
            None => Err(Problem::parser(
                "found undefined tag handle",
                start.line,
                mark.line,
            )),
        }
    }

    // Block collections.

    fn block_sequence_entry(&mut self, first: bool) -> Result<Event, Problem> {
        if first {
            self.enter()?;
        }
        match self.peek()? {
            TokenKind::BlockEntry => {
                let line = self.scanner.take()?.end.line;
                let next = State::BlockSequenceEntry { first: false };
                match self.peek()? {
                    TokenKind::BlockEntry | TokenKind::BlockEnd => self.empty_then(line, next),
                    _ => self.node_then(Place::Block, next),
                }
            }
            TokenKind::BlockEnd => self.leave(),
            _ => Err(self.unexpected("did not find expected '-' indicator")),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<Event, Problem> {
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::BlockEntry {
            let line = token.start.line;
            self.go_back();
            return Ok(Event {
                kind: EventKind::CollectionEnd,
                line,
            });
        }
        let line = self.scanner.take()?.end.line;
        let next = State::IndentlessSequenceEntry;
        match self.peek()? {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                self.empty_then(line, next)
            }
            _ => self.node_then(Place::Block, next),
        }
    }

    fn block_mapping_key(&mut self, first: bool) -> Result<Event, Problem> {
        if first {
            self.enter()?;
        }
        match self.peek()? {
            TokenKind::Key => self.after_block_indicator(State::BlockMappingValue),
            TokenKind::BlockEnd => self.leave(),
            _ => Err(self.unexpected("did not find expected key")),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Event, Problem> {
        let next = State::BlockMappingKey { first: false };
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::Value {
            let line = token.start.line;
            return self.empty_then(line, next);
        }
        self.after_block_indicator(next)
    }

    /// The node after `?` or `:`.
    fn after_block_indicator(&mut self, next: State) -> Result<Event, Problem> {
        let line = self.scanner.take()?.end.line;
        match self.peek()? {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty_then(line, next),
            _ => self.node_then(Place::BlockOrIndentless, next),
        }
    }

    // Flow collections.

    fn flow_sequence_entry(&mut self, first: bool) -> Result<Event, Problem> {
        if first {
            self.enter()?;
        } else {
            match self.peek()? {
                TokenKind::FlowSequenceEnd => {}
                TokenKind::FlowEntry => {
                    self.scanner.take()?;
                }
                _ => return Err(self.unexpected("did not find expected ',' or ']'")),
            }
        }
        match self.peek()? {
            TokenKind::FlowSequenceEnd => self.leave(),
            TokenKind::Key => {
                let line = self.scanner.take()?.start.line;
                self.state = State::FlowPairKey;
                Ok(Event {
                    kind: EventKind::MappingStart { anchor: None },
                    line,
                })
            }
            _ => self.node_then(Place::Flow, State::FlowSequenceEntry { first: false }),
        }
    }

    fn flow_pair_key(&mut self) -> Result<Event, Problem> {
        match self.peek()? {
            // What ends an empty key is passed over, be it a comma or a bracket.
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                let line = self.scanner.take()?.end.line;
                self.empty_then(line, State::FlowPairValue)
            }
            _ => self.node_then(Place::Flow, State::FlowPairValue),
        }
    }

    fn flow_pair_value(&mut self) -> Result<Event, Problem> {
        let token = self.scanner.peek()?;
        let mut line = token.start.line;
        if token.kind == TokenKind::Value {
            line = self.scanner.take()?.start.line;
            match self.peek()? {
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {}
                _ => return self.node_then(Place::Flow, State::FlowPairEnd),
            }
        }
        self.empty_then(line, State::FlowPairEnd)
    }

    fn flow_pair_end(&mut self) -> Result<Event, Problem> {
        let line = self.scanner.peek()?.start.line;
        self.state = State::FlowSequenceEntry { first: false };
        Ok(Event {
            kind: EventKind::CollectionEnd,
            line,
        })
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result<Event, Problem> {
        if first {
            self.enter()?;
        } else {
            match self.peek()? {
                TokenKind::FlowMappingEnd => {}
                TokenKind::FlowEntry => {
                    self.scanner.take()?;
                }
                _ => return Err(self.unexpected("did not find expected ',' or '}'")),
            }
        }
        match self.peek()? {
            TokenKind::FlowMappingEnd => self.leave(),
            TokenKind::Key => {
                self.scanner.take()?;
                let token = self.scanner.peek()?;
                let line = token.start.line;
                match token.kind {
                    TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                        self.empty_then(line, State::FlowMappingValue)
                    }
                    _ => self.node_then(Place::Flow, State::FlowMappingValue),
                }
            }
            _ => self.node_then(Place::Flow, State::FlowMappingEmptyValue),
        }
    }

    fn flow_mapping_value(&mut self) -> Result<Event, Problem> {
        let next = State::FlowMappingKey { first: false };
        let token = self.scanner.peek()?;
        let mut line = token.start.line;
        if token.kind == TokenKind::Value {
            self.scanner.take()?;
            let token = self.scanner.peek()?;
            line = token.start.line;
            match token.kind {
                TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {}
                _ => return self.node_then(Place::Flow, next),
            }
        }
        self.empty_then(line, next)
    }
}

fn empty_scalar(line: usize) -> Event {
    Event {
        kind: EventKind::Scalar {
            anchor: None,
            tag: Vec::new(),
            value: Vec::new(),
            implicit: true,
        },
        line,
    }
}
