//! What a query says otherwise than an earlier text of it: which columns are made differently, and whether the rows may be
//! others.
//!
//! Rules:
//! - Judged by the words, so what means the same in other words is a difference. It is never the other way round: what is
//!   not named here says what it said.
//! - Sources are known by the names that they are visible under. A derived table or a CTE is looked into; columns of it
//!   that differ make everything differ that names a column of that name.
//! - Another condition, grouping, order with a limit, set operation or hint, and a source more or less, make the rows others.
//!   An outer join that was added behind the others keeps every row, but may give it more than once.
//! - Where items are known by their places (set operations, column lists), other places are other columns.

mod source;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::lineage::OutputColumn;
use super::meaning::{Word, Words, words};
use super::steps;
use super::tree::{Cte, Expr, Query, QueryBody, Select, SelectItem};
use crate::diagnostic::Span;

/// What a query says otherwise than before. Both texts must name tables alike.
#[derive(Debug)]
pub struct Difference<'a> {
    pair: Pair,
    found: Found,
    /// The outermost selects, with what is found in their sources.
    selects: Option<(&'a Select, &'a Select, Found)>,
}

/// The words of both texts.
#[derive(Debug)]
struct Pair {
    old: Words,
    new: Words,
}

/// What is found in one query, as those see it that read it.
#[derive(Clone, Debug, Default)]
struct Found {
    /// The clause that makes the rows others.
    rows: Option<&'static str>,
    /// A row may be there more than once.
    repeated: bool,
    /// Columns that are made differently, new or gone.
    names: BTreeSet<String>,
    /// Any column may be made differently.
    all: bool,
    /// Columns have other places.
    places: bool,
    /// CTEs in reach that give something else.
    tables: BTreeSet<String>,
}

/// What is found in the CTEs in reach.
type Ctes = BTreeMap<String, Found>;

/// What `new` says otherwise than `old`, each with the whole text that it was read from.
pub fn difference<'a>((old_text, old): (&str, &'a Query), (new_text, new): (&str, &'a Query)) -> Difference<'a> {
    let pair = Pair { old: words(old_text), new: words(new_text) };
    if pair.same(old.span, new.span) {
        return Difference { pair, found: Found::default(), selects: None };
    }
    let none = Ctes::new();
    let ctes = pair.ctes(old, new, &none);
    let (mut found, selects) = match (&old.body, &new.body) {
        (QueryBody::Select(old), QueryBody::Select(new)) => {
            let sources = pair.sources(old, new, &ctes);
            let found = pair.select(old, new, &sources);
            (found, Some((old.as_ref(), new.as_ref(), sources)))
        }
        (old, new) => (pair.body(old, new, &ctes), None),
    };
    pair.order(old, new, &mut found);
    Difference { pair, found, selects }
}

impl Difference<'_> {
    /// The clause that makes the rows others, if one does.
    pub fn rows(&self) -> Option<&'static str> {
        self.found.rows
    }

    /// True when a row may come more than once that came once.
    pub fn repeated(&self) -> bool {
        self.found.repeated
    }

    /// True when the result's column `new` is made differently than `old` was.
    pub fn column(&self, old: &OutputColumn, new: &OutputColumn) -> bool {
        let Some((was, is, sources)) = &self.selects else {
            return self.found.all || self.found.places || !self.found.names.is_empty() || old.name != new.name;
        };
        let item = |select: &'_ Select, span: Span| select.items.iter().position(|item| item.span() == span);
        let items = item(was, old.span).zip(item(is, new.span));
        match items.and_then(|(old, new)| was.items.get(old).zip(is.items.get(new))) {
            Some((SelectItem::Expr { expr: old, .. }, SelectItem::Expr { expr: new, .. })) => {
                sources.all || !self.pair.same(old.span, new.span) || self.pair.touches(new.span, sources)
            }
            Some((SelectItem::Wildcard { span: was, .. }, SelectItem::Wildcard { span: is, .. })) => {
                let same = self.pair.same(*was, *is) && old.name == new.name;
                !same || sources.all || sources.names.contains(&new.name)
            }
            _ => true,
        }
    }
}

impl Found {
    /// Nothing can be told apart.
    fn everything(clause: &'static str) -> Self {
        Self { rows: Some(clause), all: true, ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.rows = self.rows.or(other.rows);
        self.repeated |= other.repeated;
        self.all |= other.all;
        self.places |= other.places;
        self.names.extend(other.names);
    }

    /// The same for a reader that knows columns by their places.
    fn by_place(mut self) -> Self {
        self.all |= self.places || !self.names.is_empty();
        self
    }
}

impl Pair {
    fn same(&self, old: Span, new: Span) -> bool {
        self.old.within(old).eq(self.new.within(new))
    }

    fn same_exprs<'e>(&self, old: impl IntoIterator<Item = &'e Expr>, new: impl IntoIterator<Item = &'e Expr>) -> bool {
        let (mut old, mut new) = (old.into_iter(), new.into_iter());
        loop {
            match (old.next(), new.next()) {
                (None, None) => return true,
                (Some(old), Some(new)) if self.same(old.span, new.span) => {}
                _ => return false,
            }
        }
    }

    /// True when the new text in `span` names a column that is made differently in one of the sources.
    fn touches(&self, span: Span, sources: &Found) -> bool {
        let named = |names: &BTreeSet<String>| {
            let is_one = |word: &Word| matches!(word, Word::Name(name) if names.contains(name));
            !names.is_empty() && self.new.within(span).any(is_one)
        };
        let subquery = || self.new.within(span).any(|word| *word == Word::Other("SELECT".to_owned()));
        sources.all || named(&sources.names) || (subquery() && named(&sources.tables))
    }

    fn ctes<'c>(&self, old: &Query, new: &Query, outer: &'c Ctes) -> Cow<'c, Ctes> {
        if old.with.is_empty() && new.with.is_empty() {
            return Cow::Borrowed(outer);
        }
        let mut ctes = outer.clone();
        // The first one of a name is what the others are held against.
        let known: BTreeMap<&str, &Cte> = old.with.iter().rev().map(|cte| (cte.name.name.as_str(), cte)).collect();
        for cte in &new.with {
            steps::count(1);
            let before = known.get(cte.name.name.as_str());
            let found = match before {
                Some(before) => {
                    let found = self.query(&before.query, &cte.query, &ctes);
                    let names = |idents: &[super::tree::Ident]| -> Vec<String> {
                        idents.iter().map(|ident| ident.name.clone()).collect()
                    };
                    if names(&before.columns) != names(&cte.columns) {
                        Found { all: true, ..found }
                    } else if cte.columns.is_empty() {
                        found
                    } else {
                        found.by_place()
                    }
                }
                // Who reads it says so; nobody knows what it hides.
                None => Found::everything("WITH"),
            };
            ctes.insert(cte.name.name.clone(), found);
        }
        let kept: BTreeSet<&str> = new.with.iter().map(|cte| cte.name.name.as_str()).collect();
        let gone = old.with.iter().filter(|cte| !kept.contains(cte.name.name.as_str()));
        ctes.extend(gone.map(|cte| (cte.name.name.clone(), Found::everything("WITH"))));
        Cow::Owned(ctes)
    }

    fn query(&self, old: &Query, new: &Query, outer: &Ctes) -> Found {
        let ctes = self.ctes(old, new, outer);
        let mut found = self.body(&old.body, &new.body, &ctes);
        self.order(old, new, &mut found);
        found
    }

    /// `ORDER BY` decides about rows only where a limit follows.
    fn order(&self, old: &Query, new: &Query, found: &mut Found) {
        if !self.same_exprs(old.limit.iter().chain(&old.offset), new.limit.iter().chain(&new.offset)) {
            found.rows = found.rows.or(Some("LIMIT"));
        }
        if new.limit.is_none() && new.offset.is_none() {
            return;
        }
        // A number names an item, and an item that differs is another order.
        let items = found.all || !found.names.is_empty();
        let order = |query: &Query| -> Vec<bool> { query.order_by.iter().map(|item| item.descending).collect() };
        let keys = |query: &'_ Query| -> Vec<Span> { query.order_by.iter().map(|item| item.expr.span).collect() };
        let same = order(old) == order(new)
            && keys(old).iter().zip(keys(new)).all(|(old, new)| self.same(*old, new))
            && (!items || new.order_by.is_empty());
        if !same {
            found.rows = found.rows.or(Some("ORDER BY"));
        }
    }

    fn body(&self, old: &QueryBody, new: &QueryBody, ctes: &Ctes) -> Found {
        match (old, new) {
            (QueryBody::Select(old), QueryBody::Select(new)) => {
                let sources = self.sources(old, new, ctes);
                self.select(old, new, &sources)
            }
            (QueryBody::Nested(old), QueryBody::Nested(new)) => self.query(old, new, ctes),
            (QueryBody::Table(old), QueryBody::Table(new)) if old.dotted() == new.dotted() => {
                ctes.get(&new.dotted()).cloned().unwrap_or_default()
            }
            (QueryBody::Values { span: old, .. }, QueryBody::Values { span: new, .. }) if self.same(*old, *new) => {
                Found::default()
            }
            (
                QueryBody::SetOperation { first: old, rest: before },
                QueryBody::SetOperation { first: new, rest: after },
            ) if before.iter().map(|o| o.operator).eq(after.iter().map(|o| o.operator)) => {
                let mut found = self.body(old, new, ctes);
                for (old, new) in before.iter().zip(after) {
                    found.add(self.body(&old.body, &new.body, ctes));
                }
                let mut found = found.by_place();
                let compared = after.iter().any(|o| o.operator != super::tree::SetOperator::UnionAll);
                if compared && found.all {
                    found.rows = found.rows.or(Some("set operation"));
                }
                found
            }
            _ => Found::everything("query"),
        }
    }

    /// What a select says otherwise, besides its sources.
    fn select(&self, old: &Select, new: &Select, sources: &Found) -> Found {
        let mut found = Found { rows: sources.rows, repeated: sources.repeated, ..Found::default() };
        let mut clause = |differs: bool, name: &'static str| {
            if differs && found.rows.is_none() {
                found.rows = Some(name);
            }
        };
        let condition = |old: &Option<Expr>, new: &Option<Expr>| {
            !self.same_exprs(old, new) || new.iter().any(|expr| self.touches(expr.span, sources))
        };
        clause(condition(&old.filter, &new.filter), "WHERE");
        let spans = |select: &Select| select.group_by.as_ref().map(|group| group.span);
        clause(
            match (spans(old), spans(new)) {
                (None, None) => false,
                (Some(old), Some(new)) => !self.same(old, new) || self.touches(new, sources),
                _ => true,
            },
            "GROUP BY",
        );
        clause(condition(&old.having, &new.having), "HAVING");
        clause(condition(&old.qualify, &new.qualify), "QUALIFY");
        clause(hints(old) != hints(new), "hint");
        self.items(old, new, sources, &mut found);
        // They may name items of the select list.
        let by_items = [
            new.group_by.as_ref().map(|g| g.span),
            new.having.as_ref().map(|e| e.span),
            new.qualify.as_ref().map(|e| e.span),
        ];
        let own = Found { names: found.names.clone(), ..Found::default() };
        if by_items.into_iter().flatten().any(|span| self.touches(span, &own)) {
            found.rows = found.rows.or(Some("GROUP BY"));
        }
        let items = found.all || !found.names.is_empty();
        let distinct = old.distinct.is_some() != new.distinct.is_some() || (new.distinct.is_some() && items);
        if distinct {
            found.rows = found.rows.or(Some("DISTINCT"));
        }
        found
    }

    /// Which items differ, by the names that a reader knows them by.
    fn items(&self, old: &Select, new: &Select, sources: &Found, found: &mut Found) {
        let (was, is) = (Items::of(old), Items::of(new));
        let stars = |items: &Items, words: &Words| -> Vec<Vec<Word>> {
            items.stars.iter().map(|span| words.within(*span).cloned().collect()).collect()
        };
        found.all |= sources.all || was.unnamed != is.unnamed || is.unnamed && !self.all_items_are_the_same(old, new);
        if stars(&was, &self.old) != stars(&is, &self.new) {
            found.all = true;
        } else if !is.stars.is_empty() {
            found.names.extend(sources.names.iter().cloned());
            found.places |= sources.places;
        }
        let (before, after) = (was.by_name(), is.by_name());
        for (name, span) in &is.named {
            steps::count(1);
            let known = before.get(name.as_str()).into_iter().flatten();
            let same = known.into_iter().any(|before| self.same(*before, *span));
            if !same || self.touches(*span, sources) {
                found.names.insert(name.clone());
            }
        }
        let names = |items: &Items| -> Vec<String> { items.named.iter().map(|(name, _)| name.clone()).collect() };
        found.names.extend(names(&was).into_iter().filter(|name| !after.contains_key(name.as_str())));
        found.places |= names(&was) != names(&is);
    }

    fn all_items_are_the_same(&self, old: &Select, new: &Select) -> bool {
        old.items.len() == new.items.len()
            && old.items.iter().zip(&new.items).all(|(old, new)| self.same(old.span(), new.span()))
    }
}

/// The items of a select.
struct Items {
    named: Vec<(String, Span)>,
    stars: Vec<Span>,
    /// There are items without a name of their own.
    unnamed: bool,
}

impl Items {
    fn by_name(&self) -> BTreeMap<&str, Vec<Span>> {
        let mut found: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        for (name, span) in &self.named {
            found.entry(name).or_default().push(*span);
        }
        found
    }

    fn of(select: &Select) -> Self {
        let mut items = Self { named: Vec::new(), stars: Vec::new(), unnamed: false };
        for item in &select.items {
            match item {
                SelectItem::Wildcard { span, .. } => items.stars.push(*span),
                SelectItem::Expr { expr, alias, .. } => match (alias, &expr.kind) {
                    (Some(alias), _) => items.named.push((alias.name.clone(), expr.span)),
                    (None, super::tree::ExprKind::Column(name)) => {
                        items.named.push((name.last().name.clone(), expr.span));
                    }
                    (None, _) => items.unnamed = true,
                },
            }
        }
        items
    }
}

fn hints(select: &Select) -> Vec<String> {
    select.hints.iter().map(source::hint).collect()
}
