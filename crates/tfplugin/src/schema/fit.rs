use crate::cty::{Path, Type};

/// Checks that a model has the type of its schema.
///
/// # Errors
/// The first attribute that differs, as a sentence without its full stop.
pub(crate) fn model_matches(schema: &Type, model: &Type) -> Result<(), String> {
    compare(&Path::root(), schema, model)
}

fn compare(path: &Path, schema: &Type, model: &Type) -> Result<(), String> {
    match (schema, model) {
        (Type::Object(schema), Type::Object(model)) => {
            for (name, schema) in schema.attributes() {
                let path = path.clone().attribute(name);
                match model.attribute(name) {
                    Some(model) => compare(&path, schema, model)?,
                    None => return Err(format!("`{path}` is in the schema but not in the model")),
                }
            }
            match model
                .attributes()
                .keys()
                .find(|name| schema.attribute(name).is_none())
            {
                Some(name) => Err(format!(
                    "`{}` is in the model but not in the schema",
                    path.clone().attribute(name)
                )),
                None => Ok(()),
            }
        }
        (Type::List(schema), Type::List(model)) => compare(&path.clone().index(0), schema, model),
        (Type::Map(schema), Type::Map(model)) => compare(&path.clone().key("…"), schema, model),
        (Type::Set(schema), Type::Set(model)) => {
            let path = path.clone().element(crate::cty::Value::Null);
            compare(&path, schema, model)
        }
        (schema, model) if schema == model => Ok(()),
        (schema, model) => Err(format!(
            "`{path}` has the type {schema} in the schema and {model} in the model"
        )),
    }
}
