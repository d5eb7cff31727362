//! `cyanotype lineage`: where a table or a column comes from and where it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;

use super::Shell;
use super::output::{Failure, Reply, columns};
use super::project::{self, Diagnosed, Missing};
use crate::config::nearest;
use crate::model::parity::ColumnClass;
use crate::plan::estate::{self, Estate};
use crate::plan::report::class_name;
use crate::plan::{self, trace};

/// Show where a table or a column comes from and where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TABLE or TABLE.COLUMN.
    #[arg(value_name = "TABLE[.COLUMN]")]
    pub target: Target,
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Only where it comes from.
    #[arg(long, conflicts_with = "downstream")]
    pub upstream: bool,
    /// Only where it goes.
    #[arg(long)]
    pub downstream: bool,
    /// How the answer is drawn: a list, JSON as with `--output json`, or a graph for Graphviz or Mermaid.
    #[arg(long, value_name = "FACE", default_value = "text")]
    pub format: Face,
}

/// A face of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Face {
    /// A list for people.
    Text,
    /// For programs.
    Json,
    /// A graph for Graphviz.
    Dot,
    /// A graph for Mermaid.
    Mermaid,
}

/// A table, or one column of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Table.
    pub table: String,
    /// Column; `None` for all of them.
    pub column: Option<String>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (table, column) = match text.split_once('.') {
            Some((table, column)) => (table, Some(column)),
            None => (text, None),
        };
        if table.is_empty() || column.is_some_and(str::is_empty) {
            return Err("name a table, or a column as table.column".to_owned());
        }
        Ok(Self { table: table.to_owned(), column: column.map(str::to_owned) })
    }
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let from = project::offline(shell, args.project.as_ref())?;
    let read = project::read(&from.dir, &from.vars, Missing::Kept).await?;
    if plan::project::unreadable(&read.project.diagnostics) {
        return Ok(Reply::no(Diagnosed::new(read.project.diagnostics, read.texts, "")));
    }
    let estate = match estate::read_of(&read.project.manifest, Some(&read.texts)) {
        Ok(estate) => estate.run_with(&from.settings),
        Err(problems) => return Ok(Reply::no(Diagnosed::new(problems, read.texts, ""))),
    };
    let Target { table, column } = args.target;
    let Some(mut trace) = trace::of(&estate, &table, column.as_deref()) else {
        return Err(unknown(&estate, &table, column.as_deref()));
    };
    if args.upstream {
        trace.uses.clear();
    }
    if args.downstream {
        trace.sources.clear();
    }
    let filled = trace::filled(&estate, &table, column.as_deref());
    let directions = [!args.downstream, !args.upstream];
    Ok(Reply::yes(Lineage { trace, filled, of_column: column.is_some(), directions, face: args.format }))
}

/// How many names are listed.
const LISTED: usize = 30;

/// Says what the project does not have, and what it has instead.
fn unknown(estate: &Estate, table: &str, column: Option<&str>) -> Failure {
    let columns = column.and_then(|column| Some((column, trace::columns(estate, table)?)));
    let (what, of, given, known) = match &columns {
        Some((column, known)) => (
            format!("column `{table}.{column}`"),
            format!("{table} has"),
            *column,
            known.iter().map(String::as_str).collect(),
        ),
        None => {
            let known: Vec<&str> = estate.tables.keys().map(String::as_str).collect();
            (format!("table `{table}`"), "its tables".to_owned(), table, known)
        }
    };
    let near = nearest(given, known.iter().copied()).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    let more = known.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let listed = known.get(..LISTED).unwrap_or(&known).join(", ");
    Failure::new(format!("the project has no {what}")).help(format!("{near}{of}: {listed}{more}"))
}

/// The answer: what comes in above, what goes out below.
#[derive(Serialize)]
struct Lineage {
    #[serde(flatten)]
    trace: trace::Trace,
    #[serde(flatten)]
    filled: trace::Filled,
    /// Whether a column was asked for.
    #[serde(skip)]
    of_column: bool,
    /// Whether it is shown where it comes from, and where it goes.
    #[serde(skip)]
    directions: [bool; 2],
    #[serde(skip)]
    face: Face,
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.face {
            Face::Text => self.list(f),
            Face::Json => writeln!(f, "{:#}", serde_json::to_value(self).map_err(|_| fmt::Error)?),
            Face::Dot => self.dot(f),
            Face::Mermaid => self.mermaid(f),
        }
    }
}

impl Lineage {
    fn list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |f: &mut fmt::Formatter<'_>, title: &str, edges: &[trace::Edge]| {
            if edges.is_empty() {
                return writeln!(f, "{title}: nothing");
            }
            writeln!(f, "{title}")?;
            let rows: Vec<Vec<String>> = edges
                .iter()
                .map(|e| vec![format!("  {}", e.from), "->".to_owned(), e.to.clone(), e.uses.join(", ")])
                .collect();
            columns(&rows).iter().try_for_each(|line| writeln!(f, "{line}"))
        };
        writeln!(f, "{}", self.trace.target)?;
        let [from, to] = self.directions;
        if from {
            self.statement(f)?;
            match self.filled.columns.as_slice() {
                // Such as a number of rows.
                [column] if self.of_column && self.trace.sources.is_empty() && !column.influences.is_empty() => {
                    let decide: BTreeSet<String> =
                        column.influences.iter().map(|i| format!("{} ({})", i.column, i.used)).collect();
                    let decide: Vec<String> = decide.into_iter().collect();
                    writeln!(f, "comes from: no column; its rows are decided by {}", decide.join(", "))?;
                }
                _ => part(f, "comes from", &self.trace.sources)?,
            }
        }
        if to {
            part(f, "goes to", &self.trace.uses)?;
        }
        Ok(())
    }

    /// How the rows of the statement change, and what it keeps.
    fn statement(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([trace::ColumnLineage { ty: Some(ty), .. }], true) = (self.filled.columns.as_slice(), self.of_column) {
            writeln!(f, "type: {ty}")?;
        }
        let mut compared: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for column in &self.filled.columns {
            if let Some(class) = column.class.as_ref().filter(|class| **class != ColumnClass::Exact) {
                compared.entry(class_name(class)).or_default().push(&column.column);
            }
        }
        for (class, columns) in compared {
            writeln!(f, "compared: {class}: {}", columns.join(", "))?;
        }
        if let Some(changelog) = &self.filled.changelog {
            writeln!(f, "changes: {changelog}")?;
        }
        if !self.filled.state.is_empty() {
            let state = |state: &trace::KeptState| format!("{} ({})", state.operator, state.bounded_by);
            let state: BTreeSet<String> = self.filled.state.iter().map(state).collect();
            writeln!(f, "state: {}", state.into_iter().collect::<Vec<_>>().join(", "))?;
        }
        if !self.filled.assumes.is_empty() {
            let assumed: Vec<String> = self.filled.assumes.iter().map(ToString::to_string).collect();
            writeln!(f, "assumes: no aggregate function: {}", assumed.join(", "))?;
        }
        Ok(())
    }

    fn edges(&self) -> impl Iterator<Item = &trace::Edge> {
        self.trace.sources.iter().chain(&self.trace.uses)
    }

    /// <https://graphviz.org/doc/info/lang.html>
    fn dot(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        writeln!(f, "digraph lineage {{")?;
        writeln!(f, "  rankdir = LR;")?;
        for edge in self.edges() {
            let (from, to, label) = (quoted(&edge.from), quoted(&edge.to), quoted(&edge.uses.join(", ")));
            writeln!(f, "  {from} -> {to} [label = {label}];")?;
        }
        writeln!(f, "}}")
    }

    /// <https://mermaid.js.org/syntax/flowchart.html>
    fn mermaid(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: BTreeSet<&str> = self.edges().flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]).collect();
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "#quot;"));
        writeln!(f, "flowchart LR")?;
        for (number, name) in names.iter().enumerate() {
            writeln!(f, "  n{number}[{}]", quoted(name))?;
        }
        let numbers: BTreeMap<&str, usize> = names.iter().enumerate().map(|(number, name)| (*name, number)).collect();
        let number = |name: &str| numbers.get(name).copied().unwrap_or_default();
        for edge in self.edges() {
            let label = quoted(&edge.uses.join(", "));
            writeln!(f, "  n{} -->|{label}| n{}", number(&edge.from), number(&edge.to))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_table_or_a_column_of_it() {
        let target =
            |table: &str, column: Option<&str>| Target { table: table.into(), column: column.map(str::to_owned) };
        assert_eq!("orders".parse(), Ok(target("orders", None)));
        assert_eq!("orders.id".parse(), Ok(target("orders", Some("id"))));
        for wrong in ["", ".id", "orders."] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
