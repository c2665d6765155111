//! Generated configurations, the same in every run.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use tfplugin::cty::{Type, Value};

use crate::life::Pair;

#[allow(dead_code, reason = "only the type is of use here")]
#[path = "provider/schema.rs"]
mod schema;

const CASES: usize = 150;

/// Attributes that no configuration can have.
const COMPUTED: [&str; 7] = [
    "id", "revision", "status", "arn", "handle", "path", "address",
];

/// Attributes that every object with them has. Core sees to that.
const REQUIRED: [&str; 6] = ["name", "mode", "run", "port", "minimum", "mount"];

/// Blocks of which there may be any number; they are empty rather than null.
const BLOCKS: [&str; 2] = ["disk", "part"];

pub async fn run(pair: &mut Pair) {
    let ty = schema::thing().ty();
    let mut runner = TestRunner::deterministic();
    let bytes = vec(any::<u8>(), 200);
    for case in 0..CASES {
        let mut configs = Vec::new();
        for step in 0..3 {
            let tree = bytes.new_tree(&mut runner).expect("bytes can be made");
            let mut choices = Choices {
                bytes: tree.current(),
                next: 0,
                // What is not known can only be planned.
                allow_unknown: step == 1 && case % 2 == 0,
            };
            let config = choices.value("", &ty);
            configs.push(mostly_valid(&mut choices, config));
        }
        pair.live(&format!("generated {case}"), &configs).await;
    }
}

/// The same without most of what validators refuse, after which there is nothing left to compare.
fn mostly_valid(choices: &mut Choices, config: Value) -> Value {
    let Value::Object(mut values) = config else {
        return config;
    };
    if choices.one_of(8) != 0 {
        values.insert("document".to_owned(), Value::Null);
        values.insert("ratio".to_owned(), Value::from(1));
        values.insert("secret".to_owned(), Value::from("secret"));
    }
    Value::Object(values)
}

struct Choices {
    bytes: Vec<u8>,
    next: usize,
    allow_unknown: bool,
}

impl Choices {
    fn one_of(&mut self, count: u8) -> u8 {
        let byte = self.bytes[self.next % self.bytes.len()];
        self.next += 1;
        byte % count
    }

    fn attribute(&mut self, parent: &str, name: &str, ty: &Type) -> Value {
        if COMPUTED.contains(&name) {
            return Value::Null;
        }
        if BLOCKS.contains(&name) {
            return self.value(name, ty);
        }
        let required = REQUIRED.contains(&name) || (parent, name) == ("disk", "size");
        if !required && self.one_of(3) == 0 {
            return Value::Null;
        }
        // A single block cannot be unknown.
        if self.allow_unknown && name != "network" && self.one_of(6) == 0 {
            return Value::Unknown;
        }
        self.value(name, ty)
    }

    fn value(&mut self, name: &str, ty: &Type) -> Value {
        match ty {
            Type::Bool => Value::Bool(self.one_of(2) == 0),
            // Few different ones, mostly within the limits of 1 to 9.
            Type::Number => {
                let number = [1, 1, 2, 2, 9, 3][usize::from(self.one_of(6))];
                Value::from(if self.one_of(64) == 0 { 10 } else { number })
            }
            Type::String if matches!(name, "create" | "read" | "update" | "delete") => {
                Value::from(["5m", "1h30m", "1.5s"][usize::from(self.one_of(3))])
            }
            Type::String if name == "label" => {
                let labels = ["a", "b", "half", "private", "plan-private", "plan-replaces"];
                Value::from(labels[usize::from(self.one_of(6))])
            }
            Type::String => {
                Value::from(["a", "a", "b", "c", "Zürich"][usize::from(self.one_of(5))])
            }
            Type::Dynamic => {
                let ty = [
                    Type::String,
                    Type::Number,
                    Type::list(Type::String),
                    Type::object([("a", Type::Bool)]),
                    Type::tuple([Type::String, Type::Number]),
                ][usize::from(self.one_of(5))]
                .clone();
                let value = self.value(name, &ty);
                Value::dynamic(ty, value)
            }
            Type::List(ty) => {
                let count = self.one_of(3);
                Value::list((0..count).map(|_| self.value(name, ty)))
            }
            Type::Set(ty) => {
                let count = self.one_of(3);
                Value::set((0..count).map(|_| self.value(name, ty)))
            }
            Type::Map(ty) => {
                let count = self.one_of(3);
                Value::map((0..count).map(|index| (format!("k{index}"), self.value(name, ty))))
            }
            Type::Tuple(types) => Value::tuple(types.iter().map(|ty| self.value(name, ty))),
            Type::Object(object) => {
                let parent = name;
                Value::object(
                    object
                        .attributes()
                        .iter()
                        .map(|(name, ty)| (name.clone(), self.attribute(parent, name, ty))),
                )
            }
        }
    }
}
