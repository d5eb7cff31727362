//! Whether the files still say what a plan was made from.
//!
//! Rules: texts are compared by what they say, so a commit that changes comments, or merges the rollout's branch, voids
//! nothing; a file that still says what is deployed is of a checkout that does not have the change yet, which is fine; a
//! file that says something else voids the plan, and so do files that cannot be read.

use std::collections::BTreeMap;

use super::handle::{Refusal, RefusalCause};
use super::turn::Daemon;
use crate::model::manifest::Manifest;
use crate::plan::{Plan, meaning, project};
use crate::port::ProjectFile;

impl Daemon {
    /// Refuses a plan whose changed statements were changed again since it was made.
    pub(super) async fn statements_hold(&self, plan: &Plan) -> Result<(), Refusal> {
        if plan.assumptions.statements.is_empty() {
            return Ok(());
        }
        let moved = |text: String| Refusal::new(RefusalCause::AssumptionsMoved, text);
        let files = self.ports.repository.files().await;
        let files =
            files.map_err(|e| moved(format!("the statements that the plan was made from cannot be read: {e}")))?;
        let now = read(&files, &self.settings.public_vars);
        let deployed = &self.ledger.manifest;
        let (names, served) = (meaning::logical(&now), meaning::logical(deployed));
        for (table, planned) in &plan.assumptions.statements {
            let Some(file) = now.tables.get(table) else { continue };
            let says = meaning::of(file, &names).digest();
            let serves = deployed.tables.get(table).map(|blue| meaning::of(blue, &served).digest());
            if says != *planned && Some(&says) != serves.as_ref() {
                let text = format!("the statement of `{table}` was changed again since the plan was made: plan again");
                return Err(moved(text));
            }
        }
        Ok(())
    }
}

/// The project's files as a manifest.
pub(super) fn read(files: &[ProjectFile], vars: &BTreeMap<String, String>) -> Manifest {
    let texts: Vec<project::File> = files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
    project::read(&texts, vars).manifest
}
