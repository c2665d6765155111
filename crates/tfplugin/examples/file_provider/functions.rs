//! The functions. They know no provider configuration, and must be pure.

use std::path::Path;

use tfplugin::{Arguments, AttributeValue, Function, FunctionDefinition, FunctionError, Parameter};

type Paths = Vec<AttributeValue<String>>;

/// `provider::file::base_name("/a/b.txt")` is "b.txt".
pub struct BaseName;

impl Function for BaseName {
    type Output = String;

    fn definition(&self) -> FunctionDefinition {
        FunctionDefinition::new("The last part of a path.")
            .parameter(Parameter::new::<String>("path", "A path."))
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<String>, FunctionError> {
        let path: String = arguments.get(0)?;
        match Path::new(&path).file_name().and_then(|name| name.to_str()) {
            Some(name) => Ok(name.into()),
            None => Err(FunctionError::new("the path names no file").argument(0)),
        }
    }
}

/// `provider::file::join("/a", "b", "c.txt")` is "/a/b/c.txt".
pub struct Join;

impl Function for Join {
    type Output = String;

    fn definition(&self) -> FunctionDefinition {
        FunctionDefinition::new("Joins the parts of a path.")
            .parameter(Parameter::new::<String>("base", "Where the path begins."))
            .variadic(Parameter::new::<String>(
                "parts",
                "What follows, relative each.",
            ))
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<String>, FunctionError> {
        let mut path: String = arguments.get(0)?;
        for (index, part) in arguments.variadic::<String>()?.iter().enumerate() {
            if part.starts_with('/') {
                // The arguments of the variadic parameter are counted with the others.
                return Err(FunctionError::new("must not begin with /").argument(index + 1));
            }
            path = format!("{}/{part}", path.trim_end_matches('/'));
        }
        Ok(path.into())
    }
}

/// `provider::file::count(["/a", "/b"])` is 2, also while the paths themselves are not known.
pub struct Count;

impl Function for Count {
    type Output = i64;

    fn definition(&self) -> FunctionDefinition {
        let paths = Parameter::new::<Paths>("paths", "Paths; null is none.");
        FunctionDefinition::new("How many paths there are.")
            .parameter(paths.allow_null().allow_unknown())
    }

    fn call(&self, arguments: Arguments) -> Result<AttributeValue<i64>, FunctionError> {
        let paths = match arguments.optional::<Paths>(0)? {
            AttributeValue::Null => Paths::new(),
            AttributeValue::Unknown => return Ok(AttributeValue::Unknown),
            AttributeValue::Known(paths) => paths,
        };
        Ok(i64::try_from(paths.len()).unwrap_or(i64::MAX).into())
    }
}
