//! Compares the fields of two records: those that stayed, got another name, came, went, or stand in another order.

use serde_json::Value;

use super::avro::{AvroSchema, Field, NodeId, Type};
use super::change::{ChangeKind, Effect, Scope};
use super::compat::is_primitive;
use super::diff::Walk;
use super::differences::{FINE, Place};
use super::envelope::row_field;
use super::literal::{default_literal, stands_in};
use super::order;
use super::parse::clip;
use super::rename::Pairing;
use crate::steps;

impl Walk<'_> {
    pub(super) fn fields(&mut self, place: &Place, old: &[Field], new: &[Field], depth: usize) {
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
}

/// A value that says nothing.
fn is_empty(default: &Value) -> bool {
    match default {
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.chars().all(|c| c == '\0'),
        _ => false,
    }
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
