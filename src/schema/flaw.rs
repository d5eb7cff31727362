//! What a strict parser refuses of a schema that is read here all the same.
//!
//! Rules: a flaw is said and changes no answer, because a registry may have stored the schema long ago; only a new text with
//! one that no setting of the library takes is refused by [`pair`](super::pair). What counts is what
//! Avro's Java library refuses when a registry is given a new version: names that are no names, names and symbols that are
//! there twice, defaults that do not fit, unions that are no unions. One is added, a field's default that is no symbol of its
//! enum, which the library takes and its readers then trip over. Referenced schemas are not looked at: they are subjects of
//! their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::avro::{AvroSchema, Name, Node, NodeId, Type};
use super::parse::{clip, primitive};
use crate::steps;

/// Flaws that are told; more would not help a person.
const MOST_FLAWS: usize = 100;

/// Values looked at in defaults. Types that name each other can make one default a task without end.
const MOST_VALUES: usize = 1_000_000;

/// Something in a schema that a strict parser refuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flaw {
    /// Where, such as `after.price`; empty for the top.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
    /// Whether no setting of Avro's Java library takes it, so that no registry registers it.
    #[serde(skip)]
    pub never_taken: bool,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.problem) } else { write!(f, "`{}`: {}", self.path, self.problem) }
    }
}

/// A flaw of one of two versions, or of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Which version has it.
    pub schema: Version,
    /// What it is.
    #[serde(flatten)]
    pub flaw: Flaw,
}

/// Which of two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// The earlier one.
    Old,
    /// The new one.
    New,
    /// Both in the same way.
    Both,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.schema {
            Version::Old => "the old schema",
            Version::New => "the new schema",
            Version::Both => "both schemas",
        };
        write!(f, "{which}, {}{}", if self.flaw.path.is_empty() { "" } else { "at " }, self.flaw)
    }
}

/// The flaws of two versions, those of the new one first.
pub(super) fn remarks(old: Option<&AvroSchema>, new: &AvroSchema) -> Vec<Remark> {
    let before: BTreeSet<&Flaw> = old.into_iter().flat_map(AvroSchema::flaws).collect();
    let now: BTreeSet<&Flaw> = new.flaws().iter().collect();
    let of = |flaw: &Flaw, schema| Remark { schema, flaw: flaw.clone() };
    let fresh = new.flaws().iter().map(|f| of(f, if before.contains(f) { Version::Both } else { Version::New }));
    let gone = old.into_iter().flat_map(AvroSchema::flaws).filter(|f| !now.contains(f));
    fresh.chain(gone.map(|f| of(f, Version::Old))).collect()
}

/// Whether some setting of the library takes a flaw.
type Taken = bool;

/// A place in the text. Places are made in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(usize);

/// What the parser saw besides the types.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Of each place, the one around it and its segment of the path. The outermost is its own.
    places: Vec<(Place, String)>,
    /// Place of each node.
    nodes: Vec<Place>,
    /// Places of the fields of each record.
    fields: Vec<(NodeId, Vec<Place>)>,
    /// What no type shows any more.
    noted: Vec<(Place, String, Taken)>,
    /// Nodes before this one belong to referenced schemas.
    own: usize,
}

impl Seen {
    /// The outermost place of a text.
    pub(super) fn top(&mut self) -> Place {
        let top = Place(self.places.len());
        self.places.push((top, String::new()));
        top
    }

    /// A place inside another; an empty segment is no part of the path.
    pub(super) fn inside(&mut self, around: Place, segment: &str) -> Place {
        let place = Place(self.places.len());
        self.places.push((around, clip(segment)));
        place
    }

    /// The next node is at `place`.
    pub(super) fn node(&mut self, place: Place) {
        self.nodes.push(place);
    }

    /// The fields of the record `id` are at these places.
    pub(super) fn record(&mut self, id: NodeId, fields: Vec<Place>) {
        self.fields.push((id, fields));
    }

    /// A flaw that only the text shows.
    pub(super) fn note(&mut self, at: Place, problem: impl Into<String>) {
        if self.noted.len() <= MOST_FLAWS {
            self.noted.push((at, problem.into(), true));
        }
    }

    /// The same, of a union that is a branch of a union.
    pub(super) fn note_nested_union(&mut self, at: Place) {
        if self.noted.len() <= MOST_FLAWS {
            self.noted.push((at, "a union is a branch of a union".to_owned(), false));
        }
    }

    /// What was read so far was referenced.
    pub(super) fn own_begins(&mut self) {
        self.own = self.nodes.len();
        self.fields.clear();
        self.noted.clear();
    }

    /// Whether the node belongs to a referenced schema.
    pub(super) fn is_referenced(&self, id: NodeId) -> bool {
        id.0 < self.own
    }

    fn around(&self, place: Place) -> Option<Place> {
        self.places.get(place.0).map(|(around, _)| *around).filter(|around| *around != place)
    }

    /// Whether `inner` lies in `outer`.
    fn within(&self, inner: Place, outer: Place) -> bool {
        std::iter::successors(self.around(inner), |place| self.around(*place)).any(|place| place == outer)
    }

    fn path(&self, place: Place) -> String {
        let up = std::iter::successors(Some(place), |place| self.around(*place));
        let mut segments: Vec<&str> = up.filter_map(|p| self.places.get(p.0)).map(|(_, s)| s.as_str()).collect();
        segments.reverse();
        let mut path = String::new();
        for segment in segments.into_iter().filter(|s| !s.is_empty()) {
            if !path.is_empty() && !segment.starts_with('[') {
                path.push('.');
            }
            path.push_str(segment);
        }
        path
    }
}

/// The flaws of `schema`, in the order of its text.
pub(super) fn flaws(schema: &AvroSchema, seen: &Seen) -> Vec<Flaw> {
    let mut search = Search { schema, seen, found: seen.noted.clone(), symbols: BTreeMap::new(), left: MOST_VALUES };
    for (i, place) in seen.nodes.iter().enumerate().skip(seen.own) {
        search.node(NodeId(i), *place);
    }
    for (id, places) in &seen.fields {
        search.fields(*id, places);
    }
    let Search { mut found, left, .. } = search;
    found.sort_by_key(|(place, ..)| *place);
    let more = found.len() > MOST_FLAWS;
    found.truncate(MOST_FLAWS);
    let mut flaws: Vec<Flaw> = found
        .into_iter()
        .map(|(at, problem, taken)| Flaw { path: seen.path(at), problem, never_taken: !taken })
        .collect();
    let whole = |problem: String| Flaw { path: String::new(), problem, never_taken: false };
    if more {
        flaws.push(whole(format!("there are more than {MOST_FLAWS} flaws: the rest is not told")));
    }
    if left == 0 {
        flaws.push(whole("its defaults are too large to be looked at".to_owned()));
    }
    flaws
}

struct Search<'a> {
    schema: &'a AvroSchema,
    seen: &'a Seen,
    found: Vec<(Place, String, Taken)>,
    /// Symbols of the enums that a default was held against.
    symbols: BTreeMap<NodeId, BTreeSet<&'a str>>,
    /// Values that may still be looked at.
    left: usize,
}

impl<'a> Search<'a> {
    fn say(&mut self, at: Place, problem: String) {
        self.tell(at, problem, true);
    }

    fn say_never_taken(&mut self, at: Place, problem: String) {
        self.tell(at, problem, false);
    }

    fn tell(&mut self, at: Place, problem: String, taken: Taken) {
        if self.found.len() <= MOST_FLAWS {
            self.found.push((at, problem, taken));
        }
    }

    fn node(&mut self, id: NodeId, at: Place) {
        let schema = self.schema;
        steps::count(1);
        let ty = schema.ty(id);
        if let Some(name) = ty.name() {
            self.named(name, at);
        }
        match ty {
            Type::Union(branches) => {
                let kinds = branches.iter().map(|b| kind(schema.ty(*b)));
                if let Some(twice) = twice(kinds) {
                    self.say_never_taken(at, format!("the union has two branches of {}", clip(&twice)));
                }
            }
            Type::Enum { symbols, default, .. } => {
                for symbol in symbols {
                    steps::count(1);
                    self.name(symbol, at);
                }
                if let Some(symbol) = twice(symbols.iter().map(String::as_str)) {
                    self.say_never_taken(at, format!("the enum has the symbol `{}` twice", clip(symbol)));
                }
                if let Some(default) = default.as_ref().filter(|d| !symbols.contains(d)) {
                    self.say_never_taken(at, format!("the enum's default `{}` is none of its symbols", clip(default)));
                }
            }
            Type::Fixed { size, .. } if i32::try_from(*size).is_err() => {
                self.say(at, format!("a fixed of {size} bytes has more than {}", i32::MAX));
            }
            _ => {}
        }
    }

    fn named(&mut self, name: &Name, at: Place) {
        self.name(&name.short, at);
        if !name.namespace.is_empty() {
            name.namespace.split('.').for_each(|part| self.name(part, at));
        }
        for alias in &name.aliases {
            steps::count(1);
            self.name(alias.rsplit_once('.').map_or(alias.as_str(), |(_, short)| short), at);
        }
        if primitive(&name.full()).is_some() {
            self.say(at, format!("`{}` is the name of a primitive type", name.short));
        }
    }

    fn name(&mut self, name: &str, at: Place) {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() {
            self.say(at, "a name is empty".to_owned());
        } else if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_word) {
            let rule = "a name has letters of ASCII, digits and `_`, and begins with no digit";
            self.say(at, format!("`{}` is no name: {rule}", clip(name)));
        }
    }

    fn fields(&mut self, id: NodeId, places: &[Place]) {
        let schema = self.schema;
        let Some((_, fields)) = schema.record(id) else { return };
        let mut names = BTreeSet::new();
        for (field, place) in fields.iter().zip(places) {
            steps::count(1);
            self.name(&field.name, *place);
            if !names.insert(field.name.as_str()) {
                self.say_never_taken(*place, format!("the record has the field `{}` twice", clip(&field.name)));
            }
            let Some(default) = &field.default else { continue };
            if self.is_number_in_text(field.ty, default) {
                continue;
            }
            if let Err(misfit) = self.fits(field.ty, default, *place) {
                let (default, ty) = (clip(&default.to_string()), schema.describe(field.ty));
                self.say(
                    *place,
                    match misfit {
                        Misfit::Type => format!("its default {default} does not fit {ty}"),
                        Misfit::Itself => format!("its default {default} is a record of the type that it is a part of"),
                    },
                );
            }
        }
    }

    /// The library takes a number in quotes where the field itself is one, as JSON has no sign for `NaN`.
    fn is_number_in_text(&self, id: NodeId, value: &Value) -> bool {
        let Some(text) = value.as_str().filter(|_| matches!(self.schema.ty(id), Type::Float | Type::Double)) else {
            return false;
        };
        let special = ["NaN", "Infinity"].contains(&text.trim_start_matches(['+', '-']));
        special || text.contains(|c: char| c.is_ascii_digit()) && text.trim().parse::<f64>().is_ok()
    }

    /// Whether `value` is a default of the type, for a field at `field`.
    fn fits(&mut self, id: NodeId, value: &Value, field: Place) -> Result<(), Misfit> {
        let schema = self.schema;
        self.left = self.left.saturating_sub(1);
        steps::count(1);
        if self.left == 0 {
            return Ok(());
        }
        let fits = match (schema.ty(id), value) {
            (Type::Null, value) => value.is_null(),
            (Type::Boolean, value) => value.is_boolean(),
            (Type::Int, value) => whole(value).is_some_and(|n| i32::try_from(n).is_ok()),
            (Type::Long, value) => whole(value).is_some(),
            (Type::Float | Type::Double, value) => value.is_number(),
            (Type::Bytes | Type::String | Type::Fixed { .. }, value) => value.is_string(),
            (Type::Enum { symbols, .. }, Value::String(symbol)) => {
                let known = self.symbols.entry(id).or_insert_with(|| symbols.iter().map(String::as_str).collect());
                known.contains(symbol.as_str())
            }
            (Type::Array(items), Value::Array(values)) => {
                return values.iter().try_for_each(|value| self.fits(*items, value, field));
            }
            (Type::Map(values), Value::Object(entries)) => {
                return entries.values().try_for_each(|value| self.fits(*values, value, field));
            }
            (Type::Union(branches), value) => {
                let mut worst = Misfit::Type;
                for branch in branches {
                    match self.fits(*branch, value, field) {
                        Ok(()) => return Ok(()),
                        Err(misfit) => worst = worst.max(misfit),
                    }
                }
                return Err(worst);
            }
            (Type::Record { fields, .. }, Value::Object(given)) => {
                let around = self.seen.nodes.get(id.0).is_some_and(|record| self.seen.within(field, *record));
                if around {
                    return Err(Misfit::Itself);
                }
                for inner in fields {
                    match (given.get(&inner.name), &inner.default) {
                        (Some(value), _) => self.fits(inner.ty, value, field)?,
                        // Its own default is looked at where it stands.
                        (None, Some(_)) => {
                            steps::count(1);
                            self.left = self.left.saturating_sub(1);
                        }
                        (None, None) => return Err(Misfit::Type),
                    }
                    if self.left == 0 {
                        return Ok(());
                    }
                }
                true
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Misfit::Type) }
    }
}

/// Why a default does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Misfit {
    /// It has another type.
    Type,
    /// It is a record of the type that the field belongs to, so to make it takes itself.
    Itself,
}

/// A number without a fraction. `-0` is read as one with.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|n| *n == 0.0 && n.is_sign_negative()).map(|_| 0))
}

/// Whether the library takes a second definition of a type, which it does where both say the same. It never does of records.
pub(super) fn says_the_same(one: &Node, other: &Node) -> bool {
    let same = match (&one.ty, &other.ty) {
        (Type::Fixed { size, .. }, Type::Fixed { size: again, .. }) => size == again,
        (Type::Enum { symbols, .. }, Type::Enum { symbols: again, .. }) => symbols == again,
        _ => false,
    };
    let counts = |(key, _): &(&String, &Value)| *key != "doc" && *key != "default";
    same && one.props.iter().filter(counts).eq(other.props.iter().filter(counts))
}

/// What a union may have one of.
fn kind(ty: &Type) -> String {
    ty.name().map_or_else(|| ty.word().to_owned(), Name::full)
}

fn twice<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    let mut all = all.inspect(|_| steps::count(1));
    all.find(|one| !seen.insert(one.clone()))
}
