//! A project's files as a manifest: what would be deployed if nothing were.
//!
//! Layout: `pipelines/**/ddl.<table>.sql` and `dml.<table>.sql` (any `.sql` file will do, the statements decide), one or
//! more statements a file, and `connectors/*.json` with `{"name", "config"}`. Text stays as it is, comments included; a file
//! with several statements is cut between them.

use std::collections::BTreeMap;

use super::connector;
use super::estate::add_alike;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::manifest::{DeployedConnector, DeployedTable, Manifest};
use crate::model::sink::{self, Inexact};
use crate::model::{name, template};
use crate::sql::{self, Definitions, Statement, StatementKind};

/// A file of the project: path relative to it, with `/`, and text.
pub type File = (String, String);

/// What the files say. The manifest holds what could be read; `diagnostics` what could not.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Tables, views and connectors; topics and jobs not yet known.
    pub manifest: Manifest,
    /// Problems, errors first found first.
    pub diagnostics: Vec<Diagnostic>,
    /// Words of statements that could not be read, by file: what they may touch.
    pub unread: BTreeMap<String, Vec<String>>,
}

/// Reads the files. `vars` are the placeholders that are not secret.
pub fn read(files: &[File], vars: &BTreeMap<String, String>) -> Project {
    let mut project = Project::default();
    let mut inserts: Vec<Written> = Vec::new();
    let mut connectors: BTreeMap<String, String> = BTreeMap::new();
    let mut empty = Vec::new();
    for (path, text) in files {
        if path.ends_with(".json") {
            connector(path, text, &mut connectors, &mut project);
        } else if path.ends_with(".sql") {
            script(path, text, &mut project, &mut inserts, &mut empty);
        }
    }
    for Written { target, path, text, span } in inserts {
        let (logical, _) = name::split(&target);
        match project.manifest.tables.get_mut(logical) {
            Some(table) if table.dml.is_none() => {
                table.dml_file = Some(path);
                table.dml = Some(text);
            }
            Some(table) => {
                let other = elsewhere(table.dml_file.as_deref(), &path);
                project.diagnostics.push(
                    Diagnostic::error(
                        "C104",
                        format!("table `{target}` is written by two statements, here and {other}"),
                    )
                    .in_file(path)
                    .at(span, "written again")
                    .help("write it by one statement with UNION ALL"),
                );
            }
            None => project.diagnostics.push(
                Diagnostic::error("C105", format!("table `{target}` is written here but no file creates it"))
                    .in_file(path)
                    .at(span, "not created")
                    .help(format!("add ddl.{target}.sql with its CREATE TABLE")),
            ),
        }
    }
    empty_files(&mut project, &empty);
    resolve_topics(&mut project, vars, files);
    one_table_for_a_written_topic(&mut project);
    attach_connectors(&mut project, vars, &connectors);
    project
}

/// An INSERT: the table that it writes, the path of its file, its own text, and where in the file the table is named.
struct Written {
    target: String,
    path: String,
    text: String,
    span: Span,
}

/// Where the other statement is, for one in the file at `path`.
fn elsewhere(other: Option<&str>, path: &str) -> String {
    match other.unwrap_or_default() {
        other if other == path => "before in this file".to_owned(),
        other => format!("in {other}"),
    }
}

fn script(path: &str, text: &str, project: &mut Project, inserts: &mut Vec<Written>, empty: &mut Vec<String>) {
    let parsed = sql::parse(text);
    project.diagnostics.extend(parsed.diagnostics().iter().map(|d| d.clone().in_file(path)));
    let statements = parsed.statements();
    if statements.is_empty() && !broken(parsed.diagnostics()) {
        empty.push(path.to_owned());
    }
    for (i, statement) in statements.iter().enumerate() {
        let own = own_text(text, statements, i);
        match &statement.kind {
            StatementKind::CreateTable(create) => table(path, own, &create.name.last().name, statement, project),
            StatementKind::CreateView(view) => table(path, own, &view.name.last().name, statement, project),
            StatementKind::Insert(insert) if insert.overwrite => project.diagnostics.push(
                Diagnostic::error("C106", "INSERT OVERWRITE cannot run as a stream, and is not deployed by Cyanotype")
                    .in_file(path)
                    .at(statement.span, "this statement")
                    .help("write INSERT INTO"),
            ),
            StatementKind::Insert(insert) => {
                let (target, span) = (insert.target.last().name.clone(), insert.target.span);
                inserts.push(Written { target, path: path.to_owned(), text: own, span });
            }
            StatementKind::Unparsed { words, .. } => {
                project.unread.entry(path.to_owned()).or_default().extend(words.iter().map(|w| w.name.clone()));
            }
            other => project.diagnostics.push(
                Diagnostic::error("C106", format!("{} is not deployed by Cyanotype", describe(other)))
                    .in_file(path)
                    .at(statement.span, "this statement")
                    .help("keep CREATE TABLE, CREATE VIEW and INSERT under pipelines/; session settings belong into [env.<name>.flink.settings]"),
            ),
        }
    }
}

/// A file without a statement is told; one that by its name holds a table's INSERT would turn the table into a reader.
fn empty_files(project: &mut Project, empty: &[String]) {
    for path in empty {
        let file = path.rsplit('/').next().unwrap_or_default();
        let table = file.strip_prefix("dml.").and_then(|rest| rest.strip_suffix(".sql"));
        let unwritten = table.filter(|table| {
            let logical = name::split(table).0;
            project.manifest.tables.get(logical).is_some_and(|known| known.dml.is_none() && !is_view(&known.ddl))
        });
        let problem = match unwritten {
            Some(table) => {
                Diagnostic::error("C118", format!("{path} holds no statement, and nothing else writes table `{table}`"))
                    .help("write its INSERT; if the table is only read, remove the file")
            }
            None => Diagnostic::warning("C118", format!("{path} holds no statement"))
                .help("write its statement, or remove the file"),
        };
        project.diagnostics.push(problem.in_file(path));
    }
}

fn is_view(ddl: &str) -> bool {
    matches!(sql::parse(ddl).statements(), [Statement { kind: StatementKind::CreateView(_), .. }])
}

/// A statement's own text: the whole file when it stands alone, else from the end of the one before to its own end.
fn own_text(text: &str, statements: &[Statement], i: usize) -> String {
    if statements.len() == 1 {
        return text.to_owned();
    }
    let start = if i == 0 { 0 } else { statements.get(i - 1).map_or(0, |s| s.span.end) };
    let end = statements.get(i).map_or(text.len(), |s| s.span.end);
    text.get(start..end).unwrap_or("").trim_start_matches([';', '\n', '\r']).to_owned()
}

fn table(path: &str, text: String, physical: &str, statement: &Statement, project: &mut Project) {
    let (logical, version) = name::split(physical);
    if let Some(other) = project.manifest.tables.get(logical) {
        let other = elsewhere(Some(&other.ddl_file), path);
        let text = format!("table `{logical}` is created twice, here and {other}");
        project.diagnostics.push(
            Diagnostic::error("C107", text)
                .in_file(path)
                .at(statement.span, "created again")
                .help("keep one; earlier versions belong into git history"),
        );
        return;
    }
    project.manifest.tables.insert(
        logical.to_owned(),
        DeployedTable {
            version,
            physical: physical.to_owned(),
            ddl_file: path.to_owned(),
            ddl: text,
            dml_file: None,
            dml: None,
            topic: None,
            job: None,
        },
    );
}

/// The same, with places in the whole file: a statement's text is only a part of it where a file holds several. Without any
/// where the file does not hold the text as it stands.
pub fn placed(problem: Diagnostic, own: &str, files: &BTreeMap<String, String>) -> Diagnostic {
    let file = problem.file.as_ref().and_then(|path| files.get(path));
    placed_in(problem, own, file.map(String::as_str))
}

fn placed_in(mut problem: Diagnostic, own: &str, file: Option<&str>) -> Diagnostic {
    match file.and_then(|text| text.find(own)) {
        Some(before) => problem.labels.iter_mut().for_each(|label| {
            label.span = Span::new(label.span.start + before, label.span.end + before);
        }),
        None => problem.labels.clear(),
    }
    problem
}

fn resolve_topics(project: &mut Project, vars: &BTreeMap<String, String>, files: &[File]) {
    let of = |path: &str| files.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str());
    let parsed: Vec<sql::Parsed> = project.manifest.tables.values().map(|table| sql::parse(&table.ddl)).collect();
    let mut known = Definitions::default();
    add_alike(&mut known, parsed.iter().filter_map(|parsed| parsed.statements().first()).collect());
    for (table, parsed) in project.manifest.tables.values_mut().zip(&parsed) {
        let Some(Statement { kind: StatementKind::CreateTable(create), .. }) = parsed.statements().first() else {
            continue;
        };
        // What it takes over by `LIKE` is written in another text, and what is wrong with it is said there.
        let taken_over = known.table(&create.name).and_then(|whole| whole.option("topic"));
        if let (None, Some(option)) = (create.option("topic"), taken_over) {
            table.topic = template::resolve(&option.value, vars).ok();
            continue;
        }
        let problem = match create.option("topic") {
            Some(option) => match template::resolve(&option.value, vars) {
                Ok(topic) => {
                    table.topic = Some(topic);
                    continue;
                }
                Err(missing) => Diagnostic::error("C109", missing.to_string()).at(option.value_span, "used here"),
            },
            None => Diagnostic::error("C108", format!("table `{}` has no 'topic'", table.physical))
                .at(create.name.span, "this table")
                .help("only tables on Kafka can be deployed: 'connector' = 'kafka' or 'upsert-kafka' with a 'topic'"),
        };
        project.diagnostics.push(placed_in(problem.in_file(&table.ddl_file), &table.ddl, of(&table.ddl_file)));
    }
}

/// Who reads a written topic through a table of another name is not seen to depend on the statement that writes it, and
/// would go on reading blue's topic after blue is gone.
fn one_table_for_a_written_topic(project: &mut Project) {
    let mut by_topic: BTreeMap<&str, Vec<&DeployedTable>> = BTreeMap::new();
    for table in project.manifest.tables.values() {
        table.topic.as_deref().into_iter().for_each(|topic| by_topic.entry(topic).or_default().push(table));
    }
    for (topic, tables) in by_topic {
        let Some(writer) = tables.iter().find(|t| t.dml.is_some()) else { continue };
        for other in tables.iter().filter(|t| t.physical != writer.physical) {
            let text =
                format!("table `{}` has the topic {topic}, which `{}` is written to", other.physical, writer.physical);
            project.diagnostics.push(
                Diagnostic::error("C115", text)
                    .in_file(&other.ddl_file)
                    .help(format!("read `{}` instead, or give it a topic of its own", writer.physical)),
            );
        }
    }
}

fn connector(path: &str, text: &str, seen: &mut BTreeMap<String, String>, project: &mut Project) {
    match connector::read(path, text) {
        Ok(file) => {
            if let Some(other) = seen.insert(file.name.clone(), path.to_owned()) {
                let text = format!("connector `{}` is written twice, here and in {other}", file.name);
                let help = "give one of them another name, or remove it";
                project.diagnostics.push(Diagnostic::error("C117", text).in_file(path).help(help));
                // The one that came first is the one that is kept.
                seen.insert(file.name, other);
                return;
            }
            let connector = DeployedConnector { table: String::new(), config: file.config };
            project.manifest.connectors.insert(file.name, connector);
        }
        Err(problem) => project.diagnostics.push(problem),
    }
}

/// Finds the table whose topic each sink connector reads.
fn attach_connectors(project: &mut Project, vars: &BTreeMap<String, String>, files: &BTreeMap<String, String>) {
    let tables = &project.manifest.tables;
    let by_topic: BTreeMap<String, String> =
        tables.iter().filter_map(|(name, t)| t.topic.clone().map(|topic| (topic, name.clone()))).collect();
    for (name, connector) in &mut project.manifest.connectors {
        let mut found = Vec::new();
        let topics = connector.config.get("topics").cloned().unwrap_or_default();
        match template::resolve(&topics, vars).map(|resolved| by_topic.get(&resolved)) {
            Ok(Some(table)) => connector.table = table.clone(),
            Ok(None) => found.push(
                Diagnostic::error("C111", format!("connector `{name}` reads `{topics}`, which is no table's topic"))
                    .help("a sink connector reads the topic of one table: set \"topics\" to it"),
            ),
            Err(missing) => found.push(Diagnostic::error("C109", missing.to_string())),
        }
        if connector.config.contains_key("topics.regex") {
            found.push(
                Diagnostic::error("C112", format!("connector `{name}` uses topics.regex"))
                    .help("name the topic: a pattern would also match the green one"),
            );
        }
        let upsert = connector.config.get("insert.mode").is_some_and(|m| m == "upsert");
        if upsert && !connector.config.contains_key("collection.name.format") {
            found.push(
                Diagnostic::error("C113", format!("connector `{name}` does not pin its destination table"))
                    .help("set collection.name.format: without it green would be written into a new table"),
            );
        }
        let isolation = connector.config.get("consumer.override.isolation.level").map(String::as_str);
        if isolation != Some("read_committed") {
            found.push(
                Diagnostic::warning("C114", format!("connector `{name}` reads records of aborted transactions"))
                    .help("set consumer.override.isolation.level to read_committed"),
            );
        }
        match tables.get(&connector.table) {
            // The topic of a reader table is never gone over from.
            Some(table) if table.dml.is_some() => found.extend(inexact(name, &connector.config)),
            Some(table) => found.extend(unwritten(name, table)),
            None => {}
        }
        let placed = found.into_iter().map(|d| Diagnostic { file: files.get(name).cloned(), ..d });
        project.diagnostics.extend(placed);
    }
}

/// A sink connector reads a table that nobody writes and that is not made to be read from a beginning either: its INSERT
/// was lost, and without this it would silently count as a table that somebody else writes.
fn unwritten(connector: &str, table: &DeployedTable) -> Option<Diagnostic> {
    let parsed = sql::parse(&table.ddl);
    let Some(Statement { kind: StatementKind::CreateTable(create), .. }) = parsed.statements().first() else {
        return None;
    };
    create.option("scan.startup.mode").is_none().then(|| {
        let text = format!("nothing writes table `{}`, whose topic connector `{connector}` reads", table.physical);
        Diagnostic::error("C118", text).help(
            "write its INSERT; if another project writes the topic, keep the connector there, or give the table a 'scan.startup.mode'",
        )
    })
}

/// A remark when going over to another topic, and back, cannot be exact at the connector's destination.
pub fn inexact(name: &str, config: &BTreeMap<String, String>) -> Option<Diagnostic> {
    let why = sink::exact(config).err()?;
    let help = match why {
        Inexact::Adds => "moved to another topic, it writes every row again: give it a fresh destination and swap",
        _ => {
            "rows and values that only the topic it leaves had stay there: set what is missing, or look after them by hand"
        }
    };
    let text = format!("connector `{name}` cannot go over to another topic exactly: {why}");
    Some(Diagnostic::warning("C116", text).help(help))
}

fn describe(kind: &StatementKind) -> String {
    match kind {
        StatementKind::CreateTableAs(_) => "CREATE TABLE AS".to_owned(),
        StatementKind::StatementSet(_) => "a statement set".to_owned(),
        StatementKind::Query(_) => "a query on its own".to_owned(),
        StatementKind::Set { key, .. } => format!("SET '{key}'"),
        StatementKind::Reset { .. } => "RESET".to_owned(),
        StatementKind::Drop { what, .. } => format!("DROP {what}"),
        StatementKind::Other { keyword, .. } => keyword.clone(),
        _ => "this statement".to_owned(),
    }
}

/// True when something of severity error was found.
pub fn broken(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// True if the statements themselves cannot be read. Where tables are kept (no topic, one of another's) and which
/// connectors there are matters to what is deployed, not to what statements do.
pub fn unreadable(diagnostics: &[Diagnostic]) -> bool {
    let about_places = |code: &str| matches!(code, "C108" | "C109" | "C115" | "C117");
    diagnostics.iter().any(|d| d.severity == Severity::Error && !about_places(&d.code))
}
