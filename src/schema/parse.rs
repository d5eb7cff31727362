//! Reads the JSON of an Avro schema.
//!
//! Rules: lenient, because registries keep what older parsers took: names and defaults are not validated, `error` is a
//! record, nested unions are flattened, a type may be used before it is defined. What a strict parser refuses is a
//! [`Flaw`](super::flaw::Flaw); what has no possible meaning is a [`SchemaError`] that names the place.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::avro::{AvroSchema, Field, Name, Node, NodeId, SchemaError, Source, Type};
use super::flaw::{Place, Seen, flaws, says_the_same};

/// Keys that belong to a type itself; every other key is a property.
const RESERVED: [&str; 9] = ["type", "name", "namespace", "fields", "symbols", "items", "values", "size", "aliases"];

/// Parses `text`; `references` are the schemas it may name, as (name or subject, text), in any order.
///
/// # Errors
/// When the text or a reference is not Avro, or uses a name that nothing defines.
pub fn parse(text: &str, references: &[(String, String)]) -> Result<AvroSchema, SchemaError> {
    // References first, as they were read first: what is wrong with them is said first.
    let parser = referenced(references)?;
    let json = json(text)?;
    read(parser, &json, Source { schema: text.to_owned(), references: references.to_vec() })
}

/// The same for a text without references that was read as JSON already.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_json(json: &Value, text: String) -> Result<AvroSchema, SchemaError> {
    read(referenced(&[])?, json, Source { schema: text, references: Vec::new() })
}

fn referenced(references: &[(String, String)]) -> Result<Parser, SchemaError> {
    let mut parser = Parser::new();
    for (reference, text) in references {
        let problem = |e: SchemaError| SchemaError::Reference { reference: reference.clone(), problem: e.to_string() };
        let json = json(text).map_err(problem)?;
        parser.here = parser.seen.top();
        parser.ty(&json, "", At::Top).map_err(problem)?;
    }
    parser.seen.own_begins();
    parser.here = parser.seen.top();
    Ok(parser)
}

fn read(mut parser: Parser, json: &Value, source: Source) -> Result<AvroSchema, SchemaError> {
    let root = parser.ty(json, "", At::Top)?;
    let (nodes, root, seen) = parser.finish(root)?;
    let mut schema = AvroSchema { source, nodes, root, flaws: Vec::new() };
    schema.flaws = flaws(&schema, &seen);
    Ok(schema)
}

fn json(text: &str) -> Result<Value, SchemaError> {
    serde_json::from_str(text).map_err(|e| SchemaError::NotJson { detail: e.to_string() })
}

struct Parser {
    nodes: Vec<Node>,
    names: BTreeMap<String, NodeId>,
    pending: Vec<Pending>,
    /// The place that is being read.
    here: Place,
    seen: Seen,
}

/// Where in the text; in words only for who asks.
#[derive(Clone, Copy)]
enum At<'a> {
    Top,
    Branch(&'a At<'a>, usize),
    Items(&'a At<'a>),
    Values(&'a At<'a>),
    /// The field of the record.
    Field(&'a str, &'a str),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => f.write_str("the top"),
            Self::Branch(of, i) => write!(f, "{of}, branch {i}"),
            Self::Items(of) => write!(f, "{of}, items"),
            Self::Values(of) => write!(f, "{of}, values"),
            Self::Field(field, record) => write!(f, "field `{}` of record `{}`", clip(field), clip(record)),
        }
    }
}

/// A name used before its definition; `at_node` holds its place.
struct Pending {
    at_node: NodeId,
    name: String,
    namespace: String,
    at: String,
}

impl Parser {
    fn new() -> Self {
        let mut seen = Seen::default();
        let here = seen.top();
        Self { nodes: Vec::new(), names: BTreeMap::new(), pending: Vec::new(), here, seen }
    }

    /// Reads what is in a part of the place that is being read.
    fn inside<T>(&mut self, segment: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let around = self.here;
        self.here = self.seen.inside(around, segment);
        let made = read(self);
        self.here = around;
        made
    }

    fn ty(&mut self, json: &Value, namespace: &str, at: At<'_>) -> Result<NodeId, SchemaError> {
        match json {
            Value::String(word) => Ok(self.word(word, namespace, at, BTreeMap::new())),
            Value::Array(branches) => self.union(branches, namespace, at),
            Value::Object(object) => self.object(object, namespace, at),
            other => Err(not_avro(at, format!("expected a type, found {}", clip(&other.to_string())))),
        }
    }

    fn push(&mut self, ty: Type, props: BTreeMap<String, Value>) -> NodeId {
        self.nodes.push(Node { ty, props });
        self.seen.node(self.here);
        NodeId(self.nodes.len() - 1)
    }

    fn word(&mut self, word: &str, namespace: &str, at: At<'_>, props: BTreeMap<String, Value>) -> NodeId {
        if let Some(ty) = primitive(word) {
            return self.push(ty, props);
        }
        if let Some(id) = self.lookup(word, namespace) {
            return id;
        }
        let at_node = self.push(Type::Null, BTreeMap::new());
        self.pending.push(Pending { at_node, name: word.into(), namespace: namespace.into(), at: at.to_string() });
        at_node
    }

    fn lookup(&self, word: &str, namespace: &str) -> Option<NodeId> {
        let qualified =
            if word.contains('.') || namespace.is_empty() { None } else { Some(format!("{namespace}.{word}")) };
        qualified.and_then(|q| self.names.get(&q)).or_else(|| self.names.get(word)).copied()
    }

    fn union(&mut self, branches: &[Value], namespace: &str, at: At<'_>) -> Result<NodeId, SchemaError> {
        let mut all = Vec::with_capacity(branches.len());
        for (i, branch) in branches.iter().enumerate() {
            let id = self.inside("", |p| p.ty(branch, namespace, At::Branch(&at, i)))?;
            match self.nodes.get(id.0).map(|n| &n.ty) {
                Some(Type::Union(inner)) => {
                    all.extend(inner.iter().copied());
                    self.seen.note_nested_union(self.here);
                }
                _ => all.push(id),
            }
        }
        Ok(self.push(Type::Union(all), BTreeMap::new()))
    }

    fn object(&mut self, o: &Map<String, Value>, namespace: &str, at: At<'_>) -> Result<NodeId, SchemaError> {
        let word = match o.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(inner @ (Value::Object(_) | Value::Array(_))) => return self.wrapped(o, inner, namespace, at),
            Some(other) => return Err(not_avro(at, format!("`type` is {}", clip(&other.to_string())))),
            None => return Err(not_avro(at, "an object without `type`".into())),
        };
        let child = |key: &str| o.get(key).ok_or_else(|| not_avro(at, format!("{word} without `{key}`")));
        match word {
            "array" => {
                let items = child("items")?;
                let items = self.inside("[items]", |p| p.ty(items, namespace, At::Items(&at)))?;
                Ok(self.push(Type::Array(items), props(o)))
            }
            "map" => {
                let values = child("values")?;
                let values = self.inside("[values]", |p| p.ty(values, namespace, At::Values(&at)))?;
                Ok(self.push(Type::Map(values), props(o)))
            }
            "fixed" => {
                let name = name(o, namespace, at)?;
                let size =
                    child("size")?.as_u64().ok_or_else(|| not_avro(at, "`size` is not a whole number".into()))?;
                Ok(self.define(name.clone(), Type::Fixed { name, size }, o))
            }
            "enum" => {
                let name = name(o, namespace, at)?;
                let symbols = strings(Some(child("symbols")?));
                self.list_of_texts(o.get("symbols"), "symbols");
                let default = o.get("default").and_then(Value::as_str).map(str::to_owned);
                Ok(self.define(name.clone(), Type::Enum { name, symbols, default }, o))
            }
            "record" | "error" => self.record(o, namespace, at),
            other => Ok(self.word(other, namespace, at, props(o))),
        }
    }

    /// `{"type": {...}, ...}`: the outer properties fill the gaps of an inner type that has no name.
    fn wrapped(&mut self, o: &Map<String, Value>, inner: &Value, ns: &str, at: At<'_>) -> Result<NodeId, SchemaError> {
        let id = self.ty(inner, ns, at)?;
        self.seen.note(self.here, "`type` holds another type where a type's name belongs");
        if let Some(node) = self.nodes.get_mut(id.0)
            && node.ty.name().is_none()
        {
            for (key, value) in props(o) {
                node.props.entry(key).or_insert(value);
            }
        }
        Ok(id)
    }

    fn define(&mut self, name: Name, ty: Type, o: &Map<String, Value>) -> NodeId {
        let id = self.push(ty, props(o));
        self.list_of_texts(o.get("aliases"), "aliases");
        if let Some(first) = self.names.insert(name.full(), id)
            && let (Some(one), Some(other)) = (self.nodes.get(first.0), self.nodes.get(id.0))
            && !says_the_same(one, other)
        {
            let before = if self.seen.is_referenced(first) { ", which a referenced schema has" } else { "" };
            self.seen.note(self.here, format!("the type `{}` is defined twice{before}", clip(&name.full())));
        }
        id
    }

    /// Notes what is no list of texts.
    fn list_of_texts(&mut self, json: Option<&Value>, what: &str) {
        let is_list = |json: &Value| json.as_array().is_some_and(|all| all.iter().all(Value::is_string));
        if json.is_some_and(|json| !is_list(json)) {
            self.seen.note(self.here, format!("`{what}` is no list of texts"));
        }
    }

    fn record(&mut self, o: &Map<String, Value>, namespace: &str, at: At<'_>) -> Result<NodeId, SchemaError> {
        let name = name(o, namespace, at)?;
        let list = match o.get("fields") {
            Some(Value::Array(list)) => list,
            _ => return Err(not_avro(at, format!("record `{}` without a list of `fields`", clip(&name.short)))),
        };
        let id = self.define(name.clone(), Type::Record { name: name.clone(), fields: Vec::new() }, o);
        let mut fields = Vec::with_capacity(list.len());
        let mut places = Vec::with_capacity(list.len());
        for (i, json) in list.iter().enumerate() {
            let Value::Object(f) = json else {
                return Err(not_avro(at, format!("field {i} of record `{}` is not an object", clip(&name.short))));
            };
            let Some(field_name) = f.get("name").and_then(Value::as_str) else {
                return Err(not_avro(at, format!("field {i} of record `{}` has no name", clip(&name.short))));
            };
            let place = At::Field(field_name, &name.short);
            let ty = f.get("type").ok_or_else(|| not_avro(place, "no `type`".into()))?;
            let doc = f.get("doc").and_then(Value::as_str).map(str::to_owned);
            let ty = self.inside(field_name, |p| {
                places.push(p.here);
                p.list_of_texts(f.get("aliases"), "aliases");
                p.order(f.get("order"));
                p.field_type(f, ty, &name.namespace, place)
            })?;
            fields.push(Field {
                name: field_name.to_owned(),
                aliases: strings(f.get("aliases")),
                ty,
                default: f.get("default").cloned(),
                doc,
            });
        }
        self.seen.record(id, places);
        if let Some(node) = self.nodes.get_mut(id.0) {
            node.ty = Type::Record { name, fields };
        }
        Ok(id)
    }

    /// A field's type; some producers write `{"name": .., "type": "array", "items": ..}` without an inner object.
    fn field_type(&mut self, f: &Map<String, Value>, ty: &Value, ns: &str, at: At<'_>) -> Result<NodeId, SchemaError> {
        let inline = match ty.as_str() {
            Some("array") => f.contains_key("items"),
            Some("map") => f.contains_key("values"),
            _ => false,
        };
        if inline {
            self.seen.note(self.here, "the parts of its type stand beside its name instead of in `type`");
            self.object(f, ns, at)
        } else {
            self.ty(ty, ns, at)
        }
    }

    fn order(&mut self, order: Option<&Value>) {
        let is_order = |json: &Value| {
            let word = json.as_str().unwrap_or_default();
            ["ascending", "descending", "ignore"].iter().any(|order| word.eq_ignore_ascii_case(order))
        };
        if order.is_some_and(|json| !is_order(json)) {
            self.seen.note(self.here, "its `order` is none of `ascending`, `descending` and `ignore`");
        }
    }

    /// Resolves the names that were used before their definition.
    fn finish(self, root: NodeId) -> Result<(Vec<Node>, NodeId, Seen), SchemaError> {
        let mut target = BTreeMap::new();
        for p in &self.pending {
            let Some(id) = self.lookup(&p.name, &p.namespace) else {
                return Err(SchemaError::UnknownType { at: p.at.clone(), name: clip(&p.name) });
            };
            target.insert(p.at_node, id);
        }
        let mut nodes = self.nodes;
        let to = |id: NodeId| target.get(&id).copied().unwrap_or(id);
        for node in &mut nodes {
            match &mut node.ty {
                Type::Array(child) | Type::Map(child) => *child = to(*child),
                Type::Union(all) => all.iter_mut().for_each(|b| *b = to(*b)),
                Type::Record { fields, .. } => fields.iter_mut().for_each(|f| f.ty = to(f.ty)),
                _ => {}
            }
        }
        Ok((nodes, to(root), self.seen))
    }
}

pub(super) fn primitive(word: &str) -> Option<Type> {
    Some(match word {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

fn name(o: &Map<String, Value>, enclosing: &str, at: At<'_>) -> Result<Name, SchemaError> {
    let Some(written) = o.get("name").and_then(Value::as_str) else {
        return Err(not_avro(at, "a record, enum or fixed without a name".into()));
    };
    let (namespace, short) = match written.rsplit_once('.') {
        Some((namespace, short)) => (namespace, short),
        None => (o.get("namespace").and_then(Value::as_str).unwrap_or(enclosing), written),
    };
    let qualify = |alias: String| {
        if alias.contains('.') || namespace.is_empty() { alias } else { format!("{namespace}.{alias}") }
    };
    let aliases = strings(o.get("aliases")).into_iter().map(qualify).collect();
    Ok(Name { namespace: namespace.to_owned(), short: short.to_owned(), aliases })
}

fn strings(json: Option<&Value>) -> Vec<String> {
    match json {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn props(o: &Map<String, Value>) -> BTreeMap<String, Value> {
    o.iter().filter(|(k, _)| !RESERVED.contains(&k.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn not_avro(at: At<'_>, problem: String) -> SchemaError {
    SchemaError::NotAvro { at: at.to_string(), problem }
}

/// The first characters of a foreign text, so that a message stays one line.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return text.to_owned();
    }
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if text.chars().count() > LONGEST { format!("{line}...") } else { line }
}
