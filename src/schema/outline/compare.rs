//! The differences of two outlines, in the words of tables.

use std::collections::{BTreeMap, BTreeSet};

use super::{Member, Retyped};
use crate::schema::change::{Change, ChangeKind, Effect, Scope};
use crate::schema::differences::{Differences, Effects, FINE, Place};
use crate::schema::parse::clip;
use crate::steps;

/// Every difference, row first.
pub(super) fn compare(old: &Member, new: &Member, retyped: Retyped) -> Vec<Change> {
    let mut walk = Walk { retyped, out: Differences::of(Scope::Row) };
    let top = Place::default();
    let (Some(was), Some(is)) = (row(old), row(new)) else {
        walk.member(&top, old, new);
        return walk.out.list;
    };
    walk.member(&top, was, is);
    let source = |whole: &Member| whole.inside.iter().find(|m| m.name == "source").cloned();
    let mut elsewhere = vec!["before", "after"];
    if let (Some(was), Some(is)) = (source(old), source(new)) {
        elsewhere.push("source");
        walk.out.scope = Scope::SourceBlock;
        walk.member(&top, &was, &is);
    }
    walk.out.scope = Scope::Envelope;
    let rest = |whole: &Member| {
        let mut whole = whole.clone();
        whole.inside.retain(|m| !elsewhere.contains(&m.name.as_str()));
        whole
    };
    walk.member(&top, &rest(old), &rest(new));
    walk.out.list
}

/// The row of a Debezium envelope; `None` where it is none.
fn row(whole: &Member) -> Option<&Member> {
    let find = |name: &str| whole.inside.iter().find(|m| m.name == name);
    find("before").and(find("op"))?;
    find("after").filter(|after| !after.inside.is_empty())
}

struct Walk {
    retyped: Retyped,
    out: Differences,
}

impl Walk {
    fn member(&mut self, place: &Place, a: &Member, b: &Member) {
        if self.out.is_full() {
            return;
        }
        steps::count(1);
        let forms = || (Some(words(a)), Some(words(b)));
        if a.ty != b.ty {
            let (kind, effects) = (self.retyped)(a, b);
            self.push(place, kind, forms(), effects, &format!("changes from {} to {}", words(a), words(b)));
        } else if a.meaning != b.meaning {
            let wrong = (Effect::WrongValues, Effect::WrongValues);
            let what = format!("stores another meaning in the same {}: {} instead of {}", b.ty, words(b), words(a));
            self.push(place, ChangeKind::LogicalType, forms(), wrong, &what);
        }
        if a.namespace != b.namespace {
            let what = format!("has another package: `{}` before, `{}` now", clip(&a.namespace), clip(&b.namespace));
            self.push(place, ChangeKind::NamespaceOnly, forms(), FINE, &what);
        }
        if a.optional != b.optional {
            let (kind, effects, what) = if b.optional {
                (ChangeKind::MadeNullable, (Effect::FailsIfNotNull, Effect::Fine), "may be absent or null now")
            } else {
                (ChangeKind::MadeRequired, (Effect::Fine, Effect::FailsIfNotNull), "is required now")
            };
            self.push(place, kind, forms(), effects, what);
        }
        if a.default != b.default {
            let text = |m: &Member| m.default.as_ref().map(|d| clip(&d.to_string()));
            let shown = |m: &Member| text(m).unwrap_or_else(|| "none".to_owned());
            let what = format!("has another default: {} before, {} now", shown(a), shown(b));
            self.push(place, ChangeKind::DefaultChanged, (text(a), text(b)), FINE, &what);
        }
        let (added, removed) = (without(&b.symbols, &a.symbols), without(&a.symbols, &b.symbols));
        if !added.is_empty() || !removed.is_empty() {
            let signed = added.iter().map(|v| format!("+{v}")).chain(removed.iter().map(|v| format!("-{v}")));
            let what = format!("has other enum values: {}", clip(&signed.collect::<Vec<_>>().join(" ")));
            self.push(place, ChangeKind::EnumSymbols { added, removed }, forms(), FINE, &what);
        }
        let keywords: BTreeSet<&String> =
            a.rules.keys().chain(b.rules.keys()).filter(|k| a.rules.get(*k) != b.rules.get(*k)).collect();
        if !keywords.is_empty() {
            let list = keywords.into_iter().map(|k| format!("`{}`", clip(k))).collect::<Vec<_>>().join(", ");
            let what = format!("has another {list}, which is not looked into");
            self.push(place, ChangeKind::Metadata, forms(), FINE, &what);
        }
        if a.doc != b.doc {
            self.push(place, ChangeKind::Doc, (a.doc.clone(), b.doc.clone()), FINE, "has another comment");
        }
        self.members(place, &a.inside, &b.inside);
    }

    fn members(&mut self, place: &Place, old: &[Member], new: &[Member]) {
        let by = |all: &[Member], word: fn(&Member) -> &String| -> BTreeMap<String, usize> {
            all.iter().enumerate().rev().map(|(i, m)| (word(m).clone(), i)).collect()
        };
        let (now, named) = (by(new, |m| &m.key), by(new, |m| &m.name));
        let (before, was_named) = (by(old, |m| &m.key), by(old, |m| &m.name));
        for a in old {
            let kept = now.get(&a.key).and_then(|j| new.get(*j));
            let moved = named.get(&a.name).and_then(|j| new.get(*j)).filter(|b| !before.contains_key(&b.key));
            match (kept, moved) {
                (Some(b), _) if a.name == b.name => self.member(&inside(place, &a.name), a, b),
                (Some(b), _) => {
                    let here = inside(place, &a.name);
                    let (from, to) = (a.name.clone(), b.name.clone());
                    let what = format!("was renamed to `{}` and keeps its number {}", clip(&b.name), clip(&a.key));
                    let effects = (Effect::FailsIfNotNull, Effect::FailsIfNotNull);
                    self.push(
                        &here,
                        ChangeKind::RenamedByAlias { from, to },
                        (Some(words(a)), Some(words(b))),
                        effects,
                        &what,
                    );
                    self.member(&here, a, b);
                }
                (None, Some(b)) => {
                    let here = inside(place, &a.name);
                    let what = format!("has another number: {} before, {} now", clip(&a.key), clip(&b.key));
                    let effects = (Effect::FailsIfNotNull, Effect::FailsIfNotNull);
                    self.push(&here, ChangeKind::TypeChanged, (Some(words(a)), Some(words(b))), effects, &what);
                    self.member(&here, a, b);
                }
                (None, None) => {
                    let effects = (Effect::FailsIfNotNull, Effect::Fine);
                    self.push(
                        &inside(place, &a.name),
                        ChangeKind::Removed,
                        (Some(words(a)), None),
                        effects,
                        "was removed",
                    );
                }
            }
        }
        for b in new.iter().filter(|b| !before.contains_key(&b.key)) {
            let moved = was_named.get(&b.name).and_then(|i| old.get(*i));
            if moved.is_some_and(|a| !now.contains_key(&a.key)) {
                continue;
            }
            let kind = ChangeKind::Added { default: b.default.clone(), nullable: b.optional };
            let null = if b.optional { "optional" } else { "required" };
            let effects = (Effect::Fine, if b.optional { Effect::Nulls } else { Effect::FailsIfNotNull });
            let what = format!("was added as {}, {null}", words(b));
            self.push(&inside(place, &b.name), kind, (None, Some(words(b))), effects, &what);
        }
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

/// A member of the place.
fn inside(place: &Place, name: &str) -> Place {
    place.field(&clip(name))
}

/// The type with what its annotations add.
fn words(member: &Member) -> String {
    let (ty, meaning) = (clip(&member.ty), clip(&member.meaning));
    if meaning.is_empty() { ty } else { format!("{ty} ({meaning})") }
}

/// What `all` has and `other` has not.
fn without(all: &[String], other: &[String]) -> Vec<String> {
    let other: BTreeSet<&String> = other.iter().collect();
    all.iter().filter(|one| !other.contains(one)).cloned().collect()
}
