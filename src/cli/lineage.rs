//! `cyanotype lineage`: where a table or a column comes from and where it goes.

use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;

use super::Shell;
use super::output::{Failure, Reply, columns};
use super::project::{self, Diagnosed, Missing};
use crate::plan::{self, estate, trace};

/// Show where a table or a column comes from and where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TABLE or TABLE.COLUMN.
    #[arg(value_name = "TABLE[.COLUMN]")]
    pub target: Target,
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
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
    let (dir, vars) = project::offline(shell, args.project.as_ref())?;
    let read = project::read(&dir, &vars, Missing::Kept).await?;
    if plan::project::broken(&read.project.diagnostics) {
        return Ok(Reply::no(Diagnosed::new(read.project.diagnostics, read.texts, "")));
    }
    let estate = match estate::read(&read.project.manifest) {
        Ok(estate) => estate,
        Err(problems) => return Ok(Reply::no(Diagnosed::new(problems, read.texts, ""))),
    };
    let Target { table, column } = args.target;
    let Some(trace) = trace::of(&estate, &table, column.as_deref()) else {
        let what = column.map_or_else(|| format!("table `{table}`"), |c| format!("column `{table}.{c}`"));
        let known: Vec<&str> = estate.tables.keys().map(String::as_str).collect();
        return Err(
            Failure::new(format!("the project has no {what}")).help(format!("its tables: {}", known.join(", ")))
        );
    };
    Ok(Reply::yes(Shown(trace)))
}

/// A trace as an answer: what comes in above, what goes out below.
#[derive(Serialize)]
#[serde(transparent)]
struct Shown(trace::Trace);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |f: &mut std::fmt::Formatter<'_>, title: &str, edges: &[trace::Edge]| {
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
        writeln!(f, "{}", self.0.target)?;
        part(f, "comes from", &self.0.sources)?;
        part(f, "goes to", &self.0.uses)
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
