//! The sources of a select: which are the same, and what comes out of them otherwise.

use std::collections::BTreeMap;

use super::{Ctes, Found, Pair};
use crate::sql::tree::{Factor, FactorKind, Hint, Join, JoinKind, Select, TableExpr};

/// A source with the join that it came by.
struct Source<'a> {
    /// What it is visible as.
    name: String,
    factor: &'a Factor,
    join: Option<&'a Join>,
    /// Which comma-separated part of `FROM` it belongs to.
    part: usize,
}

impl Pair {
    /// What comes out of the sources of a select otherwise than before.
    pub(super) fn sources(&self, old: &Select, new: &Select, ctes: &Ctes) -> Found {
        let mut found = Found::default();
        let (was, is) = (flat(&old.from), flat(&new.from));
        if windows(old).len() != windows(new).len()
            || windows(old).iter().zip(windows(new)).any(|(old, new)| old.0 != new.0 || !self.same(old.1, new.1))
        {
            found.all = true;
        }
        found.tables = ctes.iter().filter(|(_, f)| !f.is_nothing()).map(|(name, _)| name.clone()).collect();
        let known: BTreeMap<&str, &Source<'_>> =
            was.iter().rev().map(|source| (source.name.as_str(), source)).collect();
        for source in &is {
            crate::sql::steps::count(1);
            // One that is added cannot change what the others hold; whether it changes rows is decided below.
            if let Some(before) = known.get(source.name.as_str()) {
                let own = self.factor(before.factor, source.factor, ctes, &found);
                found.add(own);
            }
        }
        let kept = was.iter().zip(&is).all(|(old, new)| self.same_place(old, new));
        let touched =
            is.iter().take(was.len()).filter_map(|s| s.join?.on.as_ref()).any(|on| self.touches(on.span, &found));
        let joined = |source: &Source<'_>| source.join.is_some_and(|j| j.kind == JoinKind::Left && !j.natural);
        let added = is.get(was.len()..).unwrap_or(&[]);
        if !kept || touched || was.len() > is.len() || !added.iter().all(joined) {
            found.rows = found.rows.or(Some("JOIN"));
        } else if !added.is_empty() {
            found.repeated = true;
        }
        found
    }

    /// True when both stand at the same place, joined in the same way.
    fn same_place(&self, old: &Source<'_>, new: &Source<'_>) -> bool {
        let names = |join: &Join| -> Vec<String> { join.using.iter().map(|ident| ident.name.clone()).collect() };
        old.name == new.name
            && old.part == new.part
            && match (old.join, new.join) {
                (None, None) => true,
                (Some(old), Some(new)) => {
                    old.kind == new.kind
                        && old.natural == new.natural
                        && names(old) == names(new)
                        && self.same_exprs(&old.on, &new.on)
                }
                _ => false,
            }
    }

    /// What comes out of a source that is visible under the same name as before.
    fn factor(&self, old: &Factor, new: &Factor, ctes: &Ctes, before: &Found) -> Found {
        let names =
            |factor: &Factor| -> Vec<String> { factor.alias_columns.iter().map(|ident| ident.name.clone()).collect() };
        if names(old) != names(new) {
            return Found::everything("FROM");
        }
        let found = match (&old.kind, &new.kind) {
            (
                FactorKind::Table { name: was, hints: old_hints, system_time: old_time },
                FactorKind::Table { name: is, hints: new_hints, system_time: new_time },
            ) if was.dotted() == is.dotted() && self.same_exprs(old_time, new_time) => {
                let hinted = old_hints.iter().map(hint).eq(new_hints.iter().map(hint));
                let inner = ctes.get(&is.dotted()).cloned().unwrap_or_default();
                if hinted { inner } else { Found { rows: inner.rows.or(Some("hint")), ..inner } }
            }
            (
                FactorKind::Derived { lateral: false, query: old },
                FactorKind::Derived { lateral: false, query: new },
            ) => self.query(old, new, ctes),
            // What a function, a pattern or a lateral query makes of its input is not looked into.
            _ if self.same(old.span, new.span) && !self.names_what_changed(new, before) => Found::default(),
            _ => Found::everything("FROM"),
        };
        if new.alias_columns.is_empty() { found } else { found.by_place() }
    }

    /// True when a source names a CTE, or a column of a source before it, that gives something else.
    fn names_what_changed(&self, factor: &Factor, before: &Found) -> bool {
        let names = before.names.union(&before.tables).cloned().collect();
        before.all || self.touches(factor.span, &Found { names, ..Found::default() })
    }
}

impl Found {
    fn is_nothing(&self) -> bool {
        self.rows.is_none() && !self.repeated && !self.all && !self.places && self.names.is_empty()
    }
}

/// The sources in the order of the text; those in brackets stand with the others.
fn flat(from: &[TableExpr]) -> Vec<Source<'_>> {
    fn factor<'a>(found: &mut Vec<Source<'a>>, own: &'a Factor, join: Option<&'a Join>, part: usize) {
        match &own.kind {
            FactorKind::Nested(inner) => table(found, inner, join, part),
            _ => {
                let name = match (&own.alias, &own.kind) {
                    (Some(alias), _) => alias.name.clone(),
                    (None, FactorKind::Table { name, .. }) => name.last().name.clone(),
                    // A place is the only name that it has.
                    (None, _) => format!("({})", found.len()),
                };
                found.push(Source { name, factor: own, join, part });
            }
        }
    }
    fn table<'a>(found: &mut Vec<Source<'a>>, own: &'a TableExpr, join: Option<&'a Join>, part: usize) {
        factor(found, &own.base, join, part);
        own.joins.iter().for_each(|join| factor(found, &join.factor, Some(join), part));
    }
    let mut found = Vec::new();
    from.iter().enumerate().for_each(|(part, own)| table(&mut found, own, None, part));
    found
}

fn windows(select: &Select) -> Vec<(String, crate::diagnostic::Span)> {
    select.windows.iter().map(|(name, window)| (name.name.clone(), window.span)).collect()
}

/// A hint, for comparing.
pub(super) fn hint(hint: &Hint) -> String {
    let arg = |arg: &crate::sql::tree::HintArg| {
        let key = arg.key.as_ref().map(|key| format!("{}=", key.ident.name)).unwrap_or_default();
        format!("{key}{}", arg.value.ident.name)
    };
    format!("{}({})", hint.name.name.to_uppercase(), hint.args.iter().map(arg).collect::<Vec<_>>().join(","))
}
