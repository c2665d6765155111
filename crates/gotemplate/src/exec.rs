//! Evaluation of parsed templates.

use crate::builtin::{self, Builtin};
use crate::error::{Error, Limit};
use crate::function::{Args, Call, Environment, Signature};
use crate::print;
use crate::run::Run;
use crate::slot::{Mismatch, Slot, assign};
use crate::string::Str;
use crate::syntax::ast::{
    Branch, Callee, Command, Invocation, Node, Number, Pipe, Statement, Tree, Word, WordKind,
    deeper,
};
use crate::template::{MissingKey, Templates};
use crate::text::quote::quoted;
use crate::types::{Kind, Type};
use crate::value::{Object, Value, named_method};

/// Results are small: an error is rare and its text long.
type Fault = Box<Error>;
type Evaluated<T> = Result<T, Fault>;

/// How a statement ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Executes a template of a set and gives its output.
pub(crate) fn execute(
    run: &mut Run,
    environment: &mut dyn Environment,
    templates: &Templates,
    name: &[u8],
    data: Value,
) -> Result<Vec<u8>, Error> {
    let tree = templates.lookup(name).ok_or_else(|| {
        Error::new(format!(
            "template: no template {} associated with template {}",
            quoted(name),
            quoted(templates.name())
        ))
    })?;
    if run.depth >= run.limits.depth {
        return Err(too_deep(run.limits.depth));
    }
    run.depth += 1;
    let mut executor = Executor {
        run,
        environment,
        templates,
        tree,
        out: Vec::new(),
        variables: Vec::new(),
        base: 0,
        node: Node::Nothing,
    };
    let result = deeper(|| executor.template(tree, Slot::concrete(data)));
    let Executor { run, out, .. } = executor;
    run.depth -= 1;
    match result {
        Ok(()) => Ok(out),
        Err(fault) => Err(*fault),
    }
}

fn too_deep(depth: usize) -> Error {
    Error::limit(
        Limit::Depth,
        format!("exceeded maximum template depth ({depth})"),
    )
}

struct Executor<'e> {
    run: &'e mut Run,
    environment: &'e mut dyn Environment,
    templates: &'e Templates,
    tree: &'e Tree,
    out: Vec<u8>,
    /// The variables of this template and of those around it.
    variables: Vec<(u32, Slot)>,
    /// Where the variables of this template begin.
    base: usize,
    /// What errors point at.
    node: Node<'e>,
}

impl<'e> Executor<'e> {
    // Errors

    #[cold]
    fn fail(&self, message: impl AsRef<str>) -> Fault {
        Box::new(Error::new(self.place(message.as_ref())))
    }

    /// An error of a function or of a limit, with the place before its text.
    #[cold]
    fn fail_with(&self, error: Error, prefix: &str) -> Fault {
        Box::new(error.with_message(|message| self.place(&format!("{prefix}{message}"))))
    }

    fn place(&self, message: &str) -> String {
        let name = quoted(&self.tree.name);
        let location = self.tree.source.location(self.node.position());
        let context = self.node.print();
        let context = String::from_utf8_lossy(&context);
        format!("template: {location}: executing {name} at <{context}>: {message}")
    }

    fn step(&mut self) -> Evaluated<()> {
        match self.run.charge_steps(1) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fail_with(error, "")),
        }
    }

    // Statements

    /// Executes a template with its own variables.
    fn template(&mut self, tree: &'e Tree, dot: Slot) -> Evaluated<()> {
        let base = std::mem::replace(&mut self.base, self.variables.len());
        let around = std::mem::replace(&mut self.tree, tree);
        let node = std::mem::replace(&mut self.node, Node::Nothing);
        self.variables.push((0, dot.clone()));
        self.list(&dot, &tree.body)?;
        self.variables.truncate(self.base);
        self.base = base;
        self.tree = around;
        self.node = node;
        Ok(())
    }

    fn list(&mut self, dot: &Slot, statements: &'e [Statement]) -> Evaluated<Flow> {
        for statement in statements {
            let flow = self.statement(dot, statement)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, dot: &Slot, statement: &'e Statement) -> Evaluated<Flow> {
        self.step()?;
        match statement {
            Statement::Text(text) => self.write(|out| out.extend_from_slice(text))?,
            Statement::Action(pipe) => {
                let value = self.pipe(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.node = Node::Statement(statement);
                    self.print(&value)?;
                }
            }
            Statement::If(branch) => return self.branch(dot, branch, false),
            Statement::With(branch) => return self.branch(dot, branch, true),
            Statement::Range(branch) => {
                return deeper(|| self.range(dot, branch));
            }
            Statement::Template(invocation) => {
                self.node = Node::Statement(statement);
                self.invoke(dot, invocation)?;
            }
            Statement::Break(_) => return Ok(Flow::Break),
            Statement::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Evaluated<()> {
        let before = self.out.len();
        write(&mut self.out);
        match self.run.charge_bytes(self.out.len() - before) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fail_with(error, "")),
        }
    }

    fn branch(&mut self, dot: &Slot, branch: &'e Branch, with: bool) -> Evaluated<Flow> {
        let mark = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let flow = if value.value.truth() {
            let dot = if with { &value } else { dot };
            deeper(|| self.list(dot, &branch.body))?
        } else if let Some(otherwise) = &branch.otherwise {
            deeper(|| self.list(dot, otherwise))?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: &Slot, branch: &'e Branch) -> Evaluated<Flow> {
        let before = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?.value;
        let mark = self.variables.len();
        let plain = match &value {
            Value::Object(object) if object.kind() == Kind::Pointer => {
                object.underlying().unwrap_or_else(|| value.clone())
            }
            _ => value.plain().into_owned(),
        };
        let mut ran = false;
        if let Some(count) = builtin::count(&plain) {
            if branch.pipe.variables.len() > 1 {
                let shown = print::shown(&value);
                return Err(self.fail(format!(
                    "can't use {shown} to iterate over more than one variable"
                )));
            }
            for index in 0..count {
                ran = true;
                let number = builtin::counted(index, &plain);
                let element = Slot::concrete(match &value {
                    Value::Object(object) => object.renamed(number),
                    _ => number,
                });
                if self.iterate(branch, mark, Slot::INVALID, element)? == Flow::Break {
                    break;
                }
            }
        } else {
            match &plain {
                Value::Nil => {}
                Value::List(list) => {
                    for index in 0..list.len() {
                        ran = true;
                        let element = Slot::of(list.get(index).unwrap_or_default(), list.element());
                        let index = Value::int(i64::try_from(index).unwrap_or(i64::MAX));
                        if self.iterate(branch, mark, index.into(), element)? == Flow::Break {
                            break;
                        }
                    }
                }
                Value::Map(map) => {
                    for (key, value) in map.entries() {
                        ran = true;
                        let element = Slot::of(value, map.element());
                        let key = Slot::concrete(Value::String(key));
                        if self.iterate(branch, mark, key, element)? == Flow::Break {
                            break;
                        }
                    }
                }
                _ => {
                    let shown = print::shown(&value);
                    return Err(self.fail(format!("range can't iterate over {shown}")));
                }
            }
        }
        if !ran && let Some(otherwise) = &branch.otherwise {
            let flow = self.list(dot, otherwise)?;
            self.variables.truncate(before);
            // Of an outer range a continue goes on; a break ends this range, which is over.
            return Ok(match flow {
                Flow::Continue => Flow::Continue,
                Flow::Next | Flow::Break => Flow::Next,
            });
        }
        self.variables.truncate(before);
        Ok(Flow::Next)
    }

    fn iterate(
        &mut self,
        branch: &'e Branch,
        mark: usize,
        index: Slot,
        element: Slot,
    ) -> Evaluated<Flow> {
        self.step()?;
        let pipe = &branch.pipe;
        match pipe.variables.as_slice() {
            [] => {}
            [variable] if pipe.is_assignment => {
                self.set(variable.id, &variable.text, element.clone())?
            }
            [first, second, ..] if pipe.is_assignment => {
                self.set(first.id, &first.text, index)?;
                self.set(second.id, &second.text, element.clone())?;
            }
            variables => {
                let length = self.variables.len();
                if let Some((_, top)) = self.variables.last_mut() {
                    *top = element.clone();
                }
                if variables.len() > 1
                    && let Some((_, next)) = length
                        .checked_sub(2)
                        .and_then(|index| self.variables.get_mut(index))
                {
                    *next = index;
                }
            }
        }
        let flow = self.list(&element, &branch.body)?;
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn invoke(&mut self, dot: &Slot, invocation: &'e Invocation) -> Evaluated<()> {
        let Some(tree) = self.templates.lookup(&invocation.name) else {
            let name = quoted(&invocation.name);
            return Err(self.fail(format!("template {name} not defined")));
        };
        if self.run.depth >= self.run.limits.depth {
            return Err(self.fail_with(too_deep(self.run.limits.depth), ""));
        }
        let dot = match &invocation.pipe {
            Some(pipe) => self.pipe(dot, pipe)?,
            None => Slot::INVALID,
        };
        self.run.depth += 1;
        deeper(|| self.template(tree, dot))?;
        self.run.depth -= 1;
        Ok(())
    }

    fn print(&mut self, slot: &Slot) -> Evaluated<()> {
        match &slot.value {
            Value::Nil => self.write(|out| out.extend_from_slice(b"<no value>")),
            Value::String(text) => self.write(|out| out.extend_from_slice(text)),
            Value::Function(_) => {
                let action = String::from_utf8_lossy(&self.node.print()).into_owned();
                let name = slot.type_name();
                Err(self.fail(format!("can't print {action} of type {name}")))
            }
            value => {
                let limit = self.run.bytes_left();
                let before = self.out.len();
                let printed = print::print_action(&mut self.out, value, limit);
                let charged = printed.and_then(|()| self.run.charge_bytes(self.out.len() - before));
                charged.map_err(|error| self.fail_with(self.run.explained(error), ""))
            }
        }
    }

    // Variables

    fn set(&mut self, id: u32, name: &Str, value: Slot) -> Evaluated<()> {
        let known = self.variables[self.base..]
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == id);
        match known {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }

    fn get(&self, id: u32, name: &Str) -> Evaluated<Slot> {
        self.variables[self.base..]
            .iter()
            .rev()
            .find(|(known, _)| *known == id)
            .map(|(_, slot)| slot.clone())
            .ok_or_else(|| self.fail(format!("undefined variable: {name}")))
    }

    // Pipelines

    fn pipe(&mut self, dot: &Slot, pipe: &'e Pipe) -> Evaluated<Slot> {
        self.node = Node::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?.unwrapped());
        }
        let value = value.unwrap_or_default();
        for variable in &pipe.variables {
            if pipe.is_assignment {
                self.set(variable.id, &variable.text, value.clone())?;
            } else {
                self.variables.push((variable.id, value.clone()));
            }
        }
        Ok(value)
    }

    fn not_a_function(&self, words: &[Word], last: Option<&Slot>) -> Evaluated<()> {
        if words.len() > 1 || last.is_some() {
            let first = words.first().map(Word::to_text).unwrap_or_default();
            return Err(self.fail(format!("can't give argument to non-function {first}")));
        }
        Ok(())
    }

    /// The value of a command, which is given the value of the one before it as last argument.
    fn command(&mut self, dot: &Slot, command: &'e Command, last: Option<Slot>) -> Evaluated<Slot> {
        self.step()?;
        let Some((first, arguments)) = command.words.split_first() else {
            return Ok(Slot::INVALID);
        };
        match &first.kind {
            WordKind::Field(fields) => {
                self.node = Node::Word(first);
                self.fields(dot, dot.clone(), first, fields, arguments, last)
            }
            WordKind::Chain {
                first: term,
                fields,
            } => {
                let receiver = self.chain_start(dot, first, term)?;
                self.fields(dot, receiver, first, fields, arguments, last)
            }
            WordKind::Function { name, callee } => {
                self.node = Node::Word(first);
                self.function(dot, name, callee, Node::Command(command), arguments, last)
            }
            WordKind::Pipe(pipe) => {
                self.not_a_function(&command.words, last.as_ref())?;
                deeper(|| self.pipe(dot, pipe))
            }
            WordKind::Variable { name, fields } => {
                self.node = Node::Word(first);
                let value = self.get(name.id, &name.text)?;
                if fields.is_empty() {
                    self.not_a_function(&command.words, last.as_ref())?;
                    return Ok(value);
                }
                self.fields(dot, value, first, fields, arguments, last)
            }
            constant => {
                self.node = Node::Word(first);
                self.not_a_function(&command.words, last.as_ref())?;
                match constant {
                    WordKind::Bool(truth) => Ok(Slot::from(*truth)),
                    WordKind::Number(number) => self.constant(number),
                    WordKind::String { text, .. } => Ok(Value::String(text.clone()).into()),
                    WordKind::Nil => Err(self.fail("nil is not a command")),
                    _ => Ok(dot.clone()),
                }
            }
        }
    }

    /// A number whose type nothing but its spelling decides.
    fn constant(&mut self, number: &Number) -> Evaluated<Slot> {
        if let Some((real, imaginary)) = number.complex {
            return Ok(Value::Complex(real, imaginary).into());
        }
        if let Some(float) = number.float
            && number.is_spelled_as_float()
        {
            return Ok(Value::float64(float).into());
        }
        match (number.int, number.uint) {
            (Some(int), _) => Ok(Value::int(int).into()),
            (None, Some(_)) => Err(self.fail(format!("{} overflows int", number.text))),
            (None, None) => Ok(Slot::INVALID),
        }
    }

    // Fields

    /// The value that the fields of a chain are taken from.
    fn chain_start(&mut self, dot: &Slot, chain: &'e Word, term: &'e Word) -> Evaluated<Slot> {
        self.node = Node::Word(chain);
        self.node = Node::Word(term);
        match &term.kind {
            WordKind::Pipe(pipe) => deeper(|| self.pipe(dot, pipe)),
            WordKind::Function { name, callee } => {
                self.function(dot, name, callee, Node::Word(term), &[], None)
            }
            _ => Err(self.fail(format!(
                "can't evaluate command {}",
                quoted(term.to_text().as_bytes())
            ))),
        }
    }

    fn fields(
        &mut self,
        dot: &Slot,
        mut receiver: Slot,
        word: &'e Word,
        fields: &'e [Str],
        arguments: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Slot> {
        let Some((final_field, fields)) = fields.split_last() else {
            return Ok(receiver);
        };
        for field in fields {
            receiver = self.field(dot, receiver, word, field, &[], None)?;
        }
        self.field(dot, receiver, word, final_field, arguments, last)
    }

    fn field(
        &mut self,
        dot: &Slot,
        receiver: Slot,
        word: &'e Word,
        name: &'e Str,
        arguments: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Slot> {
        if let Value::Nil = receiver.value {
            if receiver.is_interface {
                return Err(self.fail(format!("nil pointer evaluating interface {{}}.{name}")));
            }
            if self.templates.missing_key() == MissingKey::Error {
                return Err(self.fail(format!("nil data; no entry for key {}", quoted(name))));
            }
            return Ok(Slot::INVALID);
        }
        if let Some(method) = named_method(&receiver.value, name) {
            let signature = &method.signature;
            return self.method(dot, &receiver.value, word, name, signature, arguments, last);
        }
        let has_arguments = !arguments.is_empty() || last.is_some();
        match &receiver.value {
            Value::Map(map) => {
                if has_arguments {
                    return Err(self.fail(format!("{name} is not a method but has arguments")));
                }
                self.entry(map, name)
            }
            Value::Object(object) => {
                if let Some(signature) = object.method(name) {
                    return self.method(
                        dot,
                        &receiver.value,
                        word,
                        name,
                        &signature,
                        arguments,
                        last,
                    );
                }
                self.object_field(&receiver, object.as_ref(), name, has_arguments)
            }
            _ => Err(self.no_field(&receiver, name)),
        }
    }

    #[cold]
    fn no_field(&self, receiver: &Slot, name: &Str) -> Fault {
        self.fail(format!(
            "can't evaluate field {name} in type {}",
            receiver.type_name()
        ))
    }

    fn entry(&mut self, map: &crate::value::Map, name: &Str) -> Evaluated<Slot> {
        if let Some(value) = map.get(name) {
            return Ok(Slot::of(value, map.element()));
        }
        match self.templates.missing_key() {
            MissingKey::Default => Ok(Slot::INVALID),
            MissingKey::Zero => Ok(Slot::of(Value::zero(map.element()), map.element())),
            MissingKey::Error => {
                Err(self.fail(format!("map has no entry for key {}", quoted(name))))
            }
        }
    }

    fn object_field(
        &mut self,
        receiver: &Slot,
        object: &dyn Object,
        name: &Str,
        has_arguments: bool,
    ) -> Evaluated<Slot> {
        match object.kind() {
            Kind::Pointer if object.is_nil() && object.field(name).is_some() => {
                let name_of_type = receiver.type_name();
                Err(self.fail(format!("nil pointer evaluating {name_of_type}.{name}")))
            }
            Kind::Pointer | Kind::Struct if !object.is_nil() => match object.field(name) {
                Some(_) if has_arguments => Err(self.fail(format!(
                    "{name} has arguments but cannot be invoked as function"
                ))),
                Some(value) => Ok(Slot {
                    value,
                    is_interface: object.field_is_interface(name),
                }),
                None => Err(self.no_field(receiver, name)),
            },
            Kind::Map => match object.underlying() {
                Some(Value::Map(_)) if has_arguments => {
                    Err(self.fail(format!("{name} is not a method but has arguments")))
                }
                Some(Value::Map(map)) => self.entry(&map, name),
                _ => Err(self.no_field(receiver, name)),
            },
            _ => Err(self.no_field(receiver, name)),
        }
    }

    // Calls

    #[expect(clippy::too_many_arguments, reason = "each is a part of the call")]
    fn method(
        &mut self,
        dot: &Slot,
        receiver: &Value,
        word: &'e Word,
        name: &'e Str,
        signature: &Signature,
        arguments: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Slot> {
        let mut values = self.arguments(dot, name, signature, arguments, last)?;
        let shown = name.to_text();
        let mut call = Call {
            run: self.run,
            environment: self.environment,
            templates: self.templates,
            name: &shown,
        };
        let args = Args::new(&mut values);
        let result = match receiver {
            Value::Object(object) => object.call(name, &mut call, args),
            _ => match named_method(receiver, name) {
                Some(method) => method.call(&mut call, receiver, args),
                None => Ok(Value::Nil),
            },
        };
        self.result(result, &signature.result, &shown, Node::Word(word))
    }

    fn result(
        &mut self,
        result: Result<Value, Error>,
        kind: &Type,
        name: &str,
        node: Node<'e>,
    ) -> Evaluated<Slot> {
        match result {
            Ok(value) => Ok(Slot::of(value, kind)),
            Err(error) => {
                self.node = node;
                Err(self.fail_with(error, &format!("error calling {name}: ")))
            }
        }
    }

    /// Calls the function that a word names; `node` is what an error of the function points at.
    fn function(
        &mut self,
        dot: &Slot,
        name: &'e Str,
        callee: &'e Callee,
        node: Node<'e>,
        arguments: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Slot> {
        match callee {
            Callee::Function(function) => {
                let signature = &function.signature;
                let mut values = self.arguments(dot, name, signature, arguments, last)?;
                let shown = name.to_text();
                let mut call = Call {
                    run: self.run,
                    environment: self.environment,
                    templates: self.templates,
                    name: &shown,
                };
                let result = function.call(&mut call, Args::new(&mut values));
                self.result(result, &signature.result, &shown, node)
            }
            Callee::Builtin(builtin) => self.builtin(dot, name, *builtin, node, arguments, last),
        }
    }

    fn builtin(
        &mut self,
        dot: &Slot,
        name: &'e Str,
        builtin: Builtin,
        node: Node<'e>,
        arguments: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Slot> {
        let signature = builtin.signature();
        self.check_count(name, signature, arguments.len(), last.is_some())?;
        let wanted = match builtin {
            Builtin::And => Some(false),
            Builtin::Or => Some(true),
            _ => None,
        };
        if let Some(wanted) = wanted {
            let mut value = Slot::INVALID;
            for word in arguments {
                value = self.argument(dot, &Type::Reflect, word)?;
                if value.value.truth() == wanted {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut values = self.evaluated(dot, signature, arguments, last)?;
        let result = if builtin == Builtin::Call {
            self.call(&mut values, arguments)
        } else {
            let limit = self.run.bytes_left();
            match builtin.call(&mut values, limit) {
                Ok(slot) => {
                    let made = match &slot.value {
                        Value::String(text) => text.len(),
                        _ => 0,
                    };
                    self.run.charge_bytes(made).map(|()| slot)
                }
                Err(error) => Err(error),
            }
        };
        result.map_err(|error| {
            self.node = node;
            let error = self.run.explained(error);
            self.fail_with(error, &format!("error calling {name}: "))
        })
    }

    /// The builtin `call`: the first value is a function.
    fn call(&mut self, values: &mut [Slot], words: &[Word]) -> Result<Slot, Error> {
        let Some((function, values)) = values.split_first_mut() else {
            return Err("call of nil".into());
        };
        let name = match (words.first(), &function.value) {
            (Some(word), _) => word.to_text(),
            (None, Value::String(text)) => text.to_string(),
            (None, Value::Nil) => "<invalid Value>".to_owned(),
            (None, value) => format!("<{} Value>", value.type_name()),
        };
        let function = match &function.value {
            Value::Nil => return Err("call of nil".into()),
            Value::Function(function) => std::sync::Arc::clone(function),
            other => {
                let kind = other.type_name();
                return Err(format!("non-function {name} of type {kind}").into());
            }
        };
        let signature = &function.signature;
        let (given, known) = (values.len(), signature.parameters.len());
        if signature.variadic && given + 1 < known {
            let least = known - 1;
            return Err(format!(
                "wrong number of args for {name}: got {given} want at least {least}"
            )
            .into());
        }
        if !signature.variadic && given != known {
            return Err(
                format!("wrong number of args for {name}: got {given} want {known}").into(),
            );
        }
        let mut prepared = Vec::with_capacity(given);
        for (index, slot) in values.iter_mut().enumerate() {
            let value = std::mem::take(&mut slot.value);
            let value = builtin::prepare(value, parameter(signature, index))
                .map_err(|error| error.with_message(|message| format!("arg {index}: {message}")))?;
            prepared.push(value);
        }
        let mut call = Call {
            run: self.run,
            environment: self.environment,
            templates: self.templates,
            name: &name,
        };
        let value = function.call(&mut call, Args::new(&mut prepared))?;
        Ok(Slot::of(value, &signature.result))
    }

    fn check_count(
        &self,
        name: &Str,
        signature: &Signature,
        words: usize,
        has_last: bool,
    ) -> Evaluated<()> {
        let given = words + usize::from(has_last);
        let known = signature.parameters.len();
        if signature.variadic {
            if given + 1 < known {
                let least = known - 1;
                return Err(self.fail(format!(
                    "wrong number of args for {name}: want at least {least} got {words}"
                )));
            }
        } else if given != known {
            return Err(self.fail(format!(
                "wrong number of args for {name}: want {known} got {given}"
            )));
        }
        Ok(())
    }

    fn arguments(
        &mut self,
        dot: &Slot,
        name: &Str,
        signature: &Signature,
        words: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Vec<Value>> {
        self.check_count(name, signature, words.len(), last.is_some())?;
        let mut values = Vec::with_capacity(words.len() + 1);
        for (index, word) in words.iter().enumerate() {
            values.push(self.argument(dot, parameter(signature, index), word)?.value);
        }
        if let Some(last) = last {
            let kind = parameter(signature, values.len());
            values.push(self.assigned(last, kind)?.value);
        }
        Ok(values)
    }

    fn evaluated(
        &mut self,
        dot: &Slot,
        signature: &Signature,
        words: &'e [Word],
        last: Option<Slot>,
    ) -> Evaluated<Vec<Slot>> {
        let mut values = Vec::with_capacity(words.len() + 1);
        for (index, word) in words.iter().enumerate() {
            values.push(self.argument(dot, parameter(signature, index), word)?);
        }
        if let Some(last) = last {
            let kind = parameter(signature, values.len());
            values.push(self.assigned(last, kind)?);
        }
        Ok(values)
    }

    /// A value as one of this type.
    fn assigned(&self, slot: Slot, kind: &Type) -> Evaluated<Slot> {
        assign(slot, kind).map_err(|mismatch| match mismatch {
            Mismatch::Invalid => self.fail(format!("invalid value; expected {kind}")),
            Mismatch::Type(found) => self.fail(format!(
                "wrong type for value; expected {kind}; got {found}"
            )),
        })
    }

    /// The value of a word as an argument of this type.
    fn argument(&mut self, dot: &Slot, kind: &Type, word: &'e Word) -> Evaluated<Slot> {
        self.node = Node::Word(word);
        let slot = match &word.kind {
            WordKind::Dot => dot.clone(),
            WordKind::Nil => {
                if !kind.can_be_nil() {
                    return Err(self.fail(format!("cannot assign nil to {kind}")));
                }
                Slot::of(Value::zero(kind), kind)
            }
            WordKind::Field(fields) => self.fields(dot, dot.clone(), word, fields, &[], None)?,
            WordKind::Variable { name, fields } => {
                let value = self.get(name.id, &name.text)?;
                self.fields(dot, value, word, fields, &[], None)?
            }
            WordKind::Pipe(pipe) => deeper(|| self.pipe(dot, pipe))?,
            WordKind::Function { name, callee } => {
                self.function(dot, name, callee, Node::Word(word), &[], None)?
            }
            WordKind::Chain { first, fields } => {
                let receiver = self.chain_start(dot, word, first)?;
                self.fields(dot, receiver, word, fields, &[], None)?
            }
            WordKind::Bool(_) | WordKind::Number(_) | WordKind::String { .. } => {
                return self.literal(kind, word);
            }
        };
        self.assigned(slot, kind)
    }

    /// A constant as an argument of this type.
    fn literal(&mut self, kind: &Type, word: &'e Word) -> Evaluated<Slot> {
        let number = match &word.kind {
            WordKind::Number(number) => Some(number.as_ref()),
            _ => None,
        };
        let expected = |expected: &str| {
            Err(self.fail(format!("expected {expected}; found {}", word.to_text())))
        };
        let value = match kind {
            Type::Any | Type::Reflect => match &word.kind {
                WordKind::Bool(truth) => Value::Bool(*truth),
                WordKind::String { text, .. } => Value::String(text.clone()),
                _ => {
                    return match number {
                        Some(number) => self.constant(number),
                        None => Ok(Slot::INVALID),
                    };
                }
            },
            Type::Bool => match &word.kind {
                WordKind::Bool(truth) => Value::Bool(*truth),
                _ => return expected("bool"),
            },
            Type::String => match &word.kind {
                WordKind::String { text, .. } => Value::String(text.clone()),
                _ => return expected("string"),
            },
            Type::Int(kind) => match number.and_then(|number| number.int) {
                Some(int) => Value::Int(*kind, kind.truncate(int)),
                None => return expected("integer"),
            },
            Type::Uint(kind) => match number.and_then(|number| number.uint) {
                Some(uint) => Value::Uint(*kind, kind.truncate(uint)),
                None => return expected("unsigned integer"),
            },
            Type::Float(kind) => match number.and_then(|number| number.float) {
                Some(float) => Value::Float(*kind, kind.round(float)),
                None => return expected("float"),
            },
            Type::Complex => match number.and_then(|number| number.complex) {
                Some((real, imaginary)) => Value::Complex(real, imaginary),
                None => return expected("complex"),
            },
            _ => {
                let shown = word.to_text();
                return Err(self.fail(format!("can't handle {shown} for arg of type {kind}")));
            }
        };
        Ok(value.into())
    }
}

/// The type of the argument at this index.
fn parameter(signature: &Signature, index: usize) -> &Type {
    signature
        .parameters
        .get(index)
        .or(signature.parameters.last())
        .unwrap_or(&Type::Any)
}

impl Number {
    /// Whether the spelling is that of a float: a point or an exponent, and no hexadecimal integer
    /// and no character.
    fn is_spelled_as_float(&self) -> bool {
        let text: &[u8] = &self.text;
        let is_hex_int = matches!(text, [b'0', b'x' | b'X', _, ..])
            && !text.iter().any(|byte| b"pP".contains(byte));
        !is_hex_int
            && text.first() != Some(&b'\'')
            && text.iter().any(|byte| b".eEpP".contains(byte))
    }
}
