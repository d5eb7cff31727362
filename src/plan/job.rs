//! What a statement's session needs: every DDL that it reads, directly or through views. The environment's settings join
//! it when it starts: they may be secrets.
//!
//! Each table that is read gets a consumer group of the job attempt's own (`${CYANOTYPE_JOB}`), so that progress can be
//! told and a retry never looks finished; an exactly-once sink gets a transactional id prefix of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Role;
use super::estate::{Estate, Table};
use crate::diagnostic::Diagnostic;
use crate::model::job::{JobSpec, ReadTable};
use crate::sql;

/// The option that names a reader's consumer group.
pub(super) const GROUP: &str = "properties.group.id";
const CLIENT: &str = "client.id.prefix";
const TRANSACTION: &str = "sink.transactional-id-prefix";

/// The job that writes `table` in `estate`; `None` for a reader table or a view.
///
/// # Errors
/// A diagnostic when a text cannot be edited.
pub fn build(estate: &Estate, table: &Table) -> Result<Option<JobSpec>, Diagnostic> {
    let (Some(insert), Some(topic)) = (&table.deployed.dml, &table.deployed.topic) else { return Ok(None) };
    let mut needed = Vec::new();
    let mut repeated = table.repeated.clone();
    collect(estate, table, &mut needed, &mut repeated, &mut BTreeSet::new());
    let mut ddl = Vec::new();
    let mut reads = Vec::new();
    for read in needed {
        if read.role == Role::View {
            ddl.push(read.deployed.ddl.clone());
            continue;
        }
        let group = format!("${{CYANOTYPE_JOB}}.{}", read.deployed.physical);
        ddl.push(with_options(read, &[(GROUP, &group), (CLIENT, &group)])?);
        reads.push(ReadTable {
            table: read.deployed.physical.clone(),
            topic: read.deployed.topic.clone().unwrap_or_default(),
            group: (!repeated.contains(&read.name)).then_some(group),
        });
    }
    let own = if table.exactly_once() {
        with_options(table, &[(TRANSACTION, "${CYANOTYPE_JOB}")])?
    } else {
        table.deployed.ddl.clone()
    };
    ddl.push(own);
    Ok(Some(JobSpec {
        table: table.deployed.physical.clone(),
        settings: BTreeMap::new(),
        ddl,
        insert: insert.clone(),
        reads,
        topic: topic.clone(),
        exactly_once: table.exactly_once(),
    }))
}

/// What `table` reads, views after what they show; what is reached twice counts as repeated, with all that lies under it.
fn collect<'e>(
    estate: &'e Estate,
    table: &Table,
    needed: &mut Vec<&'e Table>,
    repeated: &mut BTreeSet<String>,
    seen: &mut BTreeSet<String>,
) {
    for name in &table.reads {
        let Some(read) = estate.tables.get(name) else { continue };
        let again = !seen.insert(name.clone());
        if again || repeated.contains(name) {
            repeat(estate, name, repeated);
        }
        if again {
            continue;
        }
        if read.role == Role::View {
            repeated.extend(read.repeated.iter().cloned());
            collect(estate, read, needed, repeated, seen);
        }
        needed.push(read);
    }
}

/// Notes that `name` is read more than once, and so is everything that it shows if it is a view.
fn repeat(estate: &Estate, name: &str, repeated: &mut BTreeSet<String>) {
    repeated.insert(name.to_owned());
    if let Some(view) = estate.tables.get(name).filter(|t| t.role == Role::View) {
        view.reads.iter().for_each(|read| repeat(estate, read, repeated));
    }
}

fn with_options(table: &Table, options: &[(&str, &str)]) -> Result<String, Diagnostic> {
    let Some(create) = table.create() else { return Ok(table.deployed.ddl.clone()) };
    let known =
        |key: &str| key != CLIENT || table.option("connector") == Some("kafka") && create.option(CLIENT).is_some();
    let mut edits = sql::EditSet::new(&table.deployed.ddl);
    for (key, value) in options.iter().filter(|(key, _)| known(key)) {
        edits.set_option(create, key, value);
    }
    edits.apply().map_err(|e| {
        Diagnostic::error("C130", format!("the DDL of `{}` cannot be edited: {e}", table.deployed.physical))
            .in_file(&table.deployed.ddl_file)
    })
}
