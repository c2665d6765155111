//! Schemas to their protobuf form.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::proto;
use crate::function::{ErasedFunction, Parameter};
use crate::identity::IdentitySchema;
use crate::schema::{Attribute, AttributeKind, Block, BlockNesting, Nesting, Schema};

pub(crate) fn encode(schema: &Schema) -> proto::Schema {
    proto::Schema {
        version: schema.version,
        block: Some(block(
            &schema.attributes,
            &schema.blocks,
            &schema.description,
            schema.deprecated.as_deref(),
        )),
    }
}

fn block(
    attributes: &BTreeMap<String, Attribute>,
    blocks: &BTreeMap<String, Block>,
    description: &str,
    deprecated: Option<&str>,
) -> proto::schema::Block {
    proto::schema::Block {
        attributes: encode_attributes(attributes),
        block_types: blocks
            .iter()
            .map(|(name, block)| nested_block(name, block))
            .collect(),
        description: description.to_owned(),
        description_kind: proto::StringKind::Markdown.into(),
        deprecated: deprecated.is_some(),
        deprecation_message: deprecated.unwrap_or_default().to_owned(),
        ..Default::default()
    }
}

fn nested_block(name: &str, nested: &Block) -> proto::schema::NestedBlock {
    use proto::schema::nested_block::NestingMode;
    let nesting = match nested.nesting {
        BlockNesting::Single => NestingMode::Single,
        BlockNesting::Group => NestingMode::Group,
        BlockNesting::List => NestingMode::List,
        BlockNesting::Set => NestingMode::Set,
        BlockNesting::Map => NestingMode::Map,
    };
    proto::schema::NestedBlock {
        type_name: name.to_owned(),
        block: Some(block(
            &nested.attributes,
            &nested.blocks,
            &nested.description,
            nested.deprecated.as_deref(),
        )),
        nesting: nesting.into(),
        min_items: nested.min_items,
        max_items: nested.max_items,
    }
}

fn encode_attributes(attributes: &BTreeMap<String, Attribute>) -> Vec<proto::schema::Attribute> {
    attributes
        .iter()
        .map(|(name, attribute)| encode_attribute(name, attribute))
        .collect()
}

fn encode_attribute(name: &str, attribute: &Attribute) -> proto::schema::Attribute {
    let (ty, nested_type) = match &attribute.kind {
        AttributeKind::Plain(ty) => (ty.to_json(), None),
        AttributeKind::Nested {
            nesting,
            attributes,
            ..
        } => (Vec::new(), Some(object(*nesting, attributes))),
    };
    proto::schema::Attribute {
        name: name.to_owned(),
        r#type: ty,
        nested_type,
        description: attribute.description.clone(),
        description_kind: proto::StringKind::Markdown.into(),
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        deprecated: attribute.deprecated.is_some(),
        deprecation_message: attribute.deprecated.clone().unwrap_or_default(),
    }
}

fn object(nesting: Nesting, attributes: &BTreeMap<String, Attribute>) -> proto::schema::Object {
    use proto::schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    proto::schema::Object {
        attributes: encode_attributes(attributes),
        nesting: nesting.into(),
        ..Default::default()
    }
}

pub(crate) fn encode_functions(
    functions: &BTreeMap<String, Arc<dyn ErasedFunction>>,
) -> HashMap<String, proto::Function> {
    functions
        .iter()
        .map(|(name, function)| (name.clone(), encode_function(function.as_ref())))
        .collect()
}

fn encode_function(function: &dyn ErasedFunction) -> proto::Function {
    let definition = function.definition();
    let description = if definition.description.is_empty() {
        definition.summary.clone()
    } else {
        definition.description
    };
    proto::Function {
        parameters: definition.parameters.iter().map(parameter).collect(),
        variadic_parameter: definition.variadic.as_ref().map(parameter),
        r#return: Some(proto::function::Return {
            r#type: function.output_type().to_json(),
        }),
        summary: definition.summary,
        description,
        description_kind: proto::StringKind::Markdown.into(),
        deprecation_message: definition.deprecated.unwrap_or_default(),
    }
}

fn parameter(parameter: &Parameter) -> proto::function::Parameter {
    proto::function::Parameter {
        name: parameter.name.clone(),
        r#type: parameter.ty.to_json(),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.clone(),
        description_kind: proto::StringKind::Markdown.into(),
    }
}

pub(crate) fn encode_identity(schema: &IdentitySchema) -> proto::ResourceIdentitySchema {
    let attributes = schema.attributes.iter().map(|(name, attribute)| {
        proto::resource_identity_schema::IdentityAttribute {
            name: name.clone(),
            r#type: attribute.ty.to_json(),
            required_for_import: attribute.required_for_import,
            optional_for_import: !attribute.required_for_import,
            description: attribute.description.clone(),
        }
    });
    proto::ResourceIdentitySchema {
        version: schema.version,
        identity_attributes: attributes.collect(),
    }
}
