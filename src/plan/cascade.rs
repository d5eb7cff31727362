//! What every cascade has in common, whatever set it off: names, jobs, effects, contracts, connectors, and what people
//! read of it.
//!
//! `blue` is what is deployed, `base` the texts that green is made from: the same for an evolution, the changed files for
//! a change of statements. Both hold the tables under their deployed names.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Role, TablePlan};
use super::estate::{self, Estate, Table};
use super::graph::Graph;
use super::impact::Impact;
use super::input::PlanInput;
use super::{deploy, job, project, rewrite};
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::manifest::{DeployedTable, Manifest};
use crate::model::name::physical;
use crate::model::parity::{Changelog, ColumnClass, Hop, RowRule, TableContract};
use crate::model::work::Work;

/// Class of every column, by table.
pub type Classes = BTreeMap<String, BTreeMap<String, ColumnClass>>;

/// Which rows blue and green must have in common, by table; the same where nothing is said.
pub type Rows = BTreeMap<String, RowRule>;

/// A cascade on its way to a plan.
#[derive(Clone, Copy, Debug)]
pub struct Cascade<'a> {
    /// What is planned with.
    pub input: &'a PlanInput,
    /// What is deployed.
    pub blue: &'a Estate,
    /// What green is made from.
    pub base: &'a Estate,
    /// Dependencies of `base`.
    pub graph: &'a Graph<'a>,
    /// What becomes green.
    pub impact: &'a Impact,
}

impl Cascade<'_> {
    /// Green names by deployed ones, physical.
    pub fn names(&self) -> rewrite::Names {
        self.tables(self.base)
            .map(|t| (t.deployed.physical.clone(), physical(&t.name, t.deployed.version.next())))
            .collect()
    }

    /// The tables that become green, as `estate` has them, in dependency order.
    fn tables<'e>(&self, estate: &'e Estate) -> impl Iterator<Item = &'e Table> {
        self.impact.green.iter().filter_map(|name| estate.tables.get(name))
    }

    /// Moves every sink connector whose table becomes green; what people read of it.
    pub fn connectors(&self, after: &mut Manifest, warnings: &mut Vec<Diagnostic>) -> (Vec<Effect>, Vec<String>) {
        let before = &self.input.manifest;
        let mut moves = Vec::new();
        let mut lines = Vec::new();
        for (name, connector) in &before.connectors {
            if !self.impact.reaches(&connector.table) {
                continue;
            }
            let topic = |m: &Manifest| m.tables.get(&connector.table).and_then(|t| t.topic.clone()).unwrap_or_default();
            let (from, to) = (topic(before), topic(after));
            if from == to {
                // A reader table keeps its topic, and so does the connector that reads it.
                continue;
            }
            warnings.extend(project::inexact(name, &connector.config));
            let mut config = connector.config.clone();
            if let Some(topics) = config.get_mut("topics") {
                *topics = rewrite::next_name(topics);
            }
            lines.push(format!("{name}: {from} -> {to}"));
            moves.push(Effect::MoveConnector {
                name: name.clone(),
                before: connector.config.clone(),
                after: config.clone(),
                from,
                to,
            });
            if let Some(deployed) = after.connectors.get_mut(name) {
                deployed.config = config;
            }
        }
        (moves, lines)
    }

    /// What is carried out. `ancestors` are the tables whose jobs lie on the way to an output, blue's or green's.
    pub fn work(
        &self,
        moves: Vec<Effect>,
        classes: &Classes,
        rows: &Rows,
        ancestors: &BTreeSet<String>,
        after: &Manifest,
    ) -> Work {
        let (mut explains, mut topics, mut levels, mut starts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut contracts, mut cancels, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
        for blue in self.tables(self.blue) {
            let Some(green) = after.tables.get(&blue.name) else { continue };
            let (Some(job), Some(blue_topic), Some(green_topic)) = (&green.job, &blue.deployed.topic, &green.topic)
            else {
                continue;
            };
            explains.push(Effect::Explain { job: job.clone() });
            topics.push(Effect::CreateTopic {
                topic: green_topic.clone(),
                like: Some(blue_topic.clone()),
                partitions: self.input.policy.partitions,
                config: BTreeMap::new(),
            });
            for part in
                if blue.append() && blue.option("key.format").is_none() { &["value"][..] } else { &["key", "value"] }
            {
                levels.push(Effect::CopySubjectLevel {
                    subject: format!("{green_topic}-{part}"),
                    like: format!("{blue_topic}-{part}"),
                });
            }
            starts.push(Effect::StartJob { job: job.clone() });
            let mut contract = contract(blue, blue_topic, green_topic, classes, rows);
            if let Some(create) = self.base.tables.get(&blue.name).and_then(Table::create) {
                // What a reader computes is in no record.
                create.virtual_columns().for_each(|column| {
                    contract.columns.remove(column);
                });
            }
            contracts.push(contract);
            cancels.push(Effect::CancelJob { table: blue.deployed.physical.clone() });
            if self.input.policy.delete_blue_topics {
                deletes.push(Effect::DeleteTopic { topic: blue_topic.clone() });
            }
        }
        let mut staging = deploy::inspections(self.base, ancestors);
        staging.extend(explains);
        staging.extend(topics);
        staging.extend(levels);
        staging.extend(starts);
        let mut promoting = moves;
        let before = Box::new(self.input.manifest.clone());
        promoting.push(Effect::SetManifest { before, after: Box::new(after.clone()) });
        // Readers end before what they read.
        cancels.reverse();
        let mut retiring = cancels;
        retiring.extend(deletes);
        Work { staging, hops: self.hops(ancestors, after), contracts, promoting, retiring }
    }

    /// Every job from the inputs to the compared outputs, in green's dependency order: who waits looks at what jobs read.
    fn hops(&self, ancestors: &BTreeSet<String>, after: &Manifest) -> Vec<Hop> {
        self.graph
            .sorted(ancestors)
            .into_iter()
            .filter_map(|n| self.blue.tables.get(&n))
            .filter(|t| t.role == Role::Written)
            .map(|t| Hop {
                table: t.name.clone(),
                blue: Some(t.deployed.physical.clone()),
                green: self
                    .impact
                    .reaches(&t.name)
                    .then(|| after.tables.get(&t.name).map(|g| g.physical.clone()))
                    .flatten(),
            })
            .collect()
    }

    /// Every table that becomes green, for people; what only the cause knows is still empty.
    pub fn describe(&self, green: &Estate, classes: &Classes) -> Vec<TablePlan> {
        let one = |table: &Table| -> Option<TablePlan> {
            let name = &table.name;
            let (blue, green_table) = (self.blue.tables.get(name)?, green.tables.get(name)?);
            let (old, new): (&DeployedTable, &DeployedTable) = (&blue.deployed, &green_table.deployed);
            Some(TablePlan {
                table: name.clone(),
                role: table.role,
                from: Some(old.version),
                to: new.version,
                physical: new.physical.clone(),
                because: self.impact.because.get(name).cloned().unwrap_or_default(),
                shared: table.reads.iter().filter(|r| !self.impact.reaches(r)).cloned().collect(),
                added: Vec::new(),
                removed: Vec::new(),
                not_carried: BTreeMap::new(),
                ddl_file: new.ddl_file.clone(),
                ddl_before: Some(old.ddl.clone()),
                ddl_after: new.ddl.clone(),
                dml_file: new.dml_file.clone(),
                dml_before: old.dml.clone(),
                dml_after: new.dml.clone(),
                ddl_written: None,
                dml_written: None,
                state: deploy::state(self.base, table),
                start: deploy::start(green, green_table),
                columns: classes.get(name).cloned().unwrap_or_default(),
                rows: RowRule::Same,
            })
        };
        self.tables(self.base).filter_map(one).collect()
    }

    /// The manifest with the job of every green table, read again.
    ///
    /// # Errors
    /// Diagnostics when a green text cannot be read or edited.
    pub fn jobs(&self, after: &mut Manifest) -> Result<Estate, Vec<Diagnostic>> {
        let green = estate::read(after)?;
        for table in self.tables(&green) {
            let job = job::build(&green, table).map_err(|d| vec![d])?;
            if let Some(deployed) = after.tables.get_mut(&table.name) {
                deployed.job = job;
            }
        }
        Ok(green)
    }
}

fn contract(blue: &Table, blue_topic: &str, green_topic: &str, classes: &Classes, rows: &Rows) -> TableContract {
    let declared = |t: &Table| -> Vec<String> {
        let fields = t.option("key.fields").unwrap_or("");
        fields.split(';').map(str::trim).filter(|f| !f.is_empty()).map(str::to_owned).collect()
    };
    TableContract {
        table: blue.name.clone(),
        blue_topic: Some(blue_topic.to_owned()),
        green_topic: green_topic.to_owned(),
        changelog: if blue.append() { Changelog::Append } else { Changelog::Upsert },
        key: if blue.append() { declared(blue) } else { blue.key() },
        columns: classes.get(&blue.name).cloned().unwrap_or_default(),
        rows: rows.get(&blue.name).cloned().unwrap_or_default(),
    }
}

/// What the validator will not be able to prove, by the classes.
pub fn unproven(classes: &Classes) -> Vec<String> {
    let mut out = Vec::new();
    for (table, columns) in classes {
        for (column, class) in columns {
            match class {
                ColumnClass::Volatile { why } => out.push(format!("{table}.{column} is left out: {why}")),
                ColumnClass::History { why } | ColumnClass::EventTime { why } => {
                    out.push(format!("differences in {table}.{column} can be explained but not passed: {why}"));
                }
                _ => {}
            }
        }
    }
    out
}

/// Warns of tables that cannot be compared by key although they should.
pub fn warn_unproven(classes: &Classes, contracts: &[TableContract], warnings: &mut Vec<Diagnostic>) {
    for contract in contracts {
        let columns = classes.get(&contract.table);
        if contract.changelog == Changelog::Upsert && contract.key.is_empty() && columns.is_some() {
            warnings.push(Diagnostic::warning("C207", format!("table `{}` has no primary key", contract.table)));
        }
    }
}
