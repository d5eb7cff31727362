//! `cyanotype lineage`: where a table or a column comes from and where it goes.

use std::path::PathBuf;
use std::str::FromStr;

use super::output::{Failure, Reply};
use super::{Shell, not_built};

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

pub(super) async fn run(_args: Args, _shell: &Shell) -> Result<Reply, Failure> {
    Err(not_built("lineage"))
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
