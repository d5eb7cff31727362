//! `cyanotype check`: reads a project and says everything that is wrong with it.

use std::path::PathBuf;

use super::Shell;
use super::output::{Failure, Reply, count};
use super::project::{self, Diagnosed, Missing};
use crate::plan::{self, estate, graph};

/// Read a project and say everything that is wrong with it. Needs no system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let (dir, vars) = project::offline(shell, args.dir.as_ref())?;
    let missing = if vars.is_empty() { Missing::Kept } else { Missing::Reported };
    let read = project::read(&dir, &vars, missing).await?;
    let mut found = read.project.diagnostics;
    let tables = read.project.manifest.tables.len();
    if !plan::project::broken(&found) {
        match estate::read(&read.project.manifest) {
            Ok(estate) => found.extend(graph::build(&estate).err()),
            Err(problems) => found.extend(problems),
        }
    }
    let broken = plan::project::broken(&found);
    let clean = format!(
        "{} and {}: nothing wrong",
        count(tables, "table"),
        count(read.project.manifest.connectors.len(), "connector")
    );
    let shown = Diagnosed::new(found, read.texts, clean);
    Ok(if broken { Reply::no(shown) } else { Reply::yes(shown) })
}
