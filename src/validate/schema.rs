//! Writer schemas: from the registry's text to a flat plan of how to read a record.
//!
//! Rules:
//! - `apache-avro` parses the text. Before that, everything that a reader of records does not use (defaults, aliases,
//!   documentation) is dropped, because the parser refuses schemas for it that registries have long stored.
//! - What is still refused is an error that says why; a schema that contains itself is refused too, since no Flink
//!   table has one and hostile data could nest in it without end.
//! - References are replaced by what they name, so reading needs no look-ups.

use std::collections::BTreeMap;

use apache_avro::schema::{InnerDecimalSchema, Name, NamespaceRef, Schema, UuidSchema};
use serde_json::{Value as Json, json};
use thiserror::Error;

/// A schema text that cannot be used.
#[derive(Debug, Error)]
#[error("schema {id} cannot be used to read records")]
pub struct SchemaError {
    /// Id in the registry.
    pub id: u32,
    /// Why.
    #[source]
    pub cause: SchemaFault,
}

/// Why a schema cannot be used.
#[derive(Debug, Error)]
pub enum SchemaFault {
    /// The text is not JSON: it may be Protobuf.
    #[error("it is not Avro: the text is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// A schema that it refers to is no JSON.
    #[error("the schema `{0}` that it refers to is not Avro: the text is not JSON")]
    NoReference(String),
    /// The parser refused it.
    #[error("the Avro parser refused it: {0}")]
    Refused(String),
    /// It contains itself.
    #[error("type `{0}` contains itself; a table cannot")]
    Recursive(String),
    /// A reference names nothing.
    #[error("type `{0}` is not defined in it")]
    Undefined(String),
    /// It unfolds to more types than any table has.
    #[error(
        "it unfolds to more than {MAX_NODES} types, to {MAX_TEXT} bytes of names, or deeper than {MAX_DEPTH} levels"
    )]
    TooLarge,
}

const MAX_NODES: usize = 20_000;

/// Bytes of names and symbols that a schema unfolds to: a type that is named often is there as often.
const MAX_TEXT: usize = 16 << 20;

/// How deep types lie in each other. No table's lie so deep, and any stack holds it.
const MAX_DEPTH: usize = 200;

/// How to read one value.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Vec<String>),
    /// Fixed size, or bytes when there is none.
    Decimal(i64, Option<usize>),
    BigDecimal,
    /// A UUID of 16 bytes, of fixed size or as bytes.
    Uuid(Option<usize>),
    Date,
    /// Times and timestamps carry the nanoseconds of one unit.
    TimeMillis,
    TimeMicros,
    Instant(i128),
    Local(i128),
    Array(Box<Shape>),
    Map(Box<Shape>),
    Union(Vec<Shape>),
    Record(Vec<(String, Shape)>),
}

impl Shape {
    /// Reads a schema as the registry has it; `references` are the schemas that it refers to, as (name, text), each after
    /// those that it needs itself.
    pub(super) fn parse(text: &str, references: &[(String, String)]) -> Result<Self, SchemaFault> {
        let json = serde_json::from_str(text).map_err(SchemaFault::NotJson)?;
        let mut json = if references.is_empty() { json } else { beside(json, references)? };
        drop_unused(&mut json);
        let schema = Schema::parse(&json).map_err(|e| SchemaFault::Refused(e.to_string()))?;
        let mut defined = BTreeMap::new();
        define(&schema, None, &mut defined);
        let own = match &schema {
            Schema::Record(all) if !references.is_empty() => all.fields.last().map(|own| &own.schema),
            _ => Some(&schema),
        };
        let mut unfold = Unfold { defined: &defined, open: Vec::new(), nodes: 0, text: 0, depth: 0 };
        unfold.shape(own.unwrap_or(&schema), None)
    }
}

/// A record of all the schemas, the one that refers to the others last: the parser reads its fields in their order, and
/// knows in each what those before it define. It has no namespace, as the schemas in it have none around them.
fn beside(own: Json, references: &[(String, String)]) -> Result<Json, SchemaFault> {
    let mut fields = Vec::with_capacity(references.len() + 1);
    for (name, text) in references {
        let referred: Json = serde_json::from_str(text).map_err(|_| SchemaFault::NoReference(name.clone()))?;
        fields.push(json!({ "name": format!("r{}", fields.len()), "type": referred }));
    }
    fields.push(json!({ "name": format!("r{}", fields.len()), "type": own }));
    Ok(json!({ "type": "record", "name": "_with_its_references", "fields": fields }))
}

/// Drops what only matters when schemas are resolved against each other.
fn drop_unused(json: &mut Json) {
    match json {
        Json::Object(map) => {
            for name in ["default", "aliases", "doc"] {
                map.remove(name);
            }
            if map.get("type").is_some_and(|t| t == "error") {
                map.insert("type".to_owned(), Json::from("record"));
            }
            map.values_mut().for_each(drop_unused);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_unused),
        _ => {}
    }
}

type Defined<'a> = BTreeMap<String, (&'a Schema, Option<String>)>;

fn full(name: &Name, space: Option<&str>) -> (String, Option<String>) {
    let name = name.fully_qualified_name(space);
    (name.to_string(), name.namespace().map(str::to_owned))
}

/// Collects every named type with the namespace that it is in.
fn define<'a>(schema: &'a Schema, space: NamespaceRef<'_>, defined: &mut Defined<'a>) {
    let name = match schema {
        Schema::Record(s) => Some(&s.name),
        Schema::Enum(s) => Some(&s.name),
        Schema::Fixed(s) | Schema::Duration(s) | Schema::Uuid(UuidSchema::Fixed(s)) => Some(&s.name),
        Schema::Decimal(s) => match &s.inner {
            InnerDecimalSchema::Fixed(s) => Some(&s.name),
            InnerDecimalSchema::Bytes => None,
        },
        _ => None,
    };
    let mut inner = space.map(str::to_owned);
    if let Some(name) = name {
        let (name, own) = full(name, space);
        defined.insert(name, (schema, space.map(str::to_owned)));
        inner = own;
    }
    match schema {
        Schema::Record(s) => s.fields.iter().for_each(|f| define(&f.schema, inner.as_deref(), defined)),
        Schema::Array(s) => define(&s.items, space, defined),
        Schema::Map(s) => define(&s.types, space, defined),
        Schema::Union(s) => s.variants().iter().for_each(|v| define(v, space, defined)),
        _ => {}
    }
}

struct Unfold<'a> {
    defined: &'a Defined<'a>,
    /// Records that the current one lies in.
    open: Vec<String>,
    nodes: usize,
    /// Bytes of names and symbols.
    text: usize,
    depth: usize,
}

impl Unfold<'_> {
    fn shape(&mut self, schema: &Schema, space: NamespaceRef<'_>) -> Result<Shape, SchemaFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SchemaFault::TooLarge);
        }
        let shape = self.shape_here(schema, space)?;
        self.depth -= 1;
        Ok(shape)
    }

    /// Counts names and symbols that are kept.
    fn keeps(&mut self, mut names: impl Iterator<Item = usize>) -> Result<(), SchemaFault> {
        names.try_for_each(|bytes| {
            self.text += bytes + size_of::<String>();
            if self.text > MAX_TEXT { Err(SchemaFault::TooLarge) } else { Ok(()) }
        })
    }

    fn shape_here(&mut self, schema: &Schema, space: NamespaceRef<'_>) -> Result<Shape, SchemaFault> {
        const MICRO: i128 = 1_000;
        const MILLI: i128 = 1_000_000;
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(SchemaFault::TooLarge);
        }
        Ok(match schema {
            Schema::Null => Shape::Null,
            Schema::Boolean => Shape::Boolean,
            Schema::Int => Shape::Int,
            Schema::Long => Shape::Long,
            Schema::Float => Shape::Float,
            Schema::Double => Shape::Double,
            Schema::Bytes => Shape::Bytes,
            Schema::String | Schema::Uuid(UuidSchema::String) => Shape::String,
            Schema::Uuid(UuidSchema::Bytes) => Shape::Uuid(None),
            Schema::Uuid(UuidSchema::Fixed(s)) => Shape::Uuid(Some(s.size)),
            Schema::Fixed(s) | Schema::Duration(s) => Shape::Fixed(s.size),
            Schema::Enum(s) => {
                self.keeps(s.symbols.iter().map(String::len))?;
                Shape::Enum(s.symbols.clone())
            }
            Schema::Decimal(s) => {
                let size = match &s.inner {
                    InnerDecimalSchema::Fixed(s) => Some(s.size),
                    InnerDecimalSchema::Bytes => None,
                };
                Shape::Decimal(i64::try_from(s.scale).unwrap_or(i64::MAX), size)
            }
            Schema::BigDecimal => Shape::BigDecimal,
            Schema::Date => Shape::Date,
            Schema::TimeMillis => Shape::TimeMillis,
            Schema::TimeMicros => Shape::TimeMicros,
            Schema::TimestampMillis => Shape::Instant(MILLI),
            Schema::TimestampMicros => Shape::Instant(MICRO),
            Schema::TimestampNanos => Shape::Instant(1),
            Schema::LocalTimestampMillis => Shape::Local(MILLI),
            Schema::LocalTimestampMicros => Shape::Local(MICRO),
            Schema::LocalTimestampNanos => Shape::Local(1),
            Schema::Array(s) => Shape::Array(Box::new(self.shape(&s.items, space)?)),
            Schema::Map(s) => Shape::Map(Box::new(self.shape(&s.types, space)?)),
            Schema::Union(s) => {
                Shape::Union(s.variants().iter().map(|v| self.shape(v, space)).collect::<Result<_, _>>()?)
            }
            Schema::Record(s) => {
                let (name, inner) = full(&s.name, space);
                if self.open.contains(&name) {
                    return Err(SchemaFault::Recursive(name));
                }
                self.open.push(name);
                self.keeps(s.fields.iter().map(|f| f.name.len()))?;
                let mut fields = Vec::with_capacity(s.fields.len());
                for field in &s.fields {
                    fields.push((field.name.clone(), self.shape(&field.schema, inner.as_deref())?));
                }
                self.open.pop();
                Shape::Record(fields)
            }
            Schema::Ref { name } => {
                let (name, _) = full(name, space);
                let defined = self.defined;
                let Some((schema, space)) = defined.get(&name) else {
                    return Err(SchemaFault::Undefined(name));
                };
                self.shape(schema, space.as_deref())?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_schemas_that_the_parser_alone_refuses_are_read() {
        let text = r#"{"type":"error","name":"r","fields":[
            {"name":"a","type":"int","default":"not a number"},
            {"name":"b","type":"string","aliases":["a"]}]}"#;
        assert!(Schema::parse_str(text).is_err());
        assert!(matches!(Shape::parse(text, &[]), Ok(Shape::Record(fields)) if fields.len() == 2));
    }

    #[test]
    fn a_type_that_contains_itself_is_refused_by_name() {
        let text = r#"{"type":"record","name":"n.node","fields":[{"name":"next","type":["null","node"]}]}"#;
        let error = Shape::parse(text, &[]).expect_err("recursive");
        assert_eq!(error.to_string(), "type `n.node` contains itself; a table cannot");
    }

    /// Schemas that are referred to, each after those that it needs.
    fn references(texts: &[(&str, &str)]) -> Vec<(String, String)> {
        texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    const CENTS: &str = r#"{"type":"record","name":"n.Cents","fields":[{"name":"cents","type":"long"},
        {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["CASH","CARD"]}}]}"#;
    const PRICE: &str = r#"{"type":"record","name":"Price","namespace":"n","fields":[{"name":"net","type":"Cents"}]}"#;

    #[test]
    fn what_a_schema_refers_to_is_part_of_it() {
        let known = references(&[("n.Cents", CENTS), ("n.Price", PRICE)]);
        let own = r#"{"type":"record","name":"m.Order","fields":[
            {"name":"price","type":["null","n.Price"]},{"name":"kind","type":"n.Kind"}]}"#;
        let Ok(Shape::Record(fields)) = Shape::parse(own, &known) else { panic!("a record") };
        let [(_, Shape::Union(price)), (_, Shape::Enum(kinds))] = fields.as_slice() else { panic!("{fields:?}") };
        assert_eq!(kinds, &["CASH", "CARD"]);
        let [_, Shape::Record(price)] = price.as_slice() else { panic!("{price:?}") };
        assert!(matches!(price.as_slice(), [(net, Shape::Record(cents))] if net == "net" && cents.len() == 2));
        // A schema may be no more than the name of another one, or a union of several.
        assert!(matches!(Shape::parse("\"n.Price\"", &known), Ok(Shape::Record(_))));
        assert!(matches!(Shape::parse(r#"["n.Price","n.Cents"]"#, &known), Ok(Shape::Union(all)) if all.len() == 2));
        assert!(matches!(Shape::parse("\"int\"", &known), Ok(Shape::Int)));
    }

    #[test]
    fn a_reference_that_does_not_help_is_named() {
        let says =
            |known: &[(&str, &str)]| Shape::parse("\"n.Price\"", &references(known)).expect_err("no price").to_string();
        assert!(says(&[("n.Cents", CENTS)]).contains("n.Price"), "{}", says(&[("n.Cents", CENTS)]));
        assert!(says(&[("n.Price", "message")]).starts_with("the schema `n.Price` that it refers to is not Avro"));
        assert!(says(&[("n.Price", PRICE)]).contains("n.Cents"));
    }

    #[test]
    fn a_type_used_twice_is_not_recursive() {
        let text = r#"{"type":"record","name":"n.r","fields":[
            {"name":"a","type":{"type":"record","name":"p","fields":[{"name":"x","type":"int"}]}},
            {"name":"b","type":"p"}]}"#;
        assert!(
            matches!(Shape::parse(text, &[]), Ok(Shape::Record(f)) if matches!(f.get(1), Some((_, Shape::Record(_)))))
        );
    }

    #[test]
    fn a_type_that_is_named_often_does_not_fill_the_memory() {
        let symbols: Vec<String> = (0..20_000).map(|i| format!("S{i}")).collect();
        let mut fields = vec![json!({"name": "e", "type": {"type": "enum", "name": "n.E", "symbols": symbols}})];
        fields.extend((0..5_000).map(|i| json!({"name": format!("f{i}"), "type": "n.E"})));
        let text = json!({"type": "record", "name": "n.R", "fields": fields}).to_string();
        assert!(matches!(Shape::parse(&text, &[]), Err(SchemaFault::TooLarge)));
        // Each type is named before it is defined, so the first one holds all others.
        let field = |i: usize| {
            let inner = if i == 900 { json!("int") } else { json!(format!("n.R{}", i + 1)) };
            json!({"name": format!("f{i}"), "type": {"type": "record", "name": format!("n.R{i}"), "fields": [
                {"name": "x", "type": inner}]}})
        };
        let fields: Vec<Json> = (0..=900).map(field).collect();
        let chain = json!({"type": "record", "name": "n.Top", "fields": fields}).to_string();
        assert!(Shape::parse(&chain, &[]).is_err());
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        assert_eq!(
            Shape::parse("syntax = \"proto3\";", &[]).expect_err("protobuf").to_string(),
            "it is not Avro: the text is not JSON"
        );
        assert!(matches!(Shape::parse(r#"{"type":"object"}"#, &[]), Err(SchemaFault::Refused(_))));
        let mut doubling = r#"{"type":"record","name":"r0","fields":[{"name":"a","type":"int"}]}"#.to_owned();
        for i in 1..40 {
            doubling = format!(
                r#"{{"type":"record","name":"r{i}","fields":[{{"name":"a","type":{doubling}}},{{"name":"b","type":"r{}"}}]}}"#,
                i - 1
            );
        }
        assert!(matches!(Shape::parse(&doubling, &[]), Err(SchemaFault::TooLarge)));
    }
}
