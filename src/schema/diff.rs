//! What differs between two schemas, in the words of tables.
//!
//! Rules: two envelopes are compared by their rows, their source blocks and the rest, each under its own [`Scope`]. The
//! order of symbols and union branches is no difference, nor is that of fields but for the columns in an envelope (see
//! [`super::order`]). A difference inside a type that several columns use is
//! reported for each of those columns.

use std::collections::{BTreeMap, BTreeSet};

use super::avro::{AvroSchema, Field, MAX_DEPTH, Name, NodeId, Type};
use super::change::{Change, ChangeKind, Effect, Scope};
use super::differences::{Differences, Effects, FAILS, FINE, Place};
use super::envelope::{Shape, row, shape};
use super::parse::clip;
use crate::steps;

/// The differences from `old` to `new`, row first.
pub fn diff(old: &AvroSchema, new: &AvroSchema) -> Vec<Change> {
    let scope = if shape(old) == Shape::Key && shape(new) == Shape::Key { Scope::Key } else { Scope::Row };
    diff_as(scope, old, new)
}

/// The same, with `scope` for everything that is not part of an envelope.
pub(super) fn diff_as(scope: Scope, old: &AvroSchema, new: &AvroSchema) -> Vec<Change> {
    let sets = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let out = Differences::of(scope);
    let mut walk = Walk { old, new, out, is_envelope: false, seen: sets.0, same: sets.1, namespaces: sets.2 };
    match (shape(old), shape(new)) {
        (Shape::Envelope, Shape::Envelope) => walk.envelopes(),
        (a, b) if a == Shape::Envelope || b == Shape::Envelope => {
            walk.out.scope = if scope == Scope::Key { scope } else { Scope::Envelope };
            let what = format!("changes from a {a} to a {b}");
            walk.emit(&Place::default(), ChangeKind::TypeChanged, (old.root(), new.root()), FAILS, &what);
        }
        _ => walk.types(&Place::default(), old.root(), new.root(), 0),
    }
    walk.out.list
}

pub(super) struct Walk<'a> {
    pub old: &'a AvroSchema,
    pub new: &'a AvroSchema,
    pub out: Differences,
    /// Whether both are envelopes.
    pub is_envelope: bool,
    /// Records compared under the current column.
    pub seen: BTreeSet<(NodeId, NodeId)>,
    /// Records in which no column has shown a difference.
    pub same: BTreeSet<(NodeId, NodeId)>,
    namespaces: BTreeSet<(String, String)>,
}

impl Walk<'_> {
    fn envelopes(&mut self) {
        let (old, new) = (self.old, self.new);
        let (Some((old_name, old_fields)), Some((new_name, new_fields))) =
            (old.record(old.root()), new.record(new.root()))
        else {
            return;
        };
        let find = |fields: &'_ [Field], name: &str| fields.iter().position(|f| f.name == name);
        let outer = self.out.scope;
        self.is_envelope = true;
        if let (Some(a), Some(b)) = (row(old), row(new)) {
            self.types(&Place::default(), a, b, 0);
        }
        self.before_apart(old_fields, new_fields);
        let part = |scope| if outer == Scope::Key { outer } else { scope };
        self.out.scope = part(Scope::Envelope);
        self.names(&Place::default(), (old.root(), old_name), (new.root(), new_name));
        let rest = |fields: &[Field]| -> Vec<Field> {
            fields.iter().filter(|f| f.name != "source" && !is_row_field(f)).cloned().collect()
        };
        self.fields(&Place::default(), &rest(old_fields), &rest(new_fields), 0);
        for name in ["before", "after", "source"] {
            let (a, b) = (find(old_fields, name), find(new_fields, name));
            let (a, b) = (a.and_then(|i| old_fields.get(i)), b.and_then(|i| new_fields.get(i)));
            match (a, b) {
                (Some(a), Some(b)) if name == "source" => {
                    self.out.scope = part(Scope::SourceBlock);
                    self.types(&Place::default(), a.ty, b.ty, 0);
                }
                (Some(a), Some(b)) => self.nullability(&Place::default().field(name), a.ty, b.ty),
                (None, None) => {}
                (a, b) => {
                    self.out.scope = part(Scope::Envelope);
                    let (a, b): (Vec<Field>, Vec<Field>) =
                        (a.into_iter().cloned().collect(), b.into_iter().cloned().collect());
                    self.fields(&Place::default(), &a, &b, 0);
                }
            }
        }
    }

    /// `before` has a record of its own in schemas that Debezium did not write: its differences count as well.
    fn before_apart(&mut self, old_fields: &[Field], new_fields: &[Field]) {
        let record = |schema: &AvroSchema, fields: &[Field]| {
            let field = fields.iter().find(|f| f.name == "before")?;
            schema.branches(field.ty).1.into_iter().find(|b| schema.record(*b).is_some())
        };
        let (a, b) = (record(self.old, old_fields), record(self.new, new_fields));
        if a == row(self.old) && b == row(self.new) {
            return;
        }
        if let (Some(a), Some(b)) = (a, b) {
            let already = std::mem::take(&mut self.out.list);
            self.seen.clear();
            self.types(&Place::default(), a, b, 0);
            let more = std::mem::replace(&mut self.out.list, already);
            let fresh: Vec<Change> = more.into_iter().filter(|c| !self.out.list.contains(c)).collect();
            self.out.list.extend(fresh);
        }
    }

    /// Compares two types, null included.
    pub(super) fn types(&mut self, place: &Place, a: NodeId, b: NodeId, depth: usize) {
        if self.out.is_full() {
            return;
        }
        let ((_, old), (_, new)) = (self.old.branches(a), self.new.branches(b));
        if depth > MAX_DEPTH {
            let what = format!("is nested deeper than {MAX_DEPTH} levels, which is not judged");
            return self.emit(place, ChangeKind::TypeChanged, (a, b), FAILS, &what);
        }
        match (old.as_slice(), new.as_slice()) {
            ([], []) => {}
            ([a], [b]) => self.core(place, *a, *b, depth),
            (many, others) if many.len() > 1 && others.len() > 1 => self.unions(place, many, others, depth),
            _ => {
                let what = format!("changes from {} to {}", self.old.describe(a), self.new.describe(b));
                self.emit(place, ChangeKind::TypeChanged, (a, b), FAILS, &what);
            }
        }
        self.nullability(place, a, b);
    }

    fn nullability(&mut self, place: &Place, a: NodeId, b: NodeId) {
        let ((was, old), (is, new)) = (self.old.branches(a), self.new.branches(b));
        if old.is_empty() || new.is_empty() {
            return;
        }
        let nested = place.column.as_ref() != Some(&place.path);
        match (was, is) {
            (false, true) => {
                let effect = if nested { Effect::Fails } else { Effect::FailsIfNotNull };
                self.emit(place, ChangeKind::MadeNullable, (a, b), (effect, Effect::Fine), "may hold null now");
            }
            (true, false) => {
                let effects = (Effect::Fine, Effect::FailsIfNotNull);
                self.emit(place, ChangeKind::MadeRequired, (a, b), effects, "may no longer hold null");
            }
            _ => {}
        }
    }

    fn core(&mut self, place: &Place, a: NodeId, b: NodeId, depth: usize) {
        let (old, new) = (self.old, self.new);
        match (old.ty(a), new.ty(b)) {
            (Type::Array(x), Type::Array(y)) => self.types(&place.inside("items"), *x, *y, depth + 1),
            (Type::Map(x), Type::Map(y)) => self.types(&place.inside("values"), *x, *y, depth + 1),
            (Type::Enum { name: x, symbols: s, default: d }, Type::Enum { name: y, symbols: t, default: e }) => {
                self.names(place, (a, x), (b, y));
                let added = without(t, s);
                let removed = without(s, t);
                if !added.is_empty() || !removed.is_empty() {
                    let signed = added.iter().map(|v| format!("+{v}")).chain(removed.iter().map(|v| format!("-{v}")));
                    let what = format!("has other enum symbols: {}", clip(&signed.collect::<Vec<_>>().join(" ")));
                    // A reader takes its default for a symbol that it lacks.
                    let reads = |symbols: &[String], own: &[String], default: &Option<String>| match default {
                        _ if symbols.is_empty() => Effect::Fine,
                        Some(default) if own.contains(default) => Effect::WrongValues,
                        _ => Effect::Fails,
                    };
                    let effects = (reads(&added, s, d), reads(&removed, t, e));
                    self.emit(place, ChangeKind::EnumSymbols { added, removed }, (a, b), effects, &what);
                }
                self.docs(place, a, b);
            }
            (Type::Record { name: x, fields: s }, Type::Record { name: y, fields: t }) => {
                steps::count(1);
                if !self.same.contains(&(a, b)) && self.seen.insert((a, b)) {
                    self.names(place, (a, x), (b, y));
                    self.fields(place, s, t, depth + 1);
                    self.docs(place, a, b);
                }
            }
            (x, y) => {
                if let (Some(x), Some(y)) = (x.name(), y.name()) {
                    self.names(place, (a, x), (b, y));
                }
                self.scalars(place, a, b);
                self.docs(place, a, b);
            }
        }
    }

    fn unions(&mut self, place: &Place, old: &[NodeId], new: &[NodeId], depth: usize) {
        // Two branches may differ in their namespaces alone, and a namespace may change.
        let full = |schema: &AvroSchema, id: NodeId| (schema.ty(id).word(), schema.ty(id).name().map(Name::full));
        let short = |schema: &AvroSchema, id: NodeId| {
            (schema.ty(id).word(), schema.ty(id).name().map(|name| name.short.clone()))
        };
        steps::count(old.len() + new.len());
        let before: BTreeSet<_> = old.iter().map(|a| short(self.old, *a)).collect();
        let now: BTreeMap<_, _> = new.iter().rev().map(|b| (short(self.new, *b), *b)).collect();
        let exactly: BTreeMap<_, _> = new.iter().rev().map(|b| (full(self.new, *b), *b)).collect();
        for a in old {
            match exactly.get(&full(self.old, *a)).or_else(|| now.get(&short(self.old, *a))) {
                Some(b) => self.core(&place.inside(&self.old.describe(*a)), *a, *b, depth + 1),
                None => {
                    let what = format!("lost the union branch {}", self.old.describe(*a));
                    let forms = (Some(self.old.describe(*a)), None);
                    self.push(place, ChangeKind::TypeChanged, forms, (Effect::Fine, Effect::Fails), &what);
                }
            }
        }
        for b in new.iter().filter(|b| !before.contains(&short(self.new, **b))) {
            let what = format!("has a new union branch {}", self.new.describe(*b));
            let forms = (None, Some(self.new.describe(*b)));
            self.push(place, ChangeKind::TypeChanged, forms, (Effect::Fails, Effect::Fine), &what);
        }
    }

    fn names(&mut self, place: &Place, (a, old): (NodeId, &Name), (b, new): (NodeId, &Name)) {
        let word = self.new.ty(b).word();
        if old.short != new.short {
            let what = format!("has its {word} named {} instead of {}", new.short, old.short);
            self.emit(place, ChangeKind::TypeName, (a, b), FINE, &what);
        } else if old.namespace != new.namespace
            && self.namespaces.insert((old.namespace.clone(), new.namespace.clone()))
        {
            let what = format!("has another namespace: `{}` before, `{}` now", old.namespace, new.namespace);
            let names = (Some(old.full()), Some(new.full()));
            self.push(place, ChangeKind::NamespaceOnly, names, FINE, &what);
        }
    }

    fn docs(&mut self, place: &Place, a: NodeId, b: NodeId) {
        for key in ["doc", "connect.doc"] {
            if self.old.node(a).props.get(key) != self.new.node(b).props.get(key) {
                return self.emit(place, ChangeKind::Doc, (a, b), FINE, "has another comment");
            }
        }
    }

    pub(super) fn emit(
        &mut self,
        at: &Place,
        kind: ChangeKind,
        ids: (NodeId, NodeId),
        effects: (Effect, Effect),
        what: &str,
    ) {
        let forms = (Some(self.old.describe(ids.0)), Some(self.new.describe(ids.1)));
        self.push(at, kind, forms, effects, what);
    }

    pub(super) fn push(
        &mut self,
        place: &Place,
        kind: ChangeKind,
        forms: (Option<String>, Option<String>),
        effects: Effects,
        what: &str,
    ) {
        self.out.push(place, kind, forms, effects, what);
    }
}

/// What `all` has and `other` has not.
fn without(all: &[String], other: &[String]) -> Vec<String> {
    steps::count(all.len() + other.len());
    let other: BTreeSet<&String> = other.iter().collect();
    all.iter().filter(|one| !other.contains(one)).cloned().collect()
}

fn is_row_field(field: &Field) -> bool {
    field.name == "before" || field.name == "after"
}
