//! Printing as package fmt does it: `Sprint`, `Sprintln`, `Sprintf` with every verb and flag.

use crate::error::{Error, Limit};
use crate::syntax::ast::deeper;
use crate::text::float::append_float;
use crate::text::{self, quote};
use crate::types::{FloatKind, Kind, Type};
use crate::value::{List, Map, Object, Value};

/// Values within values beyond this are not printed: only a map that holds itself is so deep.
const DEPTH: usize = 10_000;
/// The largest width, precision and argument index.
const LARGEST: i64 = 1_000_000;
/// Addresses are the one thing that cannot be as in Go.
const ADDRESS: u64 = 0xc0_0000_0000;

/// `fmt.Sprint`: spaces between operands when neither is a string. At most `limit` bytes.
pub(crate) fn print(out: &mut Vec<u8>, values: &[Value], limit: usize) -> Result<(), Error> {
    let mut printer = Printer::new(out, limit);
    let mut after_string = true;
    for (index, value) in values.iter().enumerate() {
        let is_string = value.kind() == Kind::String;
        if index > 0 && !is_string && !after_string {
            printer.out.push(b' ');
        }
        printer.argument(value, 'v');
        after_string = is_string;
    }
    printer.finish()
}

/// Prints a value as an action does: of a pointer what it points to, unless it prints itself.
pub(crate) fn print_action(out: &mut Vec<u8>, value: &Value, limit: usize) -> Result<(), Error> {
    let mut printer = Printer::new(out, limit);
    printer.follow = true;
    printer.argument(value, 'v');
    printer.finish()
}

/// `fmt.Sprintln`: spaces between operands and a newline. At most `limit` bytes.
pub(crate) fn println(out: &mut Vec<u8>, values: &[Value], limit: usize) -> Result<(), Error> {
    let mut printer = Printer::new(out, limit);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.out.push(b' ');
        }
        printer.argument(value, 'v');
    }
    printer.out.push(b'\n');
    printer.finish()
}

/// `fmt.Sprintf`. At most `limit` bytes.
pub(crate) fn printf(
    out: &mut Vec<u8>,
    format: &[u8],
    values: &[Value],
    limit: usize,
) -> Result<(), Error> {
    let mut printer = Printer::new(out, limit);
    printer.format(format, values);
    printer.finish()
}

#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags of a verb, each by its own"
)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`
    plus_v: bool,
    /// `%#v`
    sharp_v: bool,
}

struct Printer<'a> {
    out: &'a mut Vec<u8>,
    flags: Flags,
    /// A wrong verb is being shown, for which methods are not called.
    erroring: bool,
    /// A pointer is printed as what it points to.
    follow: bool,
    /// The length that the output may reach.
    end: usize,
    limit: usize,
    failed: Option<Error>,
}

impl<'a> Printer<'a> {
    fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        Self {
            end: out.len().saturating_add(limit),
            limit,
            out,
            flags: Flags::default(),
            erroring: false,
            follow: false,
            failed: None,
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        self.within_limit(0);
        self.failed.map_or(Ok(()), Err)
    }

    /// Whether there is room for the output so far and for `more`.
    fn within_limit(&mut self, more: usize) -> bool {
        if self.out.len().saturating_add(more) > self.end && self.failed.is_none() {
            self.failed = Some(Error::limit(
                Limit::Output,
                format!("exceeded the limit of {} bytes", self.limit),
            ));
        }
        self.failed.is_none()
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    // Padding

    /// Pads what `content` writes to the width.
    fn pad(&mut self, content: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        content(self.out);
        let Some(width) = self.flags.width else {
            return;
        };
        let missing = width.saturating_sub(text::count(&self.out[start..]));
        if missing == 0 || !self.within_limit(missing) {
            return;
        }
        if self.flags.minus {
            self.out.resize(self.out.len() + missing, b' ');
        } else {
            let fill = if self.flags.zero { b'0' } else { b' ' };
            self.out
                .splice(start..start, std::iter::repeat_n(fill, missing));
        }
    }

    fn pad_text(&mut self, text: &[u8]) {
        self.pad(|out| out.extend_from_slice(text));
    }

    fn without_zero(&mut self, inside: impl FnOnce(&mut Self)) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        inside(self);
        self.flags.zero = zero;
    }

    fn fill(&mut self, count: usize) {
        if self.within_limit(count) {
            let fill = if self.flags.zero && !self.flags.minus {
                b'0'
            } else {
                b' '
            };
            self.out.resize(self.out.len() + count, fill);
        }
    }

    // Kinds

    fn bool(&mut self, truth: bool, verb: char) {
        match verb {
            't' | 'v' => self.pad_text(if truth { b"true" } else { b"false" }),
            _ => self.bad_verb(&Value::Bool(truth), verb),
        }
    }

    fn integer(&mut self, value: &Value, magnitude: u64, signed: Option<bool>, verb: char) {
        let negative = signed == Some(true);
        match verb {
            'v' if self.flags.sharp_v && signed.is_none() => self.hex_0x(magnitude, true),
            'v' | 'd' => self.digits(magnitude, 10, negative, verb, false),
            'b' => self.digits(magnitude, 2, negative, verb, false),
            'o' | 'O' => self.digits(magnitude, 8, negative, verb, false),
            'x' => self.digits(magnitude, 16, negative, verb, false),
            'X' => self.digits(magnitude, 16, negative, verb, true),
            'c' | 'q' => {
                let code = if negative {
                    magnitude.wrapping_neg()
                } else {
                    magnitude
                };
                let character = u32::try_from(code)
                    .ok()
                    .and_then(char::from_u32)
                    .unwrap_or(text::REPLACEMENT);
                let ascii = self.flags.plus;
                self.pad(|out| {
                    if verb == 'c' {
                        text::push(out, character);
                    } else {
                        quote::append_quoted_char(out, character, ascii);
                    }
                });
            }
            'U' => {
                let code = if negative {
                    magnitude.wrapping_neg()
                } else {
                    magnitude
                };
                self.unicode(code);
            }
            _ => self.bad_verb(value, verb),
        }
    }

    /// `0x1f`, or `1f` without `prefix`.
    fn hex_0x(&mut self, number: u64, prefix: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, prefix);
        self.digits(number, 16, false, 'v', false);
        self.flags.sharp = sharp;
    }

    fn digits(&mut self, number: u64, base: u32, negative: bool, verb: char, upper: bool) {
        let flags = self.flags;
        let mut precision = 0;
        if let Some(wanted) = flags.precision {
            precision = wanted;
            if wanted == 0 && number == 0 {
                self.without_zero(|printer| printer.fill(flags.width.unwrap_or(0)));
                return;
            }
        } else if let (true, false, Some(width)) = (flags.zero, flags.minus, flags.width) {
            let sign = usize::from(negative || flags.plus || flags.space);
            precision = width.saturating_sub(sign);
        }
        if !self.within_limit(precision) {
            return;
        }
        let mut buffer = [0; 64];
        let mut start = buffer.len();
        let mut rest = number;
        loop {
            start -= 1;
            let digit = u32::try_from(rest % u64::from(base)).unwrap_or(0);
            let digit = char::from_digit(digit, base).unwrap_or('0');
            let digit = if upper {
                digit.to_ascii_uppercase()
            } else {
                digit
            };
            buffer[start] = u8::try_from(digit).unwrap_or(b'0');
            rest /= u64::from(base);
            if rest == 0 {
                break;
            }
        }
        let digits = &buffer[start..];
        let zeros = precision.saturating_sub(digits.len());
        self.without_zero(|printer| {
            printer.pad(|out| {
                if negative {
                    out.push(b'-');
                } else if flags.plus {
                    out.push(b'+');
                } else if flags.space {
                    out.push(b' ');
                }
                if verb == 'O' {
                    out.extend_from_slice(b"0o");
                }
                if flags.sharp {
                    match base {
                        2 => out.extend_from_slice(b"0b"),
                        8 if zeros == 0 && digits[0] != b'0' => out.push(b'0'),
                        16 => out.extend_from_slice(if upper { b"0X" } else { b"0x" }),
                        _ => {}
                    }
                }
                out.resize(out.len() + zeros, b'0');
                out.extend_from_slice(digits);
            });
        });
    }

    /// `U+0078`, with the flag `#` followed by the character.
    fn unicode(&mut self, code: u64) {
        let width = self.flags.precision.unwrap_or(0).max(4);
        let sharp = self.flags.sharp;
        if !self.within_limit(width) {
            return;
        }
        self.without_zero(|printer| {
            printer.pad(|out| {
                out.extend_from_slice(format!("U+{code:0width$X}").as_bytes());
                let character = u32::try_from(code).ok().and_then(char::from_u32);
                if let Some(character) = character.filter(|it| sharp && text::is_print(*it)) {
                    out.extend_from_slice(format!(" '{character}'").as_bytes());
                }
            });
        });
    }

    fn float(&mut self, value: &Value, number: f64, kind: FloatKind, verb: char) {
        match verb {
            'v' => self.number(number, kind, b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.number(number, kind, ascii(verb), None),
            'f' | 'F' => self.number(number, kind, b'f', Some(6)),
            'e' | 'E' => self.number(number, kind, ascii(verb), Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    fn number(&mut self, number: f64, kind: FloatKind, verb: u8, precision: Option<usize>) {
        let flags = self.flags;
        let precision = flags.precision.or(precision);
        if !self.within_limit(precision.unwrap_or(0)) {
            return;
        }
        let mut digits = vec![b'+'];
        append_float(&mut digits, number, verb, precision, kind);
        if matches!(digits[1], b'-' | b'+') {
            digits.remove(0);
        }
        if flags.space && digits[0] == b'+' && !flags.plus {
            digits[0] = b' ';
        }
        // Infinities and NaN are not padded with zeros.
        if matches!(digits[1], b'I' | b'N') {
            let unsigned = digits[1] == b'N' && !flags.space && !flags.plus;
            let shown = &digits[usize::from(unsigned)..];
            self.without_zero(|printer| printer.pad_text(shown));
            return;
        }
        if flags.sharp && verb != b'b' {
            keep_zeros(&mut digits, verb, precision);
        }
        if flags.plus || digits[0] != b'+' {
            if let (true, false, Some(width)) = (flags.zero, flags.minus, flags.width)
                && width > digits.len()
            {
                // The sign comes before the zeros.
                self.out.push(digits[0]);
                self.fill(width - digits.len());
                self.out.extend_from_slice(&digits[1..]);
                return;
            }
            self.pad_text(&digits);
            return;
        }
        self.pad_text(&digits[1..]);
    }

    fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
        if !matches!(
            verb,
            'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E'
        ) {
            self.bad_verb(value, verb);
            return;
        }
        self.out.push(b'(');
        self.float(value, real, FloatKind::Float64, verb);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(value, imaginary, FloatKind::Float64, verb);
        self.text("i)");
        self.flags.plus = plus;
    }

    fn string(&mut self, value: &Value, string: &[u8], verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(string),
            'v' | 's' => {
                let string = self.truncated(string);
                self.pad_text(string);
            }
            'x' | 'X' => self.hex_bytes(string, verb == 'X'),
            'q' => self.quoted(string),
            _ => self.bad_verb(value, verb),
        }
    }

    fn truncated<'t>(&self, string: &'t [u8]) -> &'t [u8] {
        match self.flags.precision {
            Some(precision) => text::truncate(string, precision),
            None => string,
        }
    }

    fn quoted(&mut self, string: &[u8]) {
        let string = self.truncated(string);
        let Flags { sharp, plus, .. } = self.flags;
        self.pad(|out| {
            if sharp && quote::can_backquote(string) {
                out.push(b'`');
                out.extend_from_slice(string);
                out.push(b'`');
            } else {
                quote::append_quoted(out, string, plus);
            }
        });
    }

    fn hex_bytes(&mut self, string: &[u8], upper: bool) {
        let flags = self.flags;
        let length = flags.precision.unwrap_or(usize::MAX).min(string.len());
        if length == 0 {
            self.fill(flags.width.unwrap_or(0));
            return;
        }
        let width = match (flags.space, flags.sharp) {
            (true, true) => 5 * length - 1,
            (true, false) => 3 * length - 1,
            (false, true) => 2 * length + 2,
            (false, false) => 2 * length,
        };
        if !self.within_limit(width) {
            return;
        }
        let missing = flags.width.unwrap_or(0).saturating_sub(width);
        if !flags.minus {
            self.fill(missing);
        }
        let digits: &[u8; 16] = if upper {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        let prefix: &[u8] = match (flags.sharp, upper) {
            (false, _) => b"",
            (true, false) => b"0x",
            (true, true) => b"0X",
        };
        for (index, byte) in string[..length].iter().enumerate() {
            if flags.space && index > 0 {
                self.out.push(b' ');
            }
            if flags.space || index == 0 {
                self.out.extend_from_slice(prefix);
            }
            let pair = [
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ];
            self.out.extend_from_slice(&pair);
        }
        if flags.minus {
            self.fill(missing);
        }
    }

    /// A `[]byte`; `type_name` is how `%#v` names it.
    fn bytes(&mut self, list: &List, bytes: &[u8], verb: char, type_name: &str) {
        match verb {
            'v' | 'd' => {
                let sharp_v = self.flags.sharp_v;
                let separator: &[u8] = if sharp_v { b", " } else { b" " };
                if sharp_v {
                    self.text(type_name);
                    if list.is_nil() {
                        self.text("(nil)");
                        return;
                    }
                }
                self.out.push(if sharp_v { b'{' } else { b'[' });
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.out.extend_from_slice(separator);
                    }
                    if sharp_v {
                        self.hex_0x(u64::from(*byte), true);
                    } else {
                        self.digits(u64::from(*byte), 10, false, verb, false);
                    }
                    if !self.within_limit(0) {
                        return;
                    }
                }
                self.out.push(if sharp_v { b'}' } else { b']' });
            }
            's' => {
                let shown = self.truncated(bytes);
                self.pad_text(shown);
            }
            'x' | 'X' => self.hex_bytes(bytes, verb == 'X'),
            'q' => self.quoted(bytes),
            _ => self.list(list, verb, 0),
        }
    }

    fn pointer(&mut self, value: &Value, is_nil: bool, verb: char) {
        let address = if is_nil { 0 } else { ADDRESS };
        match verb {
            'v' if self.flags.sharp_v => {
                self.out.push(b'(');
                self.text(&value.type_name());
                self.text(")(");
                if is_nil {
                    self.text("nil");
                } else {
                    self.hex_0x(address, true);
                }
                self.out.push(b')');
            }
            'v' if is_nil => self.pad_text(b"<nil>"),
            'v' | 'p' => {
                let prefix = !self.flags.sharp;
                self.hex_0x(address, prefix);
            }
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(value, address, None, verb),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.erroring = true;
        self.text("%!");
        text::push(self.out, verb);
        self.out.push(b'(');
        if let Value::Nil = value {
            self.text("<nil>");
        } else {
            self.text(&value.type_name());
            self.out.push(b'=');
            self.argument(value, 'v');
        }
        self.out.push(b')');
        self.erroring = false;
    }

    /// Whether a method of the value printed it.
    fn by_method(&mut self, object: &dyn Object, verb: char) -> bool {
        if self.erroring {
            return false;
        }
        if self.flags.sharp_v {
            let Some(text) = object.go_text() else {
                return false;
            };
            let text = self.truncated(&text).to_vec();
            self.pad_text(&text);
            return true;
        }
        if !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return false;
        }
        let Some(text) = object.text() else {
            return false;
        };
        self.string(&Value::String(text.clone()), &text, verb);
        true
    }

    /// An operand of a print function.
    fn argument(&mut self, value: &Value, verb: char) {
        if let Value::Nil = value {
            match verb {
                'T' | 'v' => self.pad_text(b"<nil>"),
                _ => self.bad_verb(value, verb),
            }
            return;
        }
        match verb {
            'T' => {
                let name = value.type_name();
                let name = self.truncated(name.as_bytes());
                self.pad_text(name);
                return;
            }
            'p' => {
                if matches!(
                    value.kind(),
                    Kind::Func | Kind::Map | Kind::Pointer | Kind::Slice
                ) {
                    self.pointer(value, value.is_nil(), 'p');
                } else {
                    self.bad_verb(value, verb);
                }
                return;
            }
            _ => {}
        }
        if let Value::List(list) = value
            && list.name().is_none()
            && let Some(bytes) = list.as_bytes()
        {
            self.bytes(list, &bytes, verb, "[]byte");
            return;
        }
        self.value(value, verb, 0);
    }

    /// A value within `depth` others.
    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if !self.within_limit(0) {
            return;
        }
        if verb == 'w' && !self.erroring {
            self.bad_verb(value, verb);
            return;
        }
        match value {
            Value::Nil => {
                if self.flags.sharp_v {
                    self.text("interface {}(nil)");
                } else {
                    self.text("<nil>");
                }
            }
            Value::Bool(truth) => self.bool(*truth, verb),
            Value::Int(_, number) => {
                self.integer(value, number.unsigned_abs(), Some(*number < 0), verb);
            }
            Value::Uint(_, number) => self.integer(value, *number, None, verb),
            Value::Float(kind, number) => self.float(value, *number, *kind, verb),
            Value::Complex(real, imaginary) => self.complex(value, *real, *imaginary, verb),
            Value::String(string) => self.string(value, string, verb),
            Value::Function(_) => self.pointer(value, false, verb),
            Value::List(_) | Value::Map(_) | Value::Object(_) => {
                if depth > DEPTH {
                    self.failed.get_or_insert_with(|| {
                        Error::limit(
                            Limit::Depth,
                            format!("cannot print values nested more than {DEPTH} deep"),
                        )
                    });
                    return;
                }
                deeper(|| match value {
                    Value::List(list) => self.list(list, verb, depth),
                    Value::Map(map) => self.map(map, verb, depth),
                    Value::Object(object) => self.object(object.as_ref(), value, verb, depth),
                    _ => {}
                });
            }
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        if matches!(verb, 's' | 'q' | 'x' | 'X')
            && *list.element() == Type::UINT8
            && let Some(bytes) = list.as_bytes()
        {
            self.bytes(list, &bytes, verb, "");
            return;
        }
        let sharp_v = self.flags.sharp_v;
        if sharp_v {
            let name = list.type_of().to_string();
            self.text(&name);
            if list.is_nil() {
                self.text("(nil)");
                return;
            }
        }
        self.out.push(if sharp_v { b'{' } else { b'[' });
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.text(if sharp_v { ", " } else { " " });
            }
            self.value(&item, verb, depth + 1);
            if self.failed.is_some() {
                return;
            }
        }
        self.out.push(if sharp_v { b'}' } else { b']' });
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        let sharp_v = self.flags.sharp_v;
        if sharp_v {
            let name = map.type_of().to_string();
            self.text(&name);
            if map.is_nil() {
                self.text("(nil)");
                return;
            }
            self.out.push(b'{');
        } else {
            self.text("map[");
        }
        for (index, (key, item)) in map.borrow().iter().enumerate() {
            if index > 0 {
                self.text(if sharp_v { ", " } else { " " });
            }
            self.string(&Value::String(key.clone()), key, verb);
            self.out.push(b':');
            self.value(item, verb, depth + 1);
            if self.failed.is_some() {
                return;
            }
        }
        self.out.push(if sharp_v { b'}' } else { b']' });
    }

    fn object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) {
        if self.by_method(object, verb) {
            return;
        }
        match object.kind() {
            Kind::Pointer => {
                if depth == 0 && !object.is_nil() {
                    if !self.follow {
                        self.out.push(b'&');
                    }
                    let name = object.type_name().trim_start_matches('*').to_owned();
                    self.fields(object, &name, verb, depth + 1);
                } else {
                    self.pointer(value, object.is_nil(), verb);
                }
            }
            Kind::Struct => {
                let name = object.type_name().to_owned();
                self.fields(object, &name, verb, depth);
            }
            Kind::Func => self.pointer(value, object.is_nil(), verb),
            _ => self.underlying(object, value, verb, depth),
        }
    }

    fn fields(&mut self, object: &dyn Object, type_name: &str, verb: char, depth: usize) {
        let Flags {
            sharp_v, plus_v, ..
        } = self.flags;
        if sharp_v {
            self.text(type_name);
        }
        self.out.push(b'{');
        for (index, (name, item)) in object.fields().into_iter().enumerate() {
            if index > 0 {
                self.text(if sharp_v { ", " } else { " " });
            }
            if plus_v || sharp_v {
                self.text(&name);
                self.out.push(b':');
            }
            self.value(&item, verb, depth + 1);
        }
        self.out.push(b'}');
    }

    /// A named number, string, slice or map: as the plain one, but for the name of its type.
    fn underlying(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) {
        match object.underlying() {
            Some(Value::Bool(truth)) if matches!(verb, 't' | 'v') => self.bool(truth, verb),
            Some(Value::Int(_, number)) => {
                self.integer(value, number.unsigned_abs(), Some(number < 0), verb);
            }
            Some(Value::Uint(_, number)) => self.integer(value, number, None, verb),
            Some(Value::Float(kind, number)) => self.float(value, number, kind, verb),
            Some(Value::String(string)) => self.string(value, &string, verb),
            Some(Value::List(list)) => self.list(&list, verb, depth),
            Some(Value::Map(map)) => self.map(&map, verb, depth),
            _ => self.bad_verb_once(value, verb),
        }
    }

    fn bad_verb_once(&mut self, value: &Value, verb: char) {
        if self.erroring {
            // As Go shows a value of a kind that it cannot print.
            self.out.push(b'?');
            self.text(&value.type_name());
            self.out.push(b'?');
        } else {
            self.bad_verb(value, verb);
        }
    }

    // Formats

    fn format(&mut self, format: &[u8], values: &[Value]) {
        let mut position = Position {
            format,
            index: 0,
            values,
            argument: 0,
            reordered: false,
            good: true,
            after_index: false,
        };
        while position.index < format.len() {
            let rest = &format[position.index..];
            let literal = rest
                .iter()
                .position(|byte| *byte == b'%')
                .unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..literal]);
            position.index += literal;
            if position.index >= format.len() || !self.within_limit(0) {
                break;
            }
            position.index += 1;
            position.good = true;
            position.after_index = false;
            self.flags = Flags::default();
            self.verb(&mut position);
        }
        if !position.reordered && position.argument < values.len() {
            self.flags = Flags::default();
            self.text("%!(EXTRA ");
            for (index, value) in values[position.argument..].iter().enumerate() {
                if index > 0 {
                    self.text(", ");
                }
                if let Value::Nil = value {
                    self.text("<nil>");
                } else {
                    self.text(&value.type_name());
                    self.out.push(b'=');
                    self.argument(value, 'v');
                }
            }
            self.out.push(b')');
        }
    }

    /// One verb, of which the percent sign was read.
    fn verb(&mut self, position: &mut Position<'_>) {
        self.read_flags(position);
        position.read_index();
        self.read_width(position);
        self.read_precision(position);
        if !position.after_index {
            position.read_index();
        }
        let rest = &position.format[position.index..];
        if rest.is_empty() {
            self.text("%!(NOVERB)");
            return;
        }
        let (verb, width) = text::decode(rest);
        position.index += width;
        if verb == '%' {
            self.out.push(b'%');
            return;
        }
        if !position.good {
            self.text("%!");
            text::push(self.out, verb);
            self.text("(BADINDEX)");
            return;
        }
        let Some(value) = position.values.get(position.argument) else {
            self.text("%!");
            text::push(self.out, verb);
            self.text("(MISSING)");
            return;
        };
        if matches!(verb, 'v' | 'w') {
            self.flags.sharp_v = std::mem::replace(&mut self.flags.sharp, false);
            self.flags.plus_v = std::mem::replace(&mut self.flags.plus, false);
        }
        self.argument(value, verb);
        position.argument += 1;
    }

    fn read_flags(&mut self, position: &mut Position<'_>) {
        while let Some(byte) = position.peek() {
            match byte {
                b'#' => self.flags.sharp = true,
                b'0' => self.flags.zero = true,
                b'+' => self.flags.plus = true,
                b'-' => self.flags.minus = true,
                b' ' => self.flags.space = true,
                _ => break,
            }
            position.index += 1;
        }
    }

    fn read_width(&mut self, position: &mut Position<'_>) {
        if position.peek() == Some(b'*') {
            position.index += 1;
            match position.integer_argument() {
                Some(width) => {
                    if width < 0 {
                        self.flags.minus = true;
                        self.flags.zero = false;
                    }
                    self.flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.text("%!(BADWIDTH)"),
            }
            position.after_index = false;
        } else {
            self.flags.width = position.number();
            if position.after_index && self.flags.width.is_some() {
                position.good = false;
            }
        }
    }

    fn read_precision(&mut self, position: &mut Position<'_>) {
        // A dot at the very end is a verb.
        if position.peek() != Some(b'.') || position.index + 1 >= position.format.len() {
            return;
        }
        position.index += 1;
        if position.after_index {
            position.good = false;
        }
        position.read_index();
        if position.peek() == Some(b'*') {
            position.index += 1;
            match position.integer_argument() {
                Some(precision) if precision >= 0 => {
                    self.flags.precision = usize::try_from(precision).ok();
                }
                _ => self.text("%!(BADPREC)"),
            }
            position.after_index = false;
        } else {
            self.flags.precision = Some(position.number().unwrap_or(0));
        }
    }
}

/// The rest of a format and of its arguments.
struct Position<'a> {
    format: &'a [u8],
    index: usize,
    values: &'a [Value],
    argument: usize,
    /// An explicit index was seen, so that left over arguments are no mistake.
    reordered: bool,
    /// The index of this verb is right.
    good: bool,
    /// What came last was an index.
    after_index: bool,
}

impl Position<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.index).copied()
    }

    /// A decimal number, if there is one. One that is too large swallows the rest of the format.
    fn number(&mut self) -> Option<usize> {
        let (number, end) = parse_number(self.format, self.index, self.format.len());
        self.index = end;
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// `[3]`, if it is here: the next argument to use.
    fn read_index(&mut self) {
        self.after_index = false;
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.index..];
        let close = rest.iter().position(|byte| *byte == b']');
        let Some(close) = close.filter(|_| rest.len() >= 3) else {
            self.index += 1;
            self.good = false;
            return;
        };
        let (number, end) = parse_number(rest, 1, close);
        self.index += close + 1;
        let number = number.filter(|_| end == close);
        self.after_index = number.is_some();
        match number.and_then(|number| usize::try_from(number - 1).ok()) {
            Some(index) if index < self.values.len() => self.argument = index,
            _ => self.good = false,
        }
    }

    /// The next argument as a width or precision.
    fn integer_argument(&mut self) -> Option<i64> {
        let value = self.values.get(self.argument)?;
        self.argument += 1;
        let number = match value.plain().as_ref() {
            Value::Int(_, number) => *number,
            Value::Uint(_, number) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (-LARGEST..=LARGEST).contains(&number).then_some(number)
    }
}

/// A decimal number between two indices and the index after it; the end if it is too large.
fn parse_number(text: &[u8], start: usize, end: usize) -> (Option<i64>, usize) {
    let mut number = None;
    let mut index = start;
    while index < end && text[index].is_ascii_digit() {
        let so_far = number.unwrap_or(0);
        if so_far > LARGEST {
            return (None, end);
        }
        number = Some(so_far * 10 + i64::from(text[index] - b'0'));
        index += 1;
    }
    (number, index)
}

/// The flag `#`: a decimal point always, and the zeros that `g` drops.
fn keep_zeros(number: &mut Vec<u8>, verb: u8, precision: Option<usize>) {
    let mut wanted = match verb {
        b'v' | b'g' | b'G' | b'x' => {
            precision.map_or(6, |precision| i64::try_from(precision).unwrap_or(i64::MAX))
        }
        _ => 0,
    };
    let mut tail = Vec::new();
    let mut has_point = false;
    let mut seen = false;
    let mut index = 1;
    while index < number.len() {
        match number[index] {
            b'.' => has_point = true,
            b'p' | b'P' => tail = number.split_off(index),
            b'e' | b'E' if !matches!(verb, b'x' | b'X') => tail = number.split_off(index),
            digit => {
                seen |= digit != b'0';
                if seen {
                    wanted -= 1;
                }
            }
        }
        index += 1;
    }
    if !has_point {
        if number.len() == 2 && number[1] == b'0' {
            wanted -= 1;
        }
        number.push(b'.');
    }
    number.resize(number.len() + usize::try_from(wanted).unwrap_or(0), b'0');
    number.extend(tail);
}

fn ascii(verb: char) -> u8 {
    u8::try_from(verb).unwrap_or(b'v')
}

/// The text of a value as `%v` prints it, for errors. At most 64 KiB.
pub(crate) fn shown(value: &Value) -> String {
    let mut out = Vec::new();
    if print_action(&mut out, value, 64 << 10).is_err() {
        out.truncate(64 << 10);
    }
    String::from_utf8_lossy(&out).into_owned()
}
