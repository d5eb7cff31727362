//! A manifest with its statements parsed: what planning works on.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::model::manifest::{DeployedTable, Manifest};
use crate::sql::{
    self, Catalog, CreateTable, CreateView, Definitions, Insert, ObjectName, Query, Statement, StatementKind,
};

use super::document::Role;
use super::project::placed;
use super::start::DUPLICATE_EVENTS;

/// Every table and view of a manifest, parsed.
#[derive(Clone, Debug)]
pub struct Estate {
    /// By logical name.
    pub tables: BTreeMap<String, Table>,
    /// Logical name by physical name.
    pub logical: BTreeMap<String, String>,
    /// What the statements define, by physical name.
    pub known: Definitions,
    /// The columns of that, for lineage.
    pub catalog: Catalog,
    /// The session's setting that makes jobs forget state after a time, if there is one.
    pub ttl: Option<String>,
}

/// The setting that says after how long a job forgets state that no window or interval ends.
const STATE_TTL: &str = "table.exec.state.ttl";

impl Estate {
    /// The same for jobs with these session settings.
    pub fn run_with(mut self, settings: &BTreeMap<String, String>) -> Self {
        let set = settings.get(STATE_TTL).filter(|value| is_some_time(value));
        self.ttl = set.map(|value| format!("state is forgotten after {value}: {STATE_TTL}"));
        self.known = self.known.with_duplicates(settings.get(DUPLICATE_EVENTS).is_some_and(|value| value == "true"));
        self
    }
}

/// True for a duration that is not zero, as Flink writes them: `36 h`, `0 ms`.
pub(super) fn is_some_time(duration: &str) -> bool {
    duration.chars().any(|c| ('1'..='9').contains(&c))
}

/// One table or view, parsed.
#[derive(Clone, Debug)]
pub struct Table {
    /// Logical name.
    pub name: String,
    /// As deployed.
    pub deployed: DeployedTable,
    /// Role.
    pub role: Role,
    /// Its DDL.
    pub ddl: Statement,
    /// Its `CREATE TABLE` with what it takes over by `LIKE`, if it takes over anything. Places in that are those of other texts.
    pub whole: Option<CreateTable>,
    /// Its INSERT.
    pub dml: Option<Statement>,
    /// Logical names of what it reads, each once.
    pub reads: BTreeSet<String>,
    /// What it reads more than once in the same statement, a CTE that is used twice included.
    pub repeated: BTreeSet<String>,
}

impl Table {
    /// Its `CREATE TABLE` with all of its columns; `None` where it takes over from a table that the project does not define.
    pub fn known<'a>(&'a self, estate: &'a Estate) -> Option<&'a CreateTable> {
        let mut last = self.create()?;
        for _ in 0..=estate.tables.len() {
            let Some(like) = &last.like else { return self.defined() };
            last = estate.tables.get(estate.logical.get(&like.table.last().name)?)?.create()?;
        }
        None
    }

    /// Its `CREATE TABLE`, if it is not a view.
    pub fn create(&self) -> Option<&CreateTable> {
        match &self.ddl.kind {
            StatementKind::CreateTable(create) => Some(create),
            _ => None,
        }
    }

    /// The same with what it takes over by `LIKE`: what the table is, for who asks of no place in its text.
    pub fn defined(&self) -> Option<&CreateTable> {
        self.whole.as_ref().or_else(|| self.create())
    }

    /// Its `CREATE VIEW`, if it is one.
    pub fn view(&self) -> Option<&CreateView> {
        match &self.ddl.kind {
            StatementKind::CreateView(view) => Some(view),
            _ => None,
        }
    }

    /// Its INSERT.
    pub fn insert(&self) -> Option<&Insert> {
        match &self.dml.as_ref()?.kind {
            StatementKind::Insert(insert) => Some(insert),
            _ => None,
        }
    }

    /// The query that says what is in it.
    pub fn query(&self) -> Option<&Query> {
        self.insert().map(|i| &i.query).or_else(|| self.view().map(|v| &v.query))
    }

    /// The text that its query stands in.
    pub fn query_text(&self) -> &str {
        match self.role {
            Role::View => &self.deployed.ddl,
            Role::Reader | Role::Written => self.deployed.dml.as_deref().unwrap_or(""),
        }
    }

    /// Path of the file that its query stands in.
    pub fn query_file(&self) -> &str {
        match self.role {
            Role::Written => self.deployed.dml_file.as_deref().unwrap_or(&self.deployed.ddl_file),
            Role::View | Role::Reader => &self.deployed.ddl_file,
        }
    }

    /// Columns of its primary key.
    pub fn key(&self) -> Vec<String> {
        let key = self.defined().and_then(|c| c.primary_key.as_ref());
        key.map(|k| k.columns.iter().map(|c| c.name.clone()).collect()).unwrap_or_default()
    }

    /// The value of one of its options.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.defined()?.option(key).map(|o| o.value.as_str())
    }

    /// The topic that it reads as Debezium's changelog, if it does.
    pub fn debezium_topic(&self) -> Option<&str> {
        let format = self.option("format").or_else(|| self.option("value.format"));
        let is_debezium = self.role == Role::Reader && format.is_some_and(|f| f.starts_with("debezium"));
        self.deployed.topic.as_deref().filter(|_| is_debezium)
    }

    /// True when its sink writes transactions.
    pub fn exactly_once(&self) -> bool {
        self.option("sink.delivery-guarantee") == Some("exactly-once")
    }

    /// True when every record of its topic is a row of its own.
    pub fn append(&self) -> bool {
        self.option("connector") == Some("kafka")
    }
}

/// Parses every statement of the manifest.
///
/// # Errors
/// A diagnostic for each statement that is not what the manifest says it is, and for each table that is read but not known.
pub fn read(manifest: &Manifest) -> Result<Estate, Vec<Diagnostic>> {
    read_of(manifest, None)
}

/// The same, with places in the `files` that the manifest is made of, by path.
///
/// # Errors
/// As [`read`].
pub fn read_of(manifest: &Manifest, files: Option<&BTreeMap<String, String>>) -> Result<Estate, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let place = |problem: Diagnostic, own: &str| match files {
        Some(files) => placed(problem, own, files),
        None => problem,
    };
    let logical: BTreeMap<String, String> =
        manifest.tables.iter().map(|(name, t)| (t.physical.clone(), name.clone())).collect();
    let mut tables = BTreeMap::new();
    let mut known = Definitions::default();
    for (name, deployed) in &manifest.tables {
        let mut single = |text: &str, file: &str| match self::single(text, file) {
            Ok(statement) => Some(statement),
            Err(found) => {
                problems.extend(found.into_iter().map(|problem| place(problem, text)));
                None
            }
        };
        let Some(ddl) = single(&deployed.ddl, &deployed.ddl_file) else { continue };
        let dml = match (&deployed.dml, &deployed.dml_file) {
            (Some(text), Some(file)) => match single(text, file) {
                Some(statement) => Some(statement),
                None => continue,
            },
            _ => None,
        };
        let role = match (&ddl.kind, &dml) {
            (StatementKind::CreateView(_), _) => Role::View,
            (_, Some(_)) => Role::Written,
            (_, None) => Role::Reader,
        };
        if !matches!(ddl.kind, StatementKind::CreateTable(_) | StatementKind::CreateView(_)) {
            let what = Diagnostic::error("C101", format!("{} is not a CREATE TABLE or CREATE VIEW", deployed.ddl_file));
            problems.push(place(what.in_file(&deployed.ddl_file).at(ddl.span, "this statement"), &deployed.ddl));
            continue;
        }
        if like(&ddl).is_none() {
            known.add(&ddl);
        }
        let source = if role == Role::View {
            Some((&ddl, &deployed.ddl_file, deployed.ddl.as_str()))
        } else {
            dml.as_ref()
                .zip(deployed.dml_file.as_ref())
                .map(|(dml, file)| (dml, file, deployed.dml.as_deref().unwrap_or_default()))
        };
        let mut reads = BTreeSet::new();
        let mut repeated = BTreeSet::new();
        if let Some((statement, file, own)) = source {
            for reference in sql::table_refs(statement) {
                let physical = &reference.name.last().name;
                match logical.get(physical) {
                    Some(read) if !reads.insert(read.clone()) || reference.scans > 1 => {
                        repeated.insert(read.clone());
                    }
                    Some(_) => {}
                    None => {
                        let text = format!("table `{physical}` is read here but the project does not define it");
                        let problem = Diagnostic::error("C102", text)
                            .in_file(file)
                            .at(reference.name.span, "not defined")
                            .help("add its CREATE TABLE under pipelines/, or correct the name");
                        problems.push(place(problem, own));
                    }
                }
            }
        }
        tables.insert(
            name.clone(),
            Table { name: name.clone(), deployed: deployed.clone(), role, ddl, whole: None, dml, reads, repeated },
        );
    }
    add_alike(&mut known, tables.values().map(|table| &table.ddl).filter(|ddl| like(ddl).is_some()).collect());
    for table in tables.values_mut().filter(|table| like(&table.ddl).is_some()) {
        table.whole = table.create().and_then(|create| known.table(&create.name)).cloned();
    }
    let catalog = known.catalog().clone();
    if problems.is_empty() { Ok(Estate { tables, logical, known, catalog, ttl: None }) } else { Err(problems) }
}

/// The table that a `CREATE TABLE` takes over from.
fn like(ddl: &Statement) -> Option<&ObjectName> {
    match &ddl.kind {
        StatementKind::CreateTable(create) => create.like.as_ref().map(|like| &like.table),
        _ => None,
    }
}

/// Adds tables, those that take over from others each behind that one.
pub(super) fn add_alike(known: &mut Definitions, mut left: Vec<&Statement>) {
    loop {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|ddl| like(ddl).is_none_or(|base| known.table(base).is_some()));
        // What is like a table that nobody defines, or like itself, has its own columns alone.
        let last = ready.is_empty();
        if last { &waiting } else { &ready }.iter().for_each(|ddl| known.add(ddl));
        if last {
            return;
        }
        left = waiting;
    }
}

/// The only statement of a text, or what is wrong with it.
fn single(text: &str, file: &str) -> Result<Statement, Vec<Diagnostic>> {
    let parsed = sql::parse(text);
    let errors = parsed.diagnostics().iter().filter(|d| d.severity == crate::diagnostic::Severity::Error);
    let errors: Vec<Diagnostic> = errors.map(|d| d.clone().in_file(file)).collect();
    match parsed.statements() {
        [one] if errors.is_empty() => Ok(one.clone()),
        [_] => Err(errors),
        other => {
            let text = format!("{file} holds {} statements where one is expected", other.len());
            Err(errors.into_iter().chain([Diagnostic::error("C103", text).in_file(file)]).collect())
        }
    }
}
