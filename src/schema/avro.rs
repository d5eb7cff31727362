//! Our model of an Avro schema: a list of nodes in which every name is already resolved.
//!
//! Rules: a reference and the definition it names are one node, so no later code can tell them apart. A node id belongs to
//! one schema; asking another schema for it gives some node or `null`, never a panic. The value serialises as its text.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::flaw::Flaw;

/// How deep a walk over a schema goes before it gives up; far beyond any real schema, small enough for any stack.
pub(super) const MAX_DEPTH: usize = 300;

static NULL_NODE: Node = Node { ty: Type::Null, props: BTreeMap::new() };

/// Why a text is not a usable Avro schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum SchemaError {
    /// The text is not JSON.
    #[error("the schema is not JSON: {detail}")]
    NotJson {
        /// What the JSON reader said.
        detail: String,
    },
    /// JSON, but not Avro.
    #[error("not an Avro schema at {at}: {problem}")]
    NotAvro {
        /// Place inside the schema.
        at: String,
        /// What is wrong there.
        problem: String,
    },
    /// A name that neither the schema nor its references define.
    #[error("the schema uses type `{name}` at {at}, which neither it nor its references define")]
    UnknownType {
        /// Place inside the schema.
        at: String,
        /// The name, as written.
        name: String,
    },
    /// A referenced schema is itself not usable.
    #[error("the referenced schema `{reference}` is not usable: {problem}")]
    Reference {
        /// Its name or subject.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A parsed schema. Two schemas are equal when their texts and references are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Source", into = "Source")]
pub struct AvroSchema {
    pub(super) source: Source,
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    pub(super) flaws: Vec<Flaw>,
}

/// The text a schema was parsed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Schema text.
    pub schema: String,
    /// Referenced schemas: name or subject, and text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<(String, String)>,
}

/// Place of a node in its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) usize);

/// One type of the schema with its extra properties (`logicalType`, `connect.name`, `doc`, ...).
#[derive(Clone, Debug)]
pub struct Node {
    /// The type.
    pub ty: Type,
    /// Properties that are not part of the type itself.
    pub props: BTreeMap<String, Value>,
}

/// An Avro type. Children are nodes of the same schema.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are Avro's own")]
pub enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
    Fixed { name: Name, size: u64 },
    Enum { name: Name, symbols: Vec<String>, default: Option<String> },
    Record { name: Name, fields: Vec<Field> },
}

/// Name of a record, enum or fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Empty when there is none.
    pub namespace: String,
    /// Without namespace.
    pub short: String,
    /// Full names.
    pub aliases: Vec<String>,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Other names it reads.
    pub aliases: Vec<String>,
    /// Type.
    pub ty: NodeId,
    /// Default as JSON; `Some(Null)` is a default of null, `None` no default.
    pub default: Option<Value>,
    /// Comment.
    pub doc: Option<String>,
}

impl Name {
    /// With namespace.
    pub fn full(&self) -> String {
        if self.namespace.is_empty() { self.short.clone() } else { format!("{}.{}", self.namespace, self.short) }
    }
}

impl Type {
    /// Avro's word for the type.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Fixed { .. } => "fixed",
            Self::Enum { .. } => "enum",
            Self::Record { .. } => "record",
        }
    }

    /// The name, for records, enums and fixed.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Fixed { name, .. } | Self::Enum { name, .. } | Self::Record { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl AvroSchema {
    /// The outermost type.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// What a strict parser refuses of the text, in the order of the text.
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// The node at `id`.
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0).unwrap_or(&NULL_NODE)
    }

    /// The type at `id`.
    pub fn ty(&self, id: NodeId) -> &Type {
        &self.node(id).ty
    }

    /// Name and fields of the record at `id`; `None` for other types.
    pub fn record(&self, id: NodeId) -> Option<(&Name, &[Field])> {
        match self.ty(id) {
            Type::Record { name, fields } => Some((name, fields)),
            _ => None,
        }
    }

    /// Names of the fields when the whole schema is a record; none for other types.
    pub fn field_names(&self) -> Vec<String> {
        self.record(self.root()).map(|(_, fields)| fields.iter().map(|f| f.name.clone()).collect()).unwrap_or_default()
    }

    /// The type at `id` without null: whether null is allowed, and the branches that are not null.
    pub fn branches(&self, id: NodeId) -> (bool, Vec<NodeId>) {
        match self.ty(id) {
            Type::Null => (true, Vec::new()),
            Type::Union(all) => {
                let rest: Vec<NodeId> = all.iter().copied().filter(|b| !matches!(self.ty(*b), Type::Null)).collect();
                (rest.len() < all.len(), rest)
            }
            _ => (false, vec![id]),
        }
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.source.schema
    }

    /// The type at `id` in a few words, such as `decimal(10, 2) on bytes` or `union of null, string`.
    pub fn describe(&self, id: NodeId) -> String {
        self.describe_at(id, 0)
    }

    fn describe_at(&self, id: NodeId, depth: usize) -> String {
        /// Nesting that is still readable in one line.
        const READABLE: usize = 3;
        let node = self.node(id);
        match &node.ty {
            Type::Array(inner) if depth < READABLE => format!("array of {}", self.describe_at(*inner, depth + 1)),
            Type::Map(inner) if depth < READABLE => format!("map of {}", self.describe_at(*inner, depth + 1)),
            Type::Union(all) if depth < READABLE => {
                let words: Vec<String> = all.iter().take(8).map(|b| self.describe_at(*b, depth + 1)).collect();
                let more = if all.len() > 8 { ", ..." } else { "" };
                format!("union of {}{more}", words.join(", "))
            }
            Type::Fixed { size, .. } => self.form(id).label(&format!("fixed({size})")),
            Type::Enum { name, .. } | Type::Record { name, .. } => format!("{} {}", node.ty.word(), name.short),
            ty => self.form(id).label(ty.word()),
        }
    }
}

impl PartialEq for AvroSchema {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for AvroSchema {}

impl TryFrom<Source> for AvroSchema {
    type Error = SchemaError;

    fn try_from(source: Source) -> Result<Self, SchemaError> {
        super::parse::parse(&source.schema, &source.references)
    }
}

impl From<AvroSchema> for Source {
    fn from(schema: AvroSchema) -> Self {
        schema.source
    }
}

impl fmt::Display for AvroSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source.schema)
    }
}
