//! Schemas, diagnostics and paths from their protobuf form.

use std::collections::BTreeMap;

use super::core::IdentityType;
use crate::cty::{Path, PathStep, Type};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::schema::{Attribute, Block, BlockNesting, Schema};
use crate::server::proto;

pub(super) fn schema(schema: &proto::Schema) -> Schema {
    let block = schema.block.as_ref().expect("a schema has a block");
    let mut result = Schema::new(block.description.clone()).version(schema.version);
    for attribute in &block.attributes {
        result = result.attribute(&attribute.name, decode_attribute(attribute));
    }
    for nested in &block.block_types {
        result = result.block(&nested.type_name, decode_block(nested));
    }
    result
}

pub(super) fn identity(schema: &proto::ResourceIdentitySchema) -> IdentityType {
    let attributes = schema.identity_attributes.iter().map(|attribute| {
        assert!(
            attribute.required_for_import != attribute.optional_for_import,
            "{} is either required or optional for import",
            attribute.name
        );
        let ty = Type::from_json(&attribute.r#type).expect("valid type JSON");
        (attribute.name.clone(), ty)
    });
    IdentityType {
        version: schema.version,
        ty: Type::object(attributes),
    }
}

fn decode_block(nested: &proto::schema::NestedBlock) -> Block {
    use proto::schema::nested_block::NestingMode;
    let nesting = match nested.nesting() {
        NestingMode::Single => BlockNesting::Single,
        NestingMode::Group => BlockNesting::Group,
        NestingMode::List => BlockNesting::List,
        NestingMode::Set => BlockNesting::Set,
        NestingMode::Map => BlockNesting::Map,
        NestingMode::Invalid => panic!("block {} has no nesting", nested.type_name),
    };
    let block = nested.block.as_ref().expect("a nested block has a block");
    let mut result = Block::new(nesting)
        .description(block.description.clone())
        .items(nested.min_items, nested.max_items);
    for attribute in &block.attributes {
        result = result.attribute(&attribute.name, decode_attribute(attribute));
    }
    for nested in &block.block_types {
        result = result.block(&nested.type_name, decode_block(nested));
    }
    result
}

fn decode_attribute(attribute: &proto::schema::Attribute) -> Attribute {
    use proto::schema::object::NestingMode;
    let mut result = match &attribute.nested_type {
        None => Attribute::of(Type::from_json(&attribute.r#type).expect("valid type JSON")),
        Some(object) => {
            let attributes: BTreeMap<String, Attribute> = object
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), decode_attribute(attribute)))
                .collect();
            match object.nesting() {
                NestingMode::Single => Attribute::single_nested(attributes),
                NestingMode::List => Attribute::list_nested(attributes),
                NestingMode::Set => Attribute::set_nested(attributes),
                NestingMode::Map => Attribute::map_nested(attributes),
                NestingMode::Invalid => panic!("attribute {} has no nesting", attribute.name),
            }
        }
    }
    .description(attribute.description.clone());
    result.required = attribute.required;
    result.optional = attribute.optional;
    result.computed = attribute.computed;
    result.sensitive = attribute.sensitive;
    result.write_only = attribute.write_only;
    result
}

pub(super) fn diagnostics(diagnostics: Vec<proto::Diagnostic>) -> Diagnostics {
    diagnostics
        .into_iter()
        .map(|diagnostic| Diagnostic {
            severity: match diagnostic.severity() {
                proto::diagnostic::Severity::Error => Severity::Error,
                proto::diagnostic::Severity::Warning => Severity::Warning,
                proto::diagnostic::Severity::Invalid => {
                    panic!("a diagnostic without severity: {}", diagnostic.summary)
                }
            },
            attribute: diagnostic.attribute.as_ref().map(path),
            summary: diagnostic.summary,
            detail: diagnostic.detail,
        })
        .collect()
}

pub(super) fn path(path: &proto::AttributePath) -> Path {
    use proto::attribute_path::step::Selector;
    path.steps
        .iter()
        .map(|step| match step.selector.as_ref() {
            Some(Selector::AttributeName(name)) => PathStep::Attribute(name.clone()),
            Some(Selector::ElementKeyString(key)) => PathStep::Key(key.clone()),
            Some(Selector::ElementKeyInt(index)) => PathStep::Index(*index),
            None => panic!("a path step without selector"),
        })
        .collect()
}
