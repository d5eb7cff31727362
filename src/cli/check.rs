//! `cyanotype check`: reads a project and says everything that is wrong with it.

use std::path::PathBuf;

use super::Shell;
use super::output::{Failure, Reply, count};
use super::project::{self, Diagnosed};
use crate::plan::{self, check, estate, graph, start};

/// Read a project and say everything that is wrong with it. Needs no system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(value_name = "DIR", conflicts_with = "project")]
    pub dir: Option<PathBuf>,
    /// The same, as other commands name it.
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let from = project::offline(shell, args.dir.as_ref().or(args.project.as_ref()))?;
    let read = project::read(&from.dir, &from.vars, from.missing).await?;
    let manifest = read.project.manifest;
    let mut found = read.project.diagnostics;
    found.extend(check::secrets(&manifest, &read.texts));
    found.extend(from.remarks);
    if !plan::project::unreadable(&found) {
        match estate::read_of(&manifest, Some(&read.texts)) {
            Ok(estate) => {
                found.extend(graph::build(&estate).err());
                found.extend(check::columns(&estate, &read.texts));
                found.extend(check::rooms(&estate, &read.texts));
                found.extend(start::starts(&estate, &read.texts));
            }
            Err(problems) => found.extend(problems),
        }
    }
    let broken = plan::project::broken(&found);
    let (tables, connectors) = (count(manifest.tables.len(), "table"), count(manifest.connectors.len(), "connector"));
    let shown = Diagnosed::new(found, read.texts, format!("{tables} and {connectors}: nothing wrong"));
    Ok(if broken { Reply::no(shown) } else { Reply::yes(shown) })
}
