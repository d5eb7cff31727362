//! What a change may not do by itself, and where texts no longer fit: each a diagnostic that names the way out.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::Role;
use super::super::estate::{Estate, Table};
use super::super::impact::Impact;
use super::super::meaning::OWN_IDS;
use super::super::parity;
use super::super::project::placed;
use super::own::{Own, TypeChange, type_change};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::Nullable;
use crate::model::manifest::Manifest;
use crate::model::name;
use crate::sql::{self, ColumnKind, CreateTable, Reader, UseKind, code};

/// What stands in the way of changing these tables.
pub fn tables(
    blue: &Estate,
    base: &Estate,
    deployed: &Manifest,
    own: &BTreeMap<String, Own>,
    files: &BTreeMap<String, String>,
) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for (name, own) in own {
        let (Some(old), Some(new)) = (blue.tables.get(name), base.tables.get(name)) else { continue };
        let mut found = Vec::new();
        let sinks: Vec<&str> =
            deployed.connectors.iter().filter(|(_, c)| c.table == *name).map(|(name, _)| name.as_str()).collect();
        options(old, new, &mut found);
        key(old, new, &mut found);
        types(old, new, &mut found);
        destination(old, new, own, &sinks, &mut found);
        all.extend(found.into_iter().map(|problem| placed(problem, &new.deployed.ddl, files)));
    }
    all
}

/// True when a table became something else: a view, or one that a statement writes.
pub fn role(old: &Table, new: &Table, files: &BTreeMap<String, String>) -> Option<Diagnostic> {
    let word = |role: Role| match role {
        Role::Reader => "a table that no statement writes",
        Role::Written => "a table that a statement writes",
        Role::View => "a view",
    };
    (old.role != new.role).then(|| {
        let text = format!("`{}` was {} and is {} now", old.name, word(old.role), word(new.role));
        let problem = Diagnostic::error("C314", text)
            .in_file(&new.deployed.ddl_file)
            .at(new.ddl.span, "this one")
            .help("give it another name: it is another table");
        placed(problem, &new.deployed.ddl, files)
    })
}

/// Options that are more than a setting of the job.
fn options(old: &Table, new: &Table, found: &mut Vec<Diagnostic>) {
    let (Some(before), Some(after)) = (old.create(), new.create()) else { return };
    let keys: BTreeSet<&str> = before.options.iter().chain(&after.options).map(|o| o.key.as_str()).collect();
    for key in keys.into_iter().filter(|key| !OWN_IDS.contains(key)) {
        let value = |create: &CreateTable| create.option(key).map(|o| o.value.clone());
        let (was, is) = (value(before), value(after));
        let same = match (key, new.role) {
            ("topic", Role::Written) => {
                was.as_deref().map(|v| name::split(v).0) == is.as_deref().map(|v| name::split(v).0)
            }
            _ => was == is,
        };
        if same || allowed(key, is.as_deref(), new.role) {
            continue;
        }
        let shown = |value: &Option<String>| value.as_ref().map_or("nothing".to_owned(), |v| format!("'{v}'"));
        let text = format!("option '{key}' of `{}` is changed from {} to {}", new.name, shown(&was), shown(&is));
        let place = after.option(key).map(|o| o.value_span).or(after.options_span).unwrap_or(after.name.span);
        let help = match (key, new.role) {
            ("topic", Role::Reader) => {
                "another topic is another history: make a new reader table for it, and let statements read that"
            }
            ("topic", _) => {
                "a table keeps its topic's name, its generations get a suffix: make a new table for another topic"
            }
            _ => "green could not be compared with blue: make a new table, or leave the option as it is deployed",
        };
        found
            .push(Diagnostic::error("C303", text).in_file(&new.deployed.ddl_file).at(place, "changed here").help(help));
    }
}

/// Options that say how a job reads or writes, and not what.
fn allowed(key: &str, value: Option<&str>, role: Role) -> bool {
    match role {
        Role::Reader => key == "scan.startup.mode" && value == Some("earliest-offset"),
        Role::Written | Role::View => {
            ["sink.", "scan.", "properties."].iter().any(|kind| key.starts_with(kind))
                && key != "properties.bootstrap.servers"
        }
    }
}

fn key(old: &Table, new: &Table, found: &mut Vec<Diagnostic>) {
    if new.role != Role::Written || old.key() == new.key() {
        return;
    }
    let listed = |key: Vec<String>| if key.is_empty() { "none".to_owned() } else { key.join(", ") };
    let text =
        format!("the primary key of `{}` is changed from {} to {}", new.name, listed(old.key()), listed(new.key()));
    let place = new.create().map(|c| c.primary_key.as_ref().map_or(c.name.span, |k| k.span)).unwrap_or(new.ddl.span);
    found.push(
        Diagnostic::error("C304", text)
            .in_file(&new.deployed.ddl_file)
            .at(place, "another key")
            .help("no row of green could be compared with one of blue: make a new table with the new key"),
    );
}

fn types(old: &Table, new: &Table, found: &mut Vec<Diagnostic>) {
    let (Some(before), Some(after)) = (old.create(), new.create()) else { return };
    for column in &after.columns {
        let ColumnKind::Physical(is) = &column.kind else { continue };
        let was = before.columns.iter().find(|c| c.name.name == column.name.name).map(|c| &c.kind);
        let Some(ColumnKind::Physical(was)) = was else { continue };
        if type_change(&was.ty, &is.ty) == TypeChange::Other {
            let text = format!("column `{}` of `{}` is changed from {was} to {is}", column.name.name, new.name);
            found.push(
                Diagnostic::error("C307", text)
                    .in_file(&new.deployed.ddl_file)
                    .at(column.span, "values may be lost")
                    .help("add a column of the new type under a new name, and give the old one up in a later change"),
            );
        }
    }
}

/// What the sink connectors of a table cannot follow.
fn destination(old: &Table, new: &Table, own: &Own, sinks: &[&str], found: &mut Vec<Diagnostic>) {
    let (Some(before), Some(after), [sink, ..]) = (old.create(), new.create(), sinks) else { return };
    let required = |create: &CreateTable, name: &String| -> Option<Span> {
        let column = create.columns.iter().find(|c| c.name.name == *name)?;
        matches!(&column.kind, ColumnKind::Physical(Nullable { nullable: false, .. })).then_some(column.span)
    };
    for name in &own.added {
        if let Some(place) = required(after, name) {
            let text = format!("new column `{name}` of `{}` is NOT NULL, and connector `{sink}` writes it", new.name);
            found.push(
                Diagnostic::error("C308", text)
                    .in_file(&new.deployed.ddl_file)
                    .at(place, "NOT NULL")
                    .help("declare it nullable: after a roll back blue writes rows without it"),
            );
        }
    }
    for column in &after.columns {
        let was = before.columns.iter().find(|c| c.name.name == column.name.name).map(|c| &c.kind);
        let (Some(ColumnKind::Physical(was)), ColumnKind::Physical(is)) = (was, &column.kind) else { continue };
        if matches!(type_change(&was.ty, &is.ty), TypeChange::Wider | TypeChange::Finer) {
            let name = &column.name.name;
            let text = format!("column `{name}` of `{}` is {} now, and connector `{sink}` writes it", new.name, is.ty);
            found.push(
                Diagnostic::warning("C316", text).in_file(&new.deployed.ddl_file).at(column.span, "wider").help(
                    "widen it in the destination before the promotion: a connector adds columns and changes none",
                ),
            );
        }
    }
    for name in &own.removed {
        if required(before, name).is_some() {
            let text = format!(
                "column `{name}` of `{}` was NOT NULL, and connector `{sink}` writes rows without it",
                new.name
            );
            found.push(
                Diagnostic::error("C308", text)
                    .in_file(&new.deployed.ddl_file)
                    .help("declare it nullable first and roll that out: its destination would take no new row"),
            );
        } else {
            let text = format!(
                "column `{name}` of `{}` is given up: its destination keeps what connector `{sink}` wrote last",
                new.name
            );
            found.push(
                Diagnostic::warning("C309", text)
                    .in_file(&new.deployed.ddl_file)
                    .help("drop the column there once nobody reads it, after the soak"),
            );
        }
    }
}

/// Texts that no longer fit: a column that is gone, more or fewer columns than there is room for, a type too narrow.
pub fn texts(
    blue: &Estate,
    base: &Estate,
    impact: &Impact,
    own: &BTreeMap<String, Own>,
    files: &BTreeMap<String, String>,
) -> Vec<Diagnostic> {
    let gone: BTreeMap<&str, BTreeSet<&str>> =
        own.iter().map(|(table, own)| (table.as_str(), own.removed.iter().map(String::as_str).collect())).collect();
    let mut all = Vec::new();
    for new in impact.green.iter().filter_map(|name| base.tables.get(name)) {
        let Some(query) = new.query() else { continue };
        let mut found = Vec::new();
        let lineage = sql::lineage(query, &base.catalog);
        missing(base, new, &lineage, &gone, &mut found);
        let names: Vec<&str> = lineage.outputs.iter().map(|output| output.name.as_str()).collect();
        room(new, query, &names, &mut found);
        widths(blue, base, new, &lineage, &mut found);
        all.extend(found.into_iter().map(|problem| placed(problem, new.query_text(), files)));
    }
    all
}

/// Queries that give more or fewer columns than there is room for, in a project as it is. Left alone is what cannot be
/// counted: a table that takes columns from one that nobody defines, PARTITION without values, and all columns of a table whose columns are
/// not known.
pub fn rooms(estate: &Estate, reader: &mut Reader<'_>, files: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for table in estate.tables.values() {
        let Some(query) = table.query() else { continue };
        let open = table.create().is_some() && table.known(estate).is_none();
        let takes_some = table.insert().is_some_and(|insert| !insert.columns.is_empty());
        let dynamic = |insert: &sql::Insert| insert.partition.iter().any(|(_, value)| value.is_none());
        if table.insert().is_some_and(dynamic) || (open && !takes_some) {
            continue;
        }
        let mut found = Vec::new();
        let outline = reader.outline(query);
        let names: Vec<&str> = outline.columns.iter().map(|(name, _)| name.as_str()).collect();
        room(table, query, &names, &mut found);
        all.extend(found.into_iter().map(|problem| placed(problem, table.query_text(), files)));
    }
    all
}

/// A column that a statement names and that its inputs gave up.
fn missing(
    base: &Estate,
    table: &Table,
    lineage: &sql::Lineage,
    gone: &BTreeMap<&str, BTreeSet<&str>>,
    found: &mut Vec<Diagnostic>,
) {
    for note in lineage.notes.iter().filter(|note| note.code == code::UNKNOWN_COLUMN) {
        let Some(place) = note.labels.first().map(|label| label.span) else { continue };
        let written = place.of(table.query_text());
        let column = written.rsplit('.').next().unwrap_or(written).trim_matches('`');
        // It may be handed on by views: whoever gave it up is named.
        let owner = gone.iter().find(|(owner, columns)| columns.contains(column) && reaches(base, table, owner));
        let Some((owner, _)) = owner else { continue };
        let text = format!("`{}` uses column `{column}`, which `{owner}` no longer has", table.name);
        found.push(
            Diagnostic::error("C305", text)
                .in_file(table.query_file())
                .at(place, "given up by the change")
                .help(format!("take it out here as well, or keep it in `{owner}`")),
        );
    }
}

/// True when the table reads `owner`, directly or through views.
fn reaches(base: &Estate, table: &Table, owner: &str) -> bool {
    table.reads.iter().any(|read| {
        read == owner || base.tables.get(read).is_some_and(|read| read.role == Role::View && reaches(base, read, owner))
    })
}

/// A query that gives more or fewer columns than its table or view has room for; `names` are those that it gives.
fn room(table: &Table, query: &sql::Query, names: &[&str], found: &mut Vec<Diagnostic>) {
    let is_view_without_list = table.view().is_some_and(|view| view.columns.is_empty());
    let unknown = names.contains(&"*");
    // Only a view without a list takes what its query gives.
    let mut targets = parity::targets(table, &[]);
    if let Some(insert) = table.insert().filter(|insert| insert.columns.is_empty()) {
        // PARTITION gives them apart.
        targets.retain(|target| insert.partition.iter().all(|(column, _)| column.name != *target));
    }
    let (given, taken) = (names.len(), targets.len());
    if is_view_without_list || unknown || given == taken {
        return;
    }
    let star = first_star(&query.body);
    let columns = if given == 1 { "column" } else { "columns" };
    let text = format!("the query of `{}` gives {given} {columns}, and `{0}` takes {taken}", table.name);
    let help = match star {
        Some(_) => "`SELECT *` follows what it reads: list the columns, or give the table the new ones as well",
        None => "list as many columns as the table has",
    };
    found.push(
        Diagnostic::error("C306", text)
            .in_file(table.query_file())
            .at(star.unwrap_or(query.span), if star.is_some() { "all columns of its sources" } else { "this query" })
            .help(help),
    );
}

fn first_star(body: &sql::QueryBody) -> Option<Span> {
    match body {
        sql::QueryBody::Select(select) => select.items.iter().find_map(|item| match item {
            sql::SelectItem::Wildcard { span, .. } => Some(*span),
            sql::SelectItem::Expr { .. } => None,
        }),
        sql::QueryBody::Nested(query) => first_star(&query.body),
        sql::QueryBody::SetOperation { first, .. } => first_star(first),
        sql::QueryBody::Values { .. } | sql::QueryBody::Table(_) => None,
    }
}

/// A column that is passed on as it is and no longer fits the type of the column that it fills.
fn widths(blue: &Estate, base: &Estate, table: &Table, lineage: &sql::Lineage, found: &mut Vec<Diagnostic>) {
    let declared = |estate: &Estate, physical: &str, column: &str| -> Option<Nullable> {
        let table = estate.tables.get(estate.logical.get(physical)?)?;
        table.create()?.physical().into_iter().find(|c| c.name == column).map(|c| c.ty)
    };
    for (name, output) in parity::targets(table, &lineage.outputs).iter().zip(&lineage.outputs) {
        let [only] = output.uses.as_slice() else { continue };
        if only.kind != UseKind::Direct {
            continue;
        }
        let was = declared(blue, &only.table, &only.column);
        let is = declared(base, &only.table, &only.column);
        let fills = declared(base, &table.deployed.physical, name);
        let (Some(was), Some(is), Some(fills)) = (was, is, fills) else { continue };
        if type_change(&was.ty, &is.ty) == TypeChange::Wider && type_change(&fills.ty, &is.ty) == TypeChange::Wider {
            let text = format!("column `{name}` of `{}` is {fills}, and is filled with {is} now", table.name);
            found.push(
                Diagnostic::error("C307", text)
                    .in_file(table.query_file())
                    .at(output.span, "wider than the column that it fills")
                    .help(format!(
                        "declare `{name}` of `{}` as {} in the same change, or write a CAST here",
                        table.name, is.ty
                    )),
            );
        }
    }
}
