//! What a changed table and everything behind it is held against: the class of each column, and which rows must be there.
//!
//! Rules, besides those of [`parity`]:
//! - A column that the statement makes differently is `recomputed`, one that it adds is `computed` (in a reader table:
//!   new), one that it gave up is `removed`, one of a wider type `wider`; what derives from a recomputed column is
//!   recomputed.
//! - The rows of a table are *changed* when its own statement says so (a condition, join, grouping, set operation, limit, key,
//!   or a watermark where it has to do with time), when a column decides about rows that is recomputed, or when the rows of
//!   something that it reads are changed. Changed rows never become unchanged behind.
//! - Where the rows are changed, a key that both sides have is still comparable, but only in columns whose value follows
//!   from the key whatever the other rows are: everything that they are made of lies in rows that the table's key names,
//!   directly (a table's whole primary key is in it) or by the equalities of inner joins. All other columns are recomputed.
//! - In an append table whose rows are changed, rows are matched as they are: its columns keep their classes.

use std::collections::{BTreeMap, BTreeSet};

use super::super::cascade::{Classes, Rows};
use super::super::document::Role;
use super::super::estate::{Estate, Table};
use super::super::graph::Graph;
use super::super::impact::Impact;
use super::super::parity::{self, Known, Made};
use super::own::Own;
use crate::model::parity::{ChangeRule, ColumnClass, RowRule};
use crate::sql::{self, Lineage, Operator, OperatorUse, UseKind};

/// What green is held against, by table.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Class of every column.
    pub classes: Classes,
    /// Which rows must be there.
    pub rows: Rows,
    /// Tables whose watermark, or that of something they show, is another one.
    retimed: BTreeSet<String>,
}

/// The claims for everything that becomes green. `own` is what the changed tables' statements say otherwise.
pub fn claims(blue: &Estate, base: &Estate, graph: &Graph<'_>, impact: &Impact, own: &BTreeMap<String, Own>) -> Claims {
    let mut claims = Claims::default();
    let mut known = Known::new(base);
    for table in graph.order().filter_map(|name| base.tables.get(name)) {
        if !impact.reaches(&table.name) {
            known.add(table, false, &[]);
            continue;
        }
        let nothing = Own::default();
        let one = One { blue, base, table, own: own.get(&table.name).unwrap_or(&nothing) };
        one.add(&mut claims, &mut known);
    }
    claims
}

/// One table on its turn.
struct One<'a> {
    blue: &'a Estate,
    base: &'a Estate,
    table: &'a Table,
    own: &'a Own,
}

impl One<'_> {
    fn add(&self, claims: &mut Claims, known: &mut Known<'_>) {
        let name = &self.table.name;
        // A view hands on the time of what it shows; a table has a time of its own.
        let shows = |read: &String| self.table.role == Role::View && claims.retimed.contains(read);
        if self.own.retimed || self.table.reads.iter().any(shows) {
            claims.retimed.insert(name.clone());
        }
        // What is recomputed decides about rows, and is no class of every column here.
        let made = known.look(self.table, |class| !matches!(class, ColumnClass::Changed { .. }));
        let mut classes = made.as_ref().map_or_else(|| self.by_reading(), |made| self.by_query(made));
        let why = self.rows(made.as_ref(), &classes, claims);
        if let (Some(_), Some(made), Role::Written) = (&why, &made, self.table.role) {
            self.follow_the_key(made, &mut classes, claims);
        }
        self.derive(&mut classes);
        for column in &self.own.removed {
            classes.insert(column.clone(), ColumnClass::Changed { rule: ChangeRule::Removed });
        }
        known.put(self.table, classes.clone(), made.map_or(ColumnClass::Exact, |made| made.rows));
        claims.classes.insert(name.clone(), classes);
        if let Some(why) = why {
            claims.rows.insert(name.clone(), RowRule::Changed { why });
        }
    }

    /// Columns of a reader table: what the records hold, read as before where nothing else is said.
    fn by_reading(&self) -> BTreeMap<String, ColumnClass> {
        let columns = self.table.defined().map(|create| create.schema()).unwrap_or_default();
        columns.into_iter().map(|c| (c.name.clone(), self.declared(&c.name).unwrap_or(ColumnClass::Exact))).collect()
    }

    /// Computed columns of the DDL: made of the table's own columns when it is read.
    fn derive(&self, classes: &mut BTreeMap<String, ColumnClass>) {
        let computed = parity::computed(self.table, classes, |name| self.declared(name));
        classes.extend(computed);
    }

    /// The class of a column that the statement itself changes.
    fn declared(&self, column: &str) -> Option<ColumnClass> {
        let rule = if self.own.added.iter().any(|added| added == column) {
            match self.table.role {
                // A record that was written before the column was there has none.
                Role::Reader => ChangeRule::NewColumn { default: serde_json::Value::Null, nullable: true },
                Role::Written | Role::View => ChangeRule::Computed { nullable: self.nullable(column) },
            }
        } else if self.own.remade.contains(column) {
            ChangeRule::Recomputed
        } else if self.own.wider.contains(column) {
            ChangeRule::Wider
        } else {
            return None;
        };
        Some(ColumnClass::Changed { rule })
    }

    fn nullable(&self, column: &str) -> bool {
        let columns = self.table.defined().map(|create| create.schema()).unwrap_or_default();
        columns.iter().find(|c| c.name == column).is_none_or(|c| c.ty.nullable)
    }

    fn by_query(&self, made: &Made) -> BTreeMap<String, ColumnClass> {
        let made = parity::of_rows(&made.rows, &made.columns);
        let made = made.map(|(name, class)| (self.declared(&name).unwrap_or(class), name));
        let mut out: BTreeMap<String, ColumnClass> = made.map(|(class, name)| (name, class)).collect();
        // Columns that the INSERT leaves out.
        for column in self.table.defined().map(|create| create.physical()).unwrap_or_default() {
            let class = self.declared(&column.name).unwrap_or(ColumnClass::Exact);
            out.entry(column.name).or_insert(class);
        }
        out
    }

    /// Why the rows are changed, if they are.
    fn rows(&self, made: Option<&Made>, classes: &BTreeMap<String, ColumnClass>, claims: &Claims) -> Option<String> {
        if let Some(why) = &self.own.rows {
            return Some(why.clone());
        }
        let Made { lineage, operators, .. } = made?;
        if self.own.repeated && (self.table.append() || !operators.iter().all(row_by_row)) {
            return Some("JOIN".to_owned());
        }
        // What goes by time may do so before or behind the change only.
        if let Some(input) = self.table.reads.iter().find(|r| claims.retimed.contains(*r)) {
            let before = self.blue.tables.get(&self.table.name).map(|old| parity::operators(self.blue, old));
            if let Some(timed) = operators.iter().chain(before.iter().flatten()).find(|o| is_timed(o)) {
                return Some(format!("the watermark of {input}, and {}", timed.kind.name()));
            }
        }
        let key = self.table.key();
        if let Some(column) = key.iter().find(|k| classes.get(*k).is_some_and(remade)) {
            return Some(format!("the key {column} is recomputed"));
        }
        let decides = |used: &&sql::ColumnUse| {
            let table = self.base.logical.get(&used.table)?;
            let class = claims.classes.get(table)?.get(&used.column)?;
            remade(class).then(|| format!("{table}.{} decides about rows", used.column))
        };
        let by_column = lineage.rows.iter().find_map(|used| decides(&used));
        let by_input =
            || self.table.reads.iter().find(|r| claims.rows.contains_key(*r)).map(|r| format!("those of {r} are"));
        by_column.or_else(by_input)
    }

    /// Where rows are changed, only columns whose value follows from the key are comparable.
    fn follow_the_key(&self, made: &Made, classes: &mut BTreeMap<String, ColumnClass>, claims: &Claims) {
        let key = self.table.key();
        let Some(query) = self.table.query().filter(|_| !key.is_empty()) else { return };
        let lineage = sql::lineage(query, &self.base.catalog);
        let now = Named::new(self.base, self.table, &lineage, claims);
        // A statement that was changed must have said the same of the column before.
        let before = self.blue.tables.get(&self.table.name).and_then(|old| {
            let lineage = sql::lineage(old.query()?, &self.blue.catalog);
            let named = Named::new(self.blue, old, &lineage, claims);
            Some((named, parity::targets(old, &lineage.outputs), lineage))
        });
        let followed_before = |name: &String, output: &sql::OutputColumn| {
            let (named, names, lineage) = before.as_ref()?;
            let old = lineage.outputs.get(names.iter().position(|n| n == name)?)?;
            Some(named.follows(old) && named.sources(old) == now.sources(output))
        };
        for ((name, own), output) in made.columns.iter().zip(&lineage.outputs) {
            let Some(class) = classes.get_mut(name).filter(|_| !key.contains(name)) else { continue };
            if matches!(class, ColumnClass::Changed { .. } | ColumnClass::Volatile { .. }) {
                continue;
            }
            *class = if now.follows(output) && followed_before(name, output) == Some(true) {
                own.clone()
            } else {
                ColumnClass::Changed { rule: ChangeRule::Recomputed }
            };
        }
    }
}

/// True for a class without a yardstick in blue.
fn remade(class: &ColumnClass) -> bool {
    matches!(
        class,
        ColumnClass::Changed {
            rule: ChangeRule::Recomputed | ChangeRule::Computed { .. } | ChangeRule::NewColumn { .. }
        }
    )
}

/// True for an operator that makes each row of one row of each source, and looks at no others. `EXISTS` does: as a value it
/// leaves no trace of what it looks at.
fn row_by_row(operator: &OperatorUse) -> bool {
    matches!(
        operator.kind,
        Operator::Filter
            | Operator::RegularJoin
            | Operator::Lateral
            | Operator::Unnest
            | Operator::NonDeterministicFunction(_)
    )
}

fn is_timed(operator: &OperatorUse) -> bool {
    let ranks = matches!(operator.kind, Operator::TopN { .. } | Operator::Deduplication { .. });
    ranks || parity::by_event_time(&operator.kind)
}

/// The tables of which a table's key names the row.
struct Named<'a> {
    estate: &'a Estate,
    /// Physical names.
    tables: BTreeSet<String>,
    /// Every operator on the way, those of views included, goes row by row.
    row_by_row: bool,
    /// Rows of different branches come together: the key does not say from which a row is.
    merged: bool,
}

impl<'a> Named<'a> {
    fn new(estate: &'a Estate, table: &Table, lineage: &Lineage, claims: &Claims) -> Self {
        let Reach { operators, once, .. } = Reach::of(estate, table);
        let merged = operators.iter().any(|o| matches!(o.kind, Operator::UnionAll | Operator::SetOperation));
        let mut named = Self { estate, tables: BTreeSet::new(), row_by_row: operators.iter().all(row_by_row), merged };
        let exact = |place: &(String, String)| {
            let class = estate.logical.get(&place.0).and_then(|t| claims.classes.get(t)).and_then(|c| c.get(&place.1));
            class.is_none_or(|class| *class == ColumnClass::Exact)
        };
        // Columns that the key, or a row that is named already, holds.
        let mut known: BTreeSet<(String, String)> = BTreeSet::new();
        let key = table.key();
        for (name, output) in parity::targets(table, &lineage.outputs).iter().zip(&lineage.outputs) {
            if key.contains(name)
                && let [only] = named.own(output).as_slice()
                && only.kind == UseKind::Direct
            {
                known.insert((only.table.clone(), only.column.clone()));
            }
        }
        let inputs: Vec<&Table> = once
            .iter()
            .filter(|(_, once)| **once)
            .filter_map(|(physical, _)| estate.tables.get(estate.logical.get(*physical)?))
            .collect();
        loop {
            let before = (named.tables.len(), known.len());
            for input in &inputs {
                let physical = &input.deployed.physical;
                let key = input.key();
                let whole = key.iter().all(|k| known.contains(&(physical.clone(), k.clone())));
                if !key.is_empty() && whole {
                    named.tables.insert(physical.clone());
                }
            }
            for [left, right] in &lineage.equal {
                for (one, other) in [(left, right), (right, left)] {
                    let held = named.tables.contains(&one.0) || known.contains(one);
                    // Of a table that is read twice nobody knows which row the pair is about.
                    if held && once.get(one.0.as_str()) == Some(&true) && exact(one) {
                        known.insert(other.clone());
                    }
                }
            }
            if before == (named.tables.len(), known.len()) {
                return named;
            }
        }
    }

    /// Uses of tables; what is behind a view counts, the view itself does not.
    fn own<'u>(&self, output: &'u sql::OutputColumn) -> Vec<&'u sql::ColumnUse> {
        let is_view = |used: &&sql::ColumnUse| {
            let table = self.estate.logical.get(&used.table).and_then(|t| self.estate.tables.get(t));
            table.is_some_and(|t| t.role == Role::View)
        };
        output.uses.iter().filter(|used| !is_view(used)).collect()
    }

    /// Where the value comes from, by logical names.
    fn sources(&self, output: &sql::OutputColumn) -> BTreeSet<(String, String)> {
        let logical = |physical: &String| self.estate.logical.get(physical).unwrap_or(physical).clone();
        self.own(output).into_iter().map(|used| (logical(&used.table), used.column.clone())).collect()
    }

    /// True when the value follows from the key, whatever other rows there are.
    fn follows(&self, output: &sql::OutputColumn) -> bool {
        let own = self.own(output);
        let named = |used: &&sql::ColumnUse| self.tables.contains(&used.table);
        if self.merged {
            return false;
        }
        if self.row_by_row {
            return own.iter().all(|used| named(used) && matches!(used.kind, UseKind::Direct | UseKind::Computed));
        }
        // An aggregate without columns, such as COUNT(*), leaves no trace in an expression: only what is passed on is sure.
        matches!(own.as_slice(), [only] if only.kind == UseKind::Direct && named(only))
    }
}

/// What is on the way from a table's query to the tables behind it, views looked through.
#[derive(Default)]
struct Reach<'a> {
    operators: Vec<OperatorUse>,
    /// Tables by physical name, and whether they are read once only.
    once: BTreeMap<&'a str, bool>,
    views: BTreeSet<&'a str>,
    /// Views that were met more than once.
    more: BTreeSet<&'a str>,
}

impl<'a> Reach<'a> {
    fn of(estate: &'a Estate, table: &'a Table) -> Self {
        let mut reach = Self::default();
        let mut next = vec![(table, Times::Once)];
        while let Some((table, times)) = next.pop() {
            reach.operators.extend(parity::operators(estate, table));
            for read in table.reads.iter().filter_map(|name| estate.tables.get(name)) {
                let again = times == Times::More || table.repeated.contains(&read.name);
                if read.role != Role::View {
                    let physical = read.deployed.physical.as_str();
                    let seen = reach.once.contains_key(physical);
                    reach.once.insert(physical, !seen && !again);
                    continue;
                }
                // A view that is met a second time: everything behind it is read again, and it is not met a third time.
                let seen = !reach.views.insert(&read.name);
                if !seen || reach.more.insert(&read.name) {
                    next.push((read, if seen || again { Times::More } else { Times::Once }));
                }
            }
        }
        reach
    }
}

/// How often something is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    More,
}
