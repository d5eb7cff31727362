//! What differs between two schemas, in the words of tables.
//!
//! Rules: two envelopes are compared by their rows, their source blocks and the rest, each under its own [`Scope`]. The
//! order of symbols and union branches is no difference, nor is that of fields but for the columns in an envelope (see
//! [`super::order`]). A difference inside a type that several columns use is
//! reported for each of those columns.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::avro::{AvroSchema, Field, MAX_DEPTH, Name, NodeId, Type};
use super::change::{Change, ChangeKind, Effect, Scope};
use super::compat::is_primitive;
use super::differences::{Differences, Effects, FAILS, FINE, Place};
use super::envelope::{Shape, row, row_field, shape};
use super::literal::{default_literal, stands_in};
use super::order;
use super::parse::clip;
use super::rename::Pairing;
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
    out: Differences,
    is_envelope: bool,
    /// Records compared under the current column.
    seen: BTreeSet<(NodeId, NodeId)>,
    /// Records in which no column has shown a difference.
    same: BTreeSet<(NodeId, NodeId)>,
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

    fn fields(&mut self, place: &Place, old: &[Field], new: &[Field], depth: usize) {
        steps::count(old.len() + new.len());
        let pairing = Pairing::of((self.old, old), (self.new, new));
        let top = place.path.is_empty();
        let both = |pairs: &[(usize, usize)]| -> Vec<(&Field, &Field)> {
            pairs.iter().filter_map(|(i, j)| Some((old.get(*i)?, new.get(*j)?))).collect()
        };
        for (a, b) in both(&pairing.same) {
            if self.is_plainly_same(a, b) {
                continue;
            }
            if top {
                self.seen.clear();
            }
            let said = self.out.list.len();
            self.same_field(&place.field(&b.name), a, b, depth);
            // A column without any difference: its types need not be compared again for the next one.
            if top && said == self.out.list.len() {
                self.same.append(&mut self.seen);
            }
        }
        for (a, b) in both(&pairing.aliased) {
            self.renamed(place, a, b, true);
            self.same_field(&place.field(&b.name), a, b, depth);
        }
        if matches!(self.out.scope, Scope::SourceBlock | Scope::Envelope) {
            for (a, b) in both(&pairing.suspected) {
                self.removed(place, a);
                self.added(place, b);
            }
        } else {
            for (a, b) in both(&pairing.suspected) {
                self.renamed(place, a, b, false);
            }
        }
        if top && self.out.scope == Scope::Row && self.is_envelope {
            self.order(old, &pairing.same);
        }
        for i in pairing.removed {
            if let Some(field) = old.get(i) {
                self.removed(place, field);
            }
        }
        for j in pairing.added {
            if let Some(field) = new.get(j) {
                self.added(place, field);
            }
        }
    }

    /// Whether two fields are the same without a look inside: simple types, or a choice of two.
    fn is_plainly_same(&self, a: &Field, b: &Field) -> bool {
        let simple = |(a, b): (&NodeId, &NodeId)| {
            let (one, other) = (self.old.node(*a), self.new.node(*b));
            is_primitive(&one.ty) && one.ty.word() == other.ty.word() && one.props == other.props
        };
        let same_type = match (self.old.ty(a.ty), self.new.ty(b.ty)) {
            (Type::Union(s), Type::Union(t)) => s.len() == t.len() && s.len() <= 2 && s.iter().zip(t).all(simple),
            _ => simple((&a.ty, &b.ty)),
        };
        same_type && a.default == b.default && a.doc == b.doc
    }

    fn same_field(&mut self, place: &Place, a: &Field, b: &Field, depth: usize) {
        self.types(place, a.ty, b.ty, depth);
        if a.default != b.default {
            let (from, to) = (default_text(self.old, a), default_text(self.new, b));
            let what = match (&from, &to) {
                (None, Some(to)) => format!("has a default now, {to}"),
                (Some(from), None) => format!("lost its default {from}"),
                (None, None) if b.default.is_some() => "has a default of null now".to_owned(),
                (None, None) => "lost its default of null".to_owned(),
                (from, to) => format!("has another default: {} before, {} now", text(from), text(to)),
            };
            let hides = from.is_none() && to.is_some() && self.new.branches(b.ty).0;
            let kind = if hides { ChangeKind::DefaultHidesNull } else { ChangeKind::DefaultChanged };
            self.push(place, kind, (from, to), FINE, &what);
        }
        if a.doc != b.doc {
            self.push(place, ChangeKind::Doc, (a.doc.clone(), b.doc.clone()), FINE, "has another comment");
        }
    }

    fn added(&mut self, place: &Place, field: &Field) {
        let place = place.field(&field.name);
        let view = row_field(self.new, field);
        let null = if view.nullable { "nullable" } else { "NOT NULL" };
        let default = match default_text(self.new, field) {
            Some(default) if field.default.as_ref().is_some_and(|d| stands_in(d, &view)) => {
                format!("with default {default}, which Debezium also writes for an expression such as now()")
            }
            Some(text) if field.default.as_ref().is_some_and(is_empty) => {
                format!("with default {text}, which Debezium also writes for an expression or a sequence")
            }
            Some(text) => format!("with default {text}"),
            None => "without a default".to_owned(),
        };
        let what = format!("was added as {} {null}, {default}", view.avro);
        let history = match (view.holds_enum, view.nullable) {
            // A table that declares it fails at new records as well.
            (true, _) => Effect::Fails,
            (false, true) => Effect::Nulls,
            (false, false) => Effect::FailsIfNotNull,
        };
        let effects = (Effect::Fine, history);
        let kind = ChangeKind::Added { default: field.default.clone(), nullable: view.nullable };
        self.push(&place, kind, (None, Some(self.new.describe(field.ty))), effects, &what);
    }

    /// The order of the columns that stayed.
    fn order(&mut self, old: &[Field], same: &[(usize, usize)]) {
        let moved = order::moved(old, same);
        if moved.is_empty() {
            return;
        }
        let wrong = (Effect::WrongValues, Effect::WrongValues);
        let effects = if order::is_kept(self.new) { wrong } else { FINE };
        let what = order::in_words(&moved);
        let columns = moved.into_iter().map(str::to_owned).collect();
        self.push(&Place::default(), ChangeKind::Reordered { columns }, (None, None), effects, &what);
    }

    fn removed(&mut self, place: &Place, field: &Field) {
        let place = place.field(&field.name);
        let effect = self.absent(&place, field);
        let was = Some(self.old.describe(field.ty));
        self.push(&place, ChangeKind::Removed, (was, None), (effect, Effect::Fine), "was removed");
    }

    fn renamed(&mut self, place: &Place, a: &Field, b: &Field, by_alias: bool) {
        let place = place.field(&a.name);
        let effect = self.absent(&place, a);
        let (from, to) = (a.name.clone(), b.name.clone());
        let (kind, what) = if by_alias {
            (ChangeKind::RenamedByAlias { from, to }, format!("was renamed to `{}`, as its alias says", b.name))
        } else {
            let what = format!("is gone and `{}` of the same form is new: probably a rename", b.name);
            (ChangeKind::SuspectedRename { from, to }, what)
        };
        let forms = (Some(self.old.describe(a.ty)), Some(self.new.describe(b.ty)));
        self.push(&place, kind, forms, (effect, Effect::FailsIfNotNull), &what);
    }

    /// What the old table makes of a field that is gone. Inside a column, its source type says whether NULL fits.
    fn absent(&self, place: &Place, field: &Field) -> Effect {
        match (place.column.as_ref() == Some(&place.path), self.old.branches(field.ty).0) {
            (true, _) => Effect::FailsIfNotNull,
            (false, true) => Effect::Nulls,
            (false, false) => Effect::Fails,
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

    fn push(
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

/// A value that says nothing.
fn is_empty(default: &Value) -> bool {
    match default {
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.chars().all(|c| c == '\0'),
        _ => false,
    }
}

fn is_row_field(field: &Field) -> bool {
    field.name == "before" || field.name == "after"
}

/// A default other than null, as SQL where it has a literal, else as JSON.
fn default_text(schema: &AvroSchema, field: &Field) -> Option<String> {
    let default = field.default.as_ref().filter(|d| !d.is_null())?;
    let literal = default_literal(default, &row_field(schema, field));
    Some(clip(&literal.unwrap_or_else(|| default.to_string())))
}

fn text(default: &Option<String>) -> &str {
    default.as_deref().unwrap_or("none")
}
